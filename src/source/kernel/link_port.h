// Where a LinkTable gets the bytes about network interfaces from: an rtnetlink socket for questions and one
// for events, behind an interface so that tests can give recorded and damaged ones. Collector thread only.
#pragma once

#include <vector>

#include "source/kernel/netlink_message.h"

namespace virtmeter {

class LinkPort {
 public:
  enum class Got : std::uint8_t {
    data,
    nothing,  // None is there now.
    lost,     // The kernel had to drop some, or one was longer than the buffer.
    failed,   // There is no socket, or it does not work.
  };

  virtual ~LinkPort() = default;

  // Sends a question whose answers next_answer() gives. False: it could not be sent.
  virtual bool ask(const NetlinkRequest& request) = 0;
  // One datagram, valid until the next call. Never waits, since the kernel has an answer ready when it is
  // asked.
  virtual Got next_answer(Bytes& into) = 0;
  // Forgets a question whose answers were not read to their end: the kernel answers only one at a time.
  virtual void forget_question() = 0;
  // One datagram of what has changed since the first call. Never waits.
  virtual Got next_event(Bytes& into) = 0;
};

// The machine's: the network namespace of this process. Opens its sockets when they are needed.
class SystemLinkPort final : public LinkPort {
 public:
  SystemLinkPort();
  SystemLinkPort(const SystemLinkPort&) = delete;
  SystemLinkPort& operator=(const SystemLinkPort&) = delete;
  ~SystemLinkPort() override;

  bool ask(const NetlinkRequest& request) override;
  Got next_answer(Bytes& into) override;
  void forget_question() override;
  Got next_event(Bytes& into) override;

 private:
  Got receive(int socket, Bytes& into);

  int question_ = -1;
  int events_ = -1;
  std::vector<char> buffer_;
};

}  // namespace virtmeter
