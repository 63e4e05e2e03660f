#include "daemon/event_thread.h"

#include "daemon/thread_name.h"

namespace virtmeter {

Status EventThread::start() {
  Status prepared = LibvirtEventLoop::prepare();
  if (!prepared) return prepared;
  thread_ = std::thread([this] {
    name_this_thread("vm-events");
    loop_.run();
  });
  return Status::ok();
}

EventThread::~EventThread() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

}  // namespace virtmeter
