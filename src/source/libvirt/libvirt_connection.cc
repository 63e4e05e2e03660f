#include "source/libvirt/libvirt_connection.h"

#include <fmt/format.h>

#include "source/libvirt/event_registry.h"
#include "source/libvirt/libvirt_error.h"
#include "source/libvirt/reach.h"

namespace virtmeter {
namespace {

constexpr int kKeepaliveIntervalSeconds = 5;
constexpr unsigned int kKeepaliveCountMax = 5;

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

void note_closed(virConnectPtr, int, void* closed) { *static_cast<std::atomic<bool>*>(closed) = true; }

}  // namespace

Error no_answer(std::string_view what, std::chrono::nanoseconds limit) {
  return {Errc::timeout,
          fmt::format("{}: no answer within {:.3g} s", what, std::chrono::duration<double>(limit).count()),
          ""};
}

Status LibvirtConnection::open(std::chrono::nanoseconds limit) {
  close();
  number_ = next_number();
  close_limit_ = limit;
  broken_ = false;
  closed_ = false;
  Status reached = reach(uri_, limit);
  if (!reached) return std::move(reached).error().within("E101 connect to " + loggable_uri(uri_text_));
  const EventRegistry::Connecting connecting(number_);
  connection_ = watched(limit, [this] {
    ConnectHandle connection(virConnectOpenReadOnly(uri_text_.c_str()));
    if (!connection) return connection;
    // A driver inside this process has neither; a dead daemon then shows at the next call.
    virConnectSetKeepAlive(connection.get(), kKeepaliveIntervalSeconds, kKeepaliveCountMax);
    // Without a free function: some drivers never call it. close() takes the callback back before we go.
    virConnectRegisterCloseCallback(connection.get(), note_closed, &closed_, nullptr);
    return connection;
  });
  if (cancelled_) {
    close();
    Error error = no_answer("E101 connect to " + loggable_uri(uri_text_), limit);
    error.fix = "check that the libvirt daemon is not stopped or overloaded: virsh -r -c '" +
                loggable_uri(uri_text_) + "' list must answer";
    return error;
  }
  if (!connection_) return last_connect_error(uri_text_, uri_);
  return Status::ok();
}

void LibvirtConnection::close() {
  if (!connection_) return;
  watched(close_limit_, [this] {
    virConnectUnregisterCloseCallback(connection_.get(), note_closed);
    connection_.reset();
    return 0;
  });
}

bool LibvirtConnection::alive() const {
  return connection_ && !broken_ && !closed_ && virConnectIsAlive(connection_.get()) == 1;
}

Error LibvirtConnection::failure(std::string_view what) const {
  return cancelled_ ? no_answer(what, limit_) : last_call_error(what);
}

}  // namespace virtmeter
