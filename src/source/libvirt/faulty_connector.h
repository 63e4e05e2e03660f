// A Connector that makes chosen operations of a real one fail, or get no answer in time. For tests.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "source/libvirt/connector.h"
#include "source/libvirt/libvirt_connection.h"

namespace virtmeter {

class FaultyConnector final : public Connector {
 public:
  // Asked before each operation with its name, the VM's name and the device ("" where there is none): an
  // Error to answer in the operation's stead, or nothing.
  using Fault = std::function<std::optional<Error>(std::string_view operation, std::string_view vm,
                                                   std::string_view device)>;

  explicit FaultyConnector(std::unique_ptr<Connector> real) : real_(std::move(real)) {}

  Fault fault;
  std::function<std::optional<DeviceList>(const std::string& vm)> devices;    // Device lists to tell instead.
  std::function<std::optional<ControlState>(const std::string& vm)> control;  // Likewise.
  std::function<void(std::span<const LiveVm* const>, const RecordVisitor&)> bulk;  // Records to tell instead.
  std::set<std::string> paused;                        // VMs that the list tells so.
  std::optional<Invalidations> news;                   // Told by the next take_invalidations() instead.
  std::map<std::string, std::vector<GroupSet>> asked;  // In bulk, of each VM.
  bool cut = false;                                    // As if the daemon had died.

  // As QEMUs that do not answer: a call that needs one of these waits for its whole limit, which moves
  // `clock`, and holds the VM until it is taken out again. Bulk requests pass from VM to VM, each as long as
  // its cost.
  std::set<std::string> hung;
  std::map<std::string, std::chrono::nanoseconds> cost;
  ManualClock* clock = nullptr;
  std::chrono::nanoseconds vm_limit = std::chrono::milliseconds(2500);
  std::map<std::string, int> entered;  // How many calls have run into each hung VM.
  bool daemon_hung = false;            // Then nothing answers.
  std::size_t calls = 0;
  std::size_t connects = 0;

  // What a fault answers for a call that gets no answer within `limit`.
  Error time_out(std::chrono::nanoseconds limit) {
    clock->advance(limit);
    broken_ = true;
    ++cancelled_calls_;
    return no_answer("ask", limit);
  }

  Status connect() override {
    ++connects;
    if (auto error = ask("connect", "", "")) return *error;
    cut = false;
    broken_ = false;
    return real_->connect();
  }
  void disconnect() override { real_->disconnect(); }
  bool alive() override { return !cut && !broken_ && real_->alive(); }
  Status renew(std::span<LiveVm> vms) override {
    if (auto error = ask("renew", "", "")) return *error;
    broken_ = false;
    return real_->renew(vms);
  }
  Status get_live_vms(std::vector<LiveVm>& vms) override {
    if (auto error = ask("get_live_vms", "", "")) {
      vms.clear();
      return *error;
    }
    Status listed = real_->get_live_vms(vms);
    for (LiveVm& vm : vms) {
      if (paused.contains(vm.name)) vm.state = VIR_DOMAIN_PAUSED;
    }
    return listed;
  }
  Status get_bulk_stats(const BulkRequest& request, const RecordVisitor& visit) override {
    std::chrono::nanoseconds left = request.limit;
    for (const LiveVm* vm : request.vms) {
      if (auto error = ask("get_bulk_stats", vm->name, "")) return *error;
      asked[vm->name].push_back(request.groups);
      if (!request.groups.need_monitor()) continue;
      if (auto error = pass(vm->name, left)) return *error;
    }
    if (bulk) {
      bulk(request.vms, visit);
      return Status::ok();
    }
    return real_->get_bulk_stats(request, visit);
  }
  Result<ControlState> get_control_state(const LiveVm& vm) override {
    if (auto error = ask("get_control_state", vm.name, "")) return *error;
    if (control) {
      if (auto state = control(vm.name)) return *state;
    }
    const auto waits = held_since_.find(vm.name);
    if (waits == held_since_.end() || !hung.contains(vm.name)) return ControlState{};
    return ControlState{ControlState::Kind::occupied, std::chrono::duration_cast<std::chrono::milliseconds>(
                                                          clock->boot_now() - waits->second)};
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
    if (auto error = enter(vm.name, vm_limit)) return *error;
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
    if (auto error = enter(vm.name, vm_limit)) return *error;
    return real_->get_block_stats(vm, device, values);
  }
  Invalidations take_invalidations() override {
    Invalidations told = real_->take_invalidations();
    if (news) std::swap(told, *news);
    news.reset();
    return told;
  }
  bool tells_of_balloons() const override { return real_->tells_of_balloons(); }
  std::uint64_t cancelled_calls() const override { return cancelled_calls_; }
  std::string version() override { return ask("version", "", "") ? "" : real_->version(); }
  std::string host_name() override { return real_->host_name(); }

 private:
  std::optional<Error> ask(std::string_view operation, std::string_view vm, std::string_view device) {
    ++calls;
    if (daemon_hung) return time_out(std::chrono::seconds(10));
    if (broken_ && operation != "connect" && operation != "renew") {
      return Error{Errc::unavailable, "the connection is broken", ""};
    }
    return fault ? fault(operation, vm, device) : std::nullopt;
  }
  // What happens to a call that needs the VM's QEMU.
  std::optional<Error> enter(const std::string& vm, std::chrono::nanoseconds limit) {
    if (!hung.contains(vm)) {
      held_since_.erase(vm);
      return std::nullopt;
    }
    ++entered[vm];
    held_since_.emplace(vm, clock->boot_now());
    return time_out(limit);
  }
  // The VM's part of a request that has `left`.
  std::optional<Error> pass(const std::string& vm, std::chrono::nanoseconds& left) {
    if (auto error = enter(vm, left)) return error;
    const auto found = cost.find(vm);
    const auto needs = found == cost.end() ? std::chrono::nanoseconds(0) : found->second;
    if (needs >= left) return time_out(left);
    if (clock != nullptr) clock->advance(needs);
    left -= needs;
    return std::nullopt;
  }

  bool broken_ = false;
  std::uint64_t cancelled_calls_ = 0;
  std::map<std::string, BootTime> held_since_;
  std::unique_ptr<Connector> real_;
};

}  // namespace virtmeter
