// One read-only connection to libvirt whose every call has a deadline (call_watch.h). A connection on which a
// call was cancelled is broken: it answers nothing more and is to be opened again. Collector thread only;
// what libvirt's event thread tells comes in by an atomic flag.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "source/libvirt/call_watch.h"
#include "source/libvirt/handles.h"
#include "source/libvirt/uri.h"

namespace virtmeter {

class LibvirtConnection {
 public:
  // `watch` must outlive the connection.
  LibvirtConnection(std::string uri_text, LibvirtUri uri, CallWatch& watch)
      : uri_text_(std::move(uri_text)), uri_(std::move(uri)), watch_(watch) {}
  ~LibvirtConnection() { close(); }
  LibvirtConnection(const LibvirtConnection&) = delete;
  LibvirtConnection& operator=(const LibvirtConnection&) = delete;

  // Closes the old connection first. At most `limit` for all it takes, as for close().
  Status open(std::chrono::nanoseconds limit);
  void close();
  bool alive() const;

  // Of all its openings.
  std::uint64_t cancelled_calls() const { return cancelled_calls_; }

  virConnectPtr get() const { return connection_.get(); }

  // `call()`, within `limit`. Its result is an Error of kind timeout, "<what>: no answer within <limit>",
  // when it was cancelled: `failed(result)` says whether it failed at all.
  template <typename Call>
  auto watched(std::chrono::nanoseconds limit, Call call) {
    const CallWatch::Call watching(watch_, number_, limit);
    auto result = call();
    cancelled_ = watching.cancelled();
    if (cancelled_) {
      broken_ = true;
      ++cancelled_calls_;
      limit_ = limit;
    }
    return result;
  }

  // Why the last watched() call failed; on the same thread, right after it.
  Error failure(std::string_view what) const;

 private:
  std::string uri_text_;
  LibvirtUri uri_;
  CallWatch& watch_;
  ConnectHandle connection_;
  std::uint64_t number_ = 0;  // Of this opening; no other has it.
  std::chrono::nanoseconds limit_{};
  std::chrono::nanoseconds close_limit_{};
  std::uint64_t cancelled_calls_ = 0;
  bool cancelled_ = false;  // The last call was.
  bool broken_ = false;
  std::atomic<bool> closed_ = false;  // By the other side.
};

// "no answer within 2.5 s", for a call that was cancelled.
Error no_answer(std::string_view what, std::chrono::nanoseconds limit);

}  // namespace virtmeter
