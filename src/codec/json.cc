#include "codec/json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "codec/rfc3339.h"

namespace virtmeter {
namespace {

using Json = nlohmann::ordered_json;

template <Scope S>
Absence absence_of(const Values<S>& values, MetricId id) {
  if (metric(id).origin.how == How::label) id = kMetricOf[id];
  // JSON has no word for inf and nan.
  if (metric(id).type == Type::real && !std::isfinite(values.real(id).value_or(0)))
    return Absence::out_of_range;
  return values.absence(id);
}

template <Scope S>
Json value_of(const Values<S>& values, MetricId id) {
  if (absence_of(values, id) != Absence::none) return nullptr;
  switch (metric(id).type) {
    case Type::integer:
      return *values.integer(id);
    case Type::real:
      return *values.real(id);
    case Type::text:
      return label_text(id, *values.integer(kMetricOf[id]));
  }
  return nullptr;
}

template <Scope S>
bool any_present(const Values<S>& values, Line line) {
  for (MetricId id = line_rows(line).first; id < line_rows(line).end; ++id) {
    if (absence_of(values, id) == Absence::none) return true;
  }
  return false;
}

template <Scope S>
void add_fields(Json& object, const Values<S>& values, Line line) {
  Json reasons = Json::object();
  for (MetricId id = line_rows(line).first; id < line_rows(line).end; ++id) {
    const std::string name(metric(id).name);
    object[name] = value_of(values, id);
    const Absence absence = absence_of(values, id);
    if (absence != Absence::none) reasons[name] = name_of(absence);
  }
  if (!reasons.empty()) object["absent"] = std::move(reasons);
}

template <Scope S>
Json fields(const Values<S>& values, Line line) {
  Json object = Json::object();
  add_fields(object, values, line);
  return object;
}

template <Scope S>
Json device_object(Line line, const std::string& name, const Values<S>& values) {
  Json device;
  device["devtype"] = info(line).devtype;
  device["device"] = name;
  add_fields(device, values, line);
  return device;
}

Json device_objects(const VmSample& vm) {
  Json devices = Json::array();
  for (std::size_t i = 0; i < vm.nics.size(); ++i) {
    devices.push_back(device_object(Line::nic, vm.layout->nics[i], vm.nics[i]));
  }
  for (std::size_t i = 0; i < vm.disks.size(); ++i) {
    devices.push_back(device_object(Line::disk, vm.layout->disks[i], vm.disks[i]));
  }
  return devices;
}

Json vm_object(const VmSample& vm) {
  const VmLayout& layout = *vm.layout;
  CHECK(vm.nics.size() == layout.nics.size() && vm.disks.size() == layout.disks.size());
  Json object;
  object["uuid"] = layout.uuid_text;
  object["id"] = layout.domain_id;
  object["name"] = layout.name;
  object["state"] = value_of(vm.values, metric_id("vm_metrics.state"));
  object["vm_metrics"] = fields(vm.values, Line::vm_metrics);
  object["vm_features"] =
      any_present(vm.values, Line::vm_features) ? fields(vm.values, Line::vm_features) : Json(nullptr);
  object["vm_totals"] = fields(vm.values, Line::vm_totals);
  object["vm_health"] =
      any_present(vm.health, Line::vm_health) ? fields(vm.health, Line::vm_health) : Json(nullptr);
  object["devices"] = layout.devices_known ? device_objects(vm) : Json(nullptr);
  return object;
}

}  // namespace

void encode_json(const Cycle& cycle, std::string& out) {
  Json object;
  object["time"] = rfc3339(cycle.time);
  object["unix_ns"] = std::to_string(cycle.time.unix_ns);
  object["cycle"] = cycle.number;
  object["host"] = cycle.host.empty() ? Json(nullptr) : Json(cycle.host);
  Json vms = Json::array();
  for (const VmSample& vm : cycle.vms) vms.push_back(vm_object(vm));
  object["vms"] = std::move(vms);
  object["collector"] = fields(cycle.collector, Line::collector_latency);
  out += object.dump(-1, ' ', false, Json::error_handler_t::replace);
  out += '\n';
}

}  // namespace virtmeter
