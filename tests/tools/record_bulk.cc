// Prints one bulk reply of a libvirt daemon, all groups, as "key type value" lines: the recordings under
// src/source/libvirt/testdata are made with it. Usage: record_bulk URI
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdio>

namespace {

void print(const virTypedParameter& param) {
  switch (param.type) {
    case VIR_TYPED_PARAM_INT:
      std::printf("%s int %d\n", param.field, param.value.i);
      break;
    case VIR_TYPED_PARAM_UINT:
      std::printf("%s uint %u\n", param.field, param.value.ui);
      break;
    case VIR_TYPED_PARAM_LLONG:
      std::printf("%s llong %lld\n", param.field, param.value.l);
      break;
    case VIR_TYPED_PARAM_ULLONG:
      std::printf("%s ullong %llu\n", param.field, param.value.ul);
      break;
    case VIR_TYPED_PARAM_DOUBLE:
      std::printf("%s double %g\n", param.field, param.value.d);
      break;
    case VIR_TYPED_PARAM_BOOLEAN:
      std::printf("%s boolean %d\n", param.field, param.value.b);
      break;
    // A path of the recording machine is nobody's business; names are part of the reply.
    case VIR_TYPED_PARAM_STRING:
      std::printf("%s string %s\n", param.field, param.value.s[0] == '/' ? "/..." : param.value.s);
      break;
    default:
      break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  virConnectPtr connection = argc == 2 ? virConnectOpenReadOnly(argv[1]) : nullptr;
  virDomainStatsRecordPtr* records = nullptr;
  const int count =
      connection == nullptr
          ? -1
          : virConnectGetAllDomainStats(connection, 0, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE);
  if (count < 0) {
    std::fprintf(stderr, "record_bulk: %s\nusage: record_bulk URI\n", virGetLastErrorMessage());
    return 69;
  }
  unsigned long version = 0;
  virConnectGetLibVersion(connection, &version);
  std::printf("# libvirt %lu.%lu.%lu, %s\n", version / 1000000, version / 1000 % 1000, version % 1000,
              virConnectGetType(connection));
  for (int i = 0; i < count; ++i) {
    std::printf("# domain %d\n", i);
    for (int j = 0; j < records[i]->nparams; ++j) print(records[i]->params[j]);
  }
  virDomainStatsRecordListFree(records);
  virConnectClose(connection);
  return 0;
}
