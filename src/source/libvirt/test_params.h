// Bulk records as libvirt's client library builds them. For tests.
#pragma once

#include <libvirt/libvirt.h>

#include <span>
#include <string>
#include <vector>

#include "source/libvirt/stat_groups.h"

namespace virtmeter::test {

class Params {
 public:
  // libvirt's error state exists only after this.
  Params() { virInitialize(); }
  ~Params() { virTypedParamsFree(params_, count_); }
  Params(const Params&) = delete;
  Params& operator=(const Params&) = delete;

  Params& number(const std::string& key, unsigned long long value) {
    virTypedParamsAddULLong(&params_, &count_, &capacity_, key.c_str(), value);
    return *this;
  }
  Params& uint(const std::string& key, unsigned int value) {
    virTypedParamsAddUInt(&params_, &count_, &capacity_, key.c_str(), value);
    return *this;
  }
  Params& integer(const std::string& key, int value) {
    virTypedParamsAddInt(&params_, &count_, &capacity_, key.c_str(), value);
    return *this;
  }
  Params& text(const std::string& key, const char* value) {
    virTypedParamsAddString(&params_, &count_, &capacity_, key.c_str(), value);
    return *this;
  }
  std::span<const virTypedParameter> span() const { return {params_, static_cast<std::size_t>(count_)}; }
  std::span<virTypedParameter> span() { return {params_, static_cast<std::size_t>(count_)}; }

 private:
  virTypedParameterPtr params_ = nullptr;
  int count_ = 0;
  int capacity_ = 0;
};

// What a daemon of libvirt 9.0 tells of a VM's groups; `held`: another job holds it.
struct Telling {
  std::vector<std::string> nics;
  std::vector<std::string> disks;
  bool held = false;
  unsigned long long memory_kib = 1024;
  unsigned long long count = 40;
};

inline void tell(const Telling& vm, GroupSet groups, Params& params) {
  if (groups.has(StatGroup::state)) params.integer("state.state", 1).integer("state.reason", 1);
  if (groups.has(StatGroup::cpu)) params.number("cpu.time", 7).number("cpu.user", 4).number("cpu.system", 3);
  if (groups.has(StatGroup::balloon)) {
    params.number("balloon.current", vm.memory_kib).number("balloon.maximum", 4096);
    if (!vm.held) params.number("balloon.usable", vm.count).number("balloon.rss", 512);
  }
  if (groups.has(StatGroup::vcpu)) params.uint("vcpu.current", 2).uint("vcpu.maximum", 2);
  if (groups.has(StatGroup::interface)) {
    params.uint("net.count", static_cast<unsigned int>(vm.nics.size()));
    for (std::size_t i = 0; i < vm.nics.size(); ++i) {
      const std::string prefix = "net." + std::to_string(i);
      params.text(prefix + ".name", vm.nics[i].c_str()).number(prefix + ".rx.bytes", vm.count + i);
    }
  }
  if (groups.has(StatGroup::block)) {
    params.uint("block.count", static_cast<unsigned int>(vm.disks.size()));
    for (std::size_t i = 0; i < vm.disks.size(); ++i) {
      const std::string prefix = "block." + std::to_string(i);
      params.text(prefix + ".name", vm.disks[i].c_str());
      if (!vm.held) params.number(prefix + ".rd.reqs", vm.count + i).number(prefix + ".rd.bytes", 9);
    }
  }
}

}  // namespace virtmeter::test
