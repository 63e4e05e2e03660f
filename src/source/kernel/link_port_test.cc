#include "source/kernel/link_port.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "source/kernel/link_table.h"

namespace virtmeter {
namespace {

// Every network namespace has a loopback device.
TEST(SystemLinkPort, TellsOfTheLoopbackDevice) {
  SystemLinkPort port;
  LinkTable table(port);
  table.refresh();
  const Link* loopback = table.find("lo");
  ASSERT_NE(loopback, nullptr);
  EXPECT_EQ(loopback->kind, LinkKind::other);
  EXPECT_EQ(loopback->counters.rx_bytes, loopback->counters.tx_bytes);
  EXPECT_EQ(table.status().failed_dumps, 0u);
}

TEST(SystemLinkPort, HasNoAnswerWithoutAQuestion) {
  SystemLinkPort port;
  Bytes datagram;
  EXPECT_EQ(port.next_answer(datagram), LinkPort::Got::failed);
}

TEST(SystemLinkPort, AnswersAgainAfterAForgottenQuestion) {
  SystemLinkPort port;
  Bytes datagram;
  ASSERT_TRUE(port.ask(request_links(1)));
  port.forget_question();
  ASSERT_TRUE(port.ask(request_statistics(2)));
  EXPECT_EQ(port.next_answer(datagram), LinkPort::Got::data);
}

TEST(SystemLinkPort, SaysThatNothingWasHeardBeforeTheFirstCall) {
  SystemLinkPort port;
  Bytes datagram;
  EXPECT_EQ(port.next_event(datagram), LinkPort::Got::lost);
  EXPECT_NE(port.next_event(datagram), LinkPort::Got::failed);
}

}  // namespace
}  // namespace virtmeter
