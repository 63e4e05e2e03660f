#include "daemon/hypervisor.h"

#include "base/file_system.h"
#include "daemon/watched_source.h"
#include "source/kernel/kernel_reader.h"
#include "source/libvirt/uri.h"
#include "source/replay/replay_source.h"

namespace virtmeter {

Result<std::unique_ptr<Source>> open_hypervisor(const Settings& settings, const Clock& clock) {
  if (is_replay_address(settings.libvirt_uri))
    return ReplaySource::open(settings.libvirt_uri, system_files(), clock);
  LibvirtSourceOptions options;
  options.uri = settings.libvirt_uri;
  options.device_cache_ttl = settings.device_cache_ttl;
  options.chunk_vms = static_cast<std::size_t>(settings.libvirt_chunk_vms);
  options.poll_interval = settings.poll_interval;
  options.timeout = settings.libvirt_timeout;
  return WatchedSource::open(options, clock,
                             asks_kernel(settings) ? KernelReader::of_this_host(clock) : nullptr);
}

bool asks_kernel(const Settings& settings) {
  const Result<LibvirtUri> uri = parse_libvirt_uri(settings.libvirt_uri);
  return settings.source == Settings::SourceKind::automatic && uri && is_local_qemu(*uri);
}

MissingPolicy missing_policy(const Settings& settings) {
  return settings.missing == Settings::Missing::zero ? MissingPolicy::zero : MissingPolicy::omit;
}

}  // namespace virtmeter
