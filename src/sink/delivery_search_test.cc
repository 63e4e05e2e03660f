// How Delivery finds bad lines: what arrives, what is counted and put aside, and what the search costs.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "sink/test_delivery.h"

namespace virtmeter {
namespace {

using nlohmann::json;
using std::chrono::seconds;

// A database that takes no line of `bad`: with `partly` it stores the others, with `refused` nothing of the
// request. It stores a line once, however often it comes.
class PickyDatabase {
 public:
  PickyDatabase(std::set<int> bad, Verdict refusal) : refusal_(refusal) {
    for (const int number : bad) bad_.insert(test_line(number));
  }

  SendResult take(const Batch& batch) {
    std::set<std::string> good;
    std::uint64_t refused = 0;
    for (std::uint64_t i = 0; i < batch.line_count; ++i) {
      const std::string line = std::string(line_at(batch, i)) + "\n";
      if (bad_.contains(line)) {
        ++refused;
      } else {
        good.insert(line);
      }
    }
    if (refused == 0 || refusal_ == Verdict::partly) stored.merge(good);
    if (refused == 0) return verdict(Verdict::delivered);
    SendResult result = verdict(refusal_, "bad line");
    result.lost_lines = 1;  // As servers do, it counts wrongly.
    result.status = 400;
    result.words = "no good";
    return result;
  }

  std::set<std::string> stored;

 private:
  std::set<std::string> bad_;
  Verdict refusal_;
};

std::set<std::string> all_but(const std::set<int>& bad, int first, int count) {
  std::set<std::string> lines;
  for (int i = first; i < first + count; ++i) {
    if (!bad.contains(i)) lines.insert(test_line(i));
  }
  return lines;
}

class DeliverySearch : public ::testing::Test {
 protected:
  DeliverySearch() {
    std::string folder = (std::filesystem::temp_directory_path() / "virtmeter-search-XXXXXX").string();
    CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
  }
  ~DeliverySearch() override { std::filesystem::remove_all(folder_); }

  DeliveryOptions options() const {
    DeliveryOptions options = seeded();
    options.dead_letter_folder = folder_ + "/deadletter";
    return options;
  }

  std::vector<json> dead_letters() const {
    std::vector<json> letters;
    std::ifstream file(folder_ + "/deadletter/fake.ndjson");
    for (std::string line; std::getline(file, line);) letters.push_back(json::parse(line));
    return letters;
  }

  std::set<std::string> dead_lines() const {
    std::set<std::string> lines;
    for (const json& letter : dead_letters()) lines.insert(letter.at("line").get<std::string>() + "\n");
    return lines;
  }

  ManualClock clock_;

 private:
  std::string folder_;
};

TEST_F(DeliverySearch, FindsTheBadLinesAndDeliversAllOthers) {
  const auto check = [&](const std::set<int>& bad, Verdict refusal, int sends_max) {
    TestSpool spool(2000, clock_);
    PickyDatabase database(bad, refusal);
    FakeSink sink([&](const Batch& batch) { return database.take(batch); });
    Delivery delivery(spool.reader(), sink, clock_, options());
    spool.push(0, 2000);
    spool.close();
    delivery.run();
    EXPECT_EQ(database.stored, all_but(bad, 0, 2000));
    EXPECT_LE(sink.sends, sends_max);
    const ReaderCounts counts = delivery.status().lines;
    EXPECT_EQ(counts.delivered, 2000 - bad.size());
    EXPECT_EQ(rejected(counts), bad.size());
    expect_conserved(counts);
  };
  for (const Verdict refusal : {Verdict::refused, Verdict::partly, Verdict::halve}) {
    check({0}, refusal, 23);
    check({1234}, refusal, 23);
    check({1999}, refusal, 23);
    check({5, 6, 1000}, refusal, 69);
  }
}

TEST_F(DeliverySearch, PutsTheBadLinesAsideWithTheServersWords) {
  TestSpool spool(10, clock_);
  PickyDatabase database({3}, Verdict::partly);
  FakeSink sink([&](const Batch& batch) { return database.take(batch); });
  Delivery delivery(spool.reader(), sink, clock_, options());
  spool.push(0, 10);
  spool.close();
  delivery.run();
  ASSERT_EQ(dead_letters().size(), 1u);
  const std::string line = test_line(3);
  EXPECT_EQ(dead_letters()[0], json({{"time", "2023-11-14T22:13:20.000Z"},
                                     {"sink", "fake"},
                                     {"target", "nowhere"},
                                     {"cause", "test"},
                                     {"status", 400},
                                     {"words", "no good"},
                                     {"line_number", 3},
                                     {"line", line.substr(0, line.size() - 1)}}));
  EXPECT_EQ(delivery.status().dead_letters.written, 1u);
}

TEST_F(DeliverySearch, SaysWhereTheBadLinesWereToGoAfterAReload) {
  TestSpool spool(10, clock_);
  FakeSink sink([&](const Batch&) { return verdict(Verdict::refused); });
  Delivery delivery(spool.reader(), sink, clock_, options());
  sink.where = "elsewhere";
  spool.push(0, 1);
  spool.close();
  delivery.run();
  EXPECT_EQ(dead_letters().at(0).at("target"), "elsewhere");
}

TEST_F(DeliverySearch, BelievesAServerThatNamesTheLines) {
  TestSpool spool(10, clock_);
  FakeSink sink([&](const Batch&) {
    SendResult result = verdict(Verdict::delivered);
    result.named = {{1, "no tag"}, {7, "no field"}};
    result.lost_lines = 2;
    return result;
  });
  Delivery delivery(spool.reader(), sink, clock_, options());
  spool.push(0, 10);
  spool.close();
  delivery.run();
  EXPECT_EQ(sink.sends, 1);
  EXPECT_EQ(delivery.status().lines.delivered, 8u);
  EXPECT_EQ(rejected(delivery.status().lines), 2u);
  EXPECT_EQ(dead_lines(), (std::set<std::string>{test_line(1), test_line(7)}));
  EXPECT_EQ(dead_letters().at(1).at("words"), "no field");
}

// InfluxDB 3 stores nothing and names the first bad line.
TEST_F(DeliverySearch, TriesTheLineAloneThatTheServerBlames) {
  TestSpool spool(1000, clock_);
  PickyDatabase database({700}, Verdict::refused);
  FakeSink sink([&](const Batch& batch) {
    SendResult result = database.take(batch);
    if (batch.line_count == 1000) result.named = {{700, "no field"}};
    return result;
  });
  Delivery delivery(spool.reader(), sink, clock_, options());
  spool.push(0, 1000);
  spool.close();
  delivery.run();
  EXPECT_EQ(sink.sends, 4);
  EXPECT_EQ(database.stored, all_but({700}, 0, 1000));
}

TEST_F(DeliverySearch, LosesNoLineThatIsBlamedWrongly) {
  TestSpool spool(100, clock_);
  PickyDatabase database({70}, Verdict::refused);
  FakeSink sink([&](const Batch& batch) {
    SendResult result = database.take(batch);
    if (result.verdict != Verdict::delivered && batch.line_count == 100) result.named = {{3, "this one"}};
    return result;
  });
  Delivery delivery(spool.reader(), sink, clock_, options());
  spool.push(0, 100);
  spool.close();
  delivery.run();
  EXPECT_EQ(database.stored, all_but({70}, 0, 100));
  EXPECT_EQ(dead_lines(), std::set<std::string>{test_line(70)});
}

// One VM with a bad name must not cost a search in every cycle.
TEST_F(DeliverySearch, FindsASeriesAtOnceThatWasRefusedBefore) {
  TestSpool spool(1000, clock_);
  std::vector<int> sends_of_batch;
  FakeSink sink([&](const Batch& batch) {
    if (batch.line_count == 1000) sends_of_batch.push_back(0);
    ++sends_of_batch.back();
    const bool bad = batch.bytes.find("name=bad ") != std::string_view::npos;
    return verdict(bad ? Verdict::refused : Verdict::delivered);
  });
  Delivery delivery(spool.reader(), sink, clock_, options());
  for (int cycle = 0; cycle < 15; ++cycle) {
    const std::string bad = "vm_totals,name=bad v=1i " + std::to_string(cycle) + "\n";
    spool.append(test_lines(0, 500) + bad + test_lines(501, 499), 1000);
  }
  spool.close();
  delivery.run();
  ASSERT_EQ(sends_of_batch.size(), 15u);
  EXPECT_GT(sends_of_batch[0], 15);
  for (std::size_t i = 1; i < 15; ++i) EXPECT_EQ(sends_of_batch[i], 4);
  EXPECT_EQ(rejected(delivery.status().lines), 15u);
  EXPECT_EQ(delivery.status().lines.delivered, 15u * 999);
}

TEST_F(DeliverySearch, ForgetsASeriesThatIsTakenAgain) {
  TestSpool spool(10, clock_);
  std::vector<int> sends_of_batch;
  FakeSink sink([&](const Batch& batch) {
    if (batch.line_count == 10) sends_of_batch.push_back(0);
    ++sends_of_batch.back();
    const int bad = sends_of_batch.size() == 1 ? 3 : 8;
    return verdict(batch.bytes.find(test_line(bad)) != std::string_view::npos ? Verdict::refused
                                                                              : Verdict::delivered);
  });
  Delivery delivery(spool.reader(), sink, clock_, options());
  for (int i = 0; i < 3; ++i) spool.push(0, 10);
  spool.close();
  delivery.run();
  // Line 3 is tried alone once more, and taken. From then on only line 8 is.
  ASSERT_EQ(sends_of_batch.size(), 3u);
  EXPECT_GT(sends_of_batch[1], 4);
  EXPECT_EQ(sends_of_batch[2], 4);
}

TEST_F(DeliverySearch, GivesUpWhenItHasCostTooMuch) {
  const auto check = [&](Verdict refusal, std::uint64_t delivered, bool names_lines) {
    TestSpool spool(1000, clock_);
    std::set<int> bad;
    for (int i = 0; i < 1000; i += 2) bad.insert(i);
    PickyDatabase database(bad, refusal);
    FakeSink sink([&](const Batch& batch) { return database.take(batch); });
    DeliveryOptions few = options();
    few.search_requests_max = 4;
    few.search_requests_per_sec = 0;
    few.dead_letter_folder += refusal == Verdict::partly ? "-partly" : "";
    Delivery delivery(spool.reader(), sink, clock_, few);
    spool.push(0, 1000);
    spool.close();
    delivery.run();
    EXPECT_EQ(sink.sends, 5);
    EXPECT_EQ(delivery.status().lines.delivered, delivered);
    EXPECT_EQ(rejected(delivery.status().lines), 1000 - delivered);
    expect_conserved(delivery.status().lines);
    EXPECT_EQ(dead_letters().size(), names_lines ? 1000u : 0u);
    EXPECT_EQ(delivery.status().dead_letters.written, names_lines ? 1000u : 3u);
  };
  // All is stored that can be, and of each of three pieces one line is counted: that is the server's word.
  check(Verdict::partly, 997, false);
  // Nothing is stored, and all is in the dead letters.
  check(Verdict::refused, 0, true);
  EXPECT_EQ(dead_letters()[0].at("note"),
            "refused together with others; not tried alone: too many were refused before");
}

TEST_F(DeliverySearch, SearchesAgainAfterAWhile) {
  TestSpool spool(100, clock_);
  std::set<int> bad;
  for (int i = 0; i < 100; ++i) bad.insert(i);
  bad.insert(250);
  PickyDatabase database(bad, Verdict::refused);
  FakeSink sink([&](const Batch& batch) {
    if (batch.first_line == 200 && batch.line_count == 100) clock_.advance(seconds(100));
    return database.take(batch);
  });
  DeliveryOptions few = options();
  few.search_requests_max = 20;
  Delivery delivery(spool.reader(), sink, clock_, few);
  spool.push(0, 300);
  spool.close();
  delivery.run();
  EXPECT_EQ(database.stored, all_but(bad, 0, 300));
  EXPECT_EQ(rejected(delivery.status().lines), 101u);
}

TEST_F(DeliverySearch, NeedsNoBudgetForRequestsThatAreTooLarge) {
  TestSpool spool(1000, clock_);
  FakeSink sink([&](const Batch& batch) {
    return verdict(batch.line_count > 3 ? Verdict::halve : Verdict::delivered);
  });
  DeliveryOptions none = options();
  none.search_requests_max = 0;
  Delivery delivery(spool.reader(), sink, clock_, none);
  spool.push(0, 1000);
  spool.close();
  delivery.run();
  EXPECT_EQ(sink.got, test_lines(0, 1000));
  EXPECT_EQ(delivery.status().lines.delivered, 1000u);
}

TEST_F(DeliverySearch, GoesOnWhereDeadLettersCannotBeWritten) {
  const LogCapture log;
  TestSpool spool(10, clock_);
  PickyDatabase database({1, 5}, Verdict::refused);
  FakeSink sink([&](const Batch& batch) { return database.take(batch); });
  DeliveryOptions nowhere = options();
  nowhere.dead_letter_folder = "/proc/nowhere";
  Delivery delivery(spool.reader(), sink, clock_, nowhere);
  spool.push(0, 10);
  spool.close();
  delivery.run();
  EXPECT_EQ(database.stored, all_but({1, 5}, 0, 10));
  EXPECT_EQ(delivery.status().dead_letters.unwritten, 2u);
  EXPECT_EQ(delivery.status().dead_letters.written, 0u);
  std::size_t told = 0;
  for (const std::string& line : log.lines())
    told += line.find("cannot be kept") != std::string::npos ? 1 : 0;
  EXPECT_EQ(told, 1u);
}

TEST_F(DeliverySearch, ShowsOneLostLineHarmlessly) {
  const LogCapture log;
  TestSpool spool(10, clock_);
  FakeSink sink([](const Batch&) {
    SendResult result = verdict(Verdict::delivered);
    result.error = {Errc::invalid, "partial write", "look"};
    result.lost_lines = 2;
    result.named = {{1, "bad name"}};
    return result;
  });
  Delivery delivery(spool.reader(), sink, clock_, options());
  spool.append("a v=1\nb\x1b[2J" + std::string(500, 'y') + "\nc v=3\n", 3);
  spool.close();
  delivery.run();
  EXPECT_EQ(delivery.status().lines.delivered, 1u);
  EXPECT_EQ(log.lines(),
            std::vector<std::string>{"warning lines dropped: 2, because partial write; fix: look; "
                                     "one of them: b?[2J" +
                                     std::string(195, 'y') + "..."});
}

TEST_F(DeliverySearch, TellsOfLostLinesOnceAnHourPerCause) {
  const LogCapture log;
  TestSpool spool(1, clock_);
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 5) clock_.advance(std::chrono::hours(1));
    return verdict(Verdict::refused);
  });
  spool.push(0, 6);
  spool.close();
  Delivery(spool.reader(), sink, clock_, options()).run();
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[1].ends_with(" (4 times since it was last told)")) << lines[1];
}

}  // namespace
}  // namespace virtmeter
