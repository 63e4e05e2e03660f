// Any bytes as datagrams of the kernel about network interfaces: nothing is read beyond their end, and what
// is found has a name and an index.
#include <deque>
#include <string>

#include "base/check.h"
#include "input.h"
#include "source/kernel/link_table.h"

namespace virtmeter {
namespace {

// Answers each question, and tells of events, with the pieces of the input in turn.
class InputPort final : public LinkPort {
 public:
  explicit InputPort(std::string_view input) {
    for (const std::string_view piece : fuzz::split(input, '\n', 64)) pieces_.emplace_back(piece);
  }
  bool ask(const NetlinkRequest&) override { return true; }
  Got next_answer(Bytes& into) override { return next(into); }
  void forget_question() override {}
  Got next_event(Bytes& into) override { return next(into); }

 private:
  Got next(Bytes& into) {
    if (pieces_.empty()) return Got::nothing;
    now_ = pieces_.front();
    pieces_.pop_front();
    into = Bytes(now_.data(), now_.size());
    return Got::data;
  }

  std::deque<std::string> pieces_;
  std::string now_;
};

void check(std::string_view input) {
  NetlinkMessages messages(Bytes(input.data(), input.size()));
  while (const auto message = messages.next()) {
    if (const auto notice = parse_link_notice(message->payload))
      CHECK(notice->index != 0 && !notice->name.empty());
    if (const auto statistics = parse_link_statistics(message->payload)) CHECK(statistics->index != 0);
    CHECK(netlink_error(message->payload) >= 0);
  }
  InputPort port(input);
  LinkTable table(port);
  for (int i = 0; i < 3; ++i) table.refresh();
  CHECK(table.status().links <= LinkTable::kLinksMax);
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::check(virtmeter::fuzz::text_of(data, size));
  return 0;
}
