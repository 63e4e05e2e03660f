// A Connector that makes chosen operations of a real one fail. For tests.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "source/libvirt/connector.h"

namespace virtmeter {

class FaultyConnector final : public Connector {
 public:
  // Asked before each operation with its name, the VM's name and the device ("" where there is none): an
  // Error to answer in the operation's stead, or nothing.
  using Fault = std::function<std::optional<Error>(std::string_view operation, std::string_view vm,
                                                   std::string_view device)>;

  explicit FaultyConnector(std::unique_ptr<Connector> real) : real_(std::move(real)) {}

  Fault fault;
  std::function<std::optional<DeviceList>(const std::string& vm)> devices;  // Device lists to tell instead.
  std::function<void(std::span<const LiveVm* const>, const RecordVisitor&)> bulk;  // Records to tell instead.
  bool cut = false;  // As if the daemon had died.
  std::size_t calls = 0;
  std::size_t connects = 0;

  Status connect() override {
    ++connects;
    if (auto error = ask("connect", "", "")) return *error;
    cut = false;
    return real_->connect();
  }
  void disconnect() override { real_->disconnect(); }
  bool alive() override { return !cut && real_->alive(); }
  Result<std::vector<LiveVm>> get_live_vms() override {
    if (auto error = ask("get_live_vms", "", "")) return *error;
    return real_->get_live_vms();
  }
  Status get_bulk_stats(std::span<const LiveVm* const> vms, const RecordVisitor& visit) override {
    for (const LiveVm* vm : vms) {
      if (auto error = ask("get_bulk_stats", vm->name, "")) return *error;
    }
    if (bulk) {
      bulk(vms, visit);
      return Status::ok();
    }
    return real_->get_bulk_stats(vms, visit);
  }
  Result<DeviceList> get_devices_for_vm(const LiveVm& vm) override {
    if (auto error = ask("get_devices_for_vm", vm.name, "")) return *error;
    if (devices) {
      if (auto list = devices(vm.name)) return *list;
    }
    return real_->get_devices_for_vm(vm);
  }
  Status get_info(const LiveVm& vm, VmValues& values) override {
    if (auto error = ask("get_info", vm.name, "")) return *error;
    return real_->get_info(vm, values);
  }
  Status get_memory_stats(const LiveVm& vm, VmValues& values) override {
    if (auto error = ask("get_memory_stats", vm.name, "")) return *error;
    return real_->get_memory_stats(vm, values);
  }
  Status get_cpu_stats(const LiveVm& vm, VmValues& values) override {
    if (auto error = ask("get_cpu_stats", vm.name, "")) return *error;
    return real_->get_cpu_stats(vm, values);
  }
  Status get_interface_stats(const LiveVm& vm, const std::string& device, NicValues& values) override {
    if (auto error = ask("get_interface_stats", vm.name, device)) return *error;
    return real_->get_interface_stats(vm, device, values);
  }
  Status get_block_stats(const LiveVm& vm, const std::string& device, DiskValues& values) override {
    if (auto error = ask("get_block_stats", vm.name, device)) return *error;
    return real_->get_block_stats(vm, device, values);
  }
  Invalidations take_invalidations() override { return real_->take_invalidations(); }
  std::string version() override { return real_->version(); }
  std::string host_name() override { return real_->host_name(); }

 private:
  std::optional<Error> ask(std::string_view operation, std::string_view vm, std::string_view device) {
    ++calls;
    return fault ? fault(operation, vm, device) : std::nullopt;
  }

  std::unique_ptr<Connector> real_;
};

}  // namespace virtmeter
