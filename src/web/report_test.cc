#include "web/report.h"

#include <gtest/gtest.h>

#include "web/test_report.h"

namespace virtmeter {
namespace {

TEST(SinkReport, AddsUpWhatWasDropped) {
  EXPECT_EQ(SinkReport{}.dropped_total(), 0u);
  EXPECT_EQ(healthy_report().sinks[0].dropped_total(), 10u);
}

}  // namespace
}  // namespace virtmeter
