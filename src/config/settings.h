// Settings: everything an operator may choose, as plain data with its defaults. The table in options.cc has
// one row for each member but influx_token_path; it is what reads, checks, prints and documents them. Not
// thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/log.h"
#include "config/secret.h"

namespace virtmeter {

struct Settings {
  enum class InfluxApi : std::uint8_t { automatic, v1, v2, v3 };
  enum class SourceKind : std::uint8_t { automatic, libvirt };
  enum class Missing : std::uint8_t { zero, omit };
  enum class CoreDumps : std::uint8_t { off, on };
  enum class SpoolSync : std::uint8_t { every_cycle, interval, never };

  std::string libvirt_uri = "qemu:///system";
  SourceKind source = SourceKind::automatic;
  std::chrono::nanoseconds libvirt_timeout = std::chrono::seconds(10);
  std::int64_t libvirt_chunk_vms = 32;
  std::chrono::nanoseconds poll_interval = std::chrono::seconds(5);
  std::chrono::nanoseconds device_cache_ttl = std::chrono::seconds(300);
  Missing missing = Missing::zero;
  std::string host_tag;  // Empty: no tag. "auto": the hypervisor's host name.

  std::string influx_url;  // Empty: no database; lines go to file_path.
  InfluxApi influx_api = InfluxApi::automatic;
  std::string influx_db = "vmstats";
  std::string influx_org;
  Secret influx_token;  // After loading: from whichever place it came.
  std::string influx_token_file;
  std::string influx_token_path;  // After loading: the file influx_token was read from; empty: from none.
  std::string influx_ca_file;
  std::int64_t batch_max_lines = 2000;
  std::chrono::nanoseconds batch_max_sec = std::chrono::seconds(1);
  std::int64_t max_queue = 20000;

  std::string state_dir = "/var/lib/virtmeter";
  LogLevel log_level = LogLevel::info;
  std::string log_file;

  std::string http_listen = "127.0.0.1:9178";  // Empty: no server.

  CoreDumps core_dumps = CoreDumps::off;

  std::int64_t spool_max_bytes = std::int64_t{1} << 30;
  std::chrono::nanoseconds spool_max_age = std::chrono::hours(30 * 24);
  std::int64_t spool_min_free_bytes = std::int64_t{1} << 30;
  SpoolSync spool_sync = SpoolSync::every_cycle;
  std::int64_t spool_drain_lines_per_sec = 0;  // 0: 20 times the rate at which lines come, at least 2000.

  std::string file_path;  // After loading never empty: <state_dir>/lines.lp unless set.
  std::int64_t file_max_bytes = std::int64_t{256} << 20;
};

}  // namespace virtmeter
