// From a key of a bulk record ("net.3.rx.bytes") to the catalog rows it fills, and the list of keys that
// virtmeter knows and leaves aside, each with the reason. Pure functions over constant tables. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/catalog.h"

namespace virtmeter {

// The rows that a key fills: balloon.current fills two. Empty when it fills none.
std::span<const MetricId> rows_of_vm_key(std::string_view key);
std::span<const MetricId> rows_of_nic_key(std::string_view key);   // Without its "net.<n>.".
std::span<const MetricId> rows_of_disk_key(std::string_view key);  // Without its "block.<n>.".

// "net.3.rx.bytes" in parts. `index` is a carrier only: it changes when devices come and go.
struct DeviceKey {
  std::uint32_t index = 0;
  std::string_view rest;
};
std::optional<DeviceKey> split_device_key(std::string_view key, std::string_view prefix);

// Why a key that fills no row is left aside; empty when virtmeter has never heard of it.
std::string_view reason_to_ignore(std::string_view key);

}  // namespace virtmeter
