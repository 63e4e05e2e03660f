#include "daemon/watched_source.h"

#include "daemon/thread_name.h"
#include "source/libvirt/event_loop.h"

namespace virtmeter {

Result<std::unique_ptr<Source>> WatchedSource::open(const LibvirtSourceOptions& options, const Clock& clock,
                                                    std::unique_ptr<FastReader> fast) {
  auto watched = std::unique_ptr<WatchedSource>(new WatchedSource(clock));
  auto source = LibvirtSource::open(options, clock, watched->watch_, std::move(fast));
  if (!source) return std::move(source).error();
  watched->source_ = std::move(source).value();
  watched->thread_ = std::thread([&watch = watched->watch_] {
    name_this_thread("vm-watchdog");
    watch.run();
  });
  return std::unique_ptr<Source>(std::move(watched));
}

WatchedSource::WatchedSource(const Clock& clock)
    : watch_(clock, [](std::uint64_t connection) { LibvirtEventLoop::hang_up(connection); }) {}

WatchedSource::~WatchedSource() {
  source_.reset();  // Says goodbye to libvirt, which may take as long as any call.
  if (!thread_.joinable()) return;
  watch_.stop();
  thread_.join();
}

}  // namespace virtmeter
