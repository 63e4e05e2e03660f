#include "sampler/cycle_pool.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/mutex.h"

namespace virtmeter {
namespace {

TEST(CyclePool, FillsACycleAgainThatNobodyHolds) {
  CyclePool pool;
  std::shared_ptr<Cycle> cycle = pool.take();
  const Cycle* const first = cycle.get();
  cycle->vms.resize(3);
  cycle.reset();
  cycle = pool.take();
  EXPECT_EQ(cycle.get(), first);
  EXPECT_EQ(cycle->vms.size(), 3u) << "with its storage";
}

TEST(CyclePool, LeavesACycleAloneThatIsHeld) {
  CyclePool pool;
  const std::shared_ptr<const Cycle> held = pool.take();
  const std::shared_ptr<const Cycle> other = pool.take();
  EXPECT_NE(held, other);
  EXPECT_EQ(pool.kept(), 2u);
}

TEST(CyclePool, KeepsAFewOnly) {
  CyclePool pool;
  std::vector<std::shared_ptr<const Cycle>> held;
  for (std::size_t i = 0; i < CyclePool::kKept + 3; ++i) held.push_back(pool.take());
  EXPECT_EQ(pool.kept(), CyclePool::kKept);
}

// Says something under the thread sanitizer only.
TEST(CyclePool, TakesBackWhatAnotherThreadHasRead) {
  CyclePool pool;
  Mutex mutex;
  std::shared_ptr<const Cycle> published;
  bool done = false;
  std::uint64_t sum = 0;
  std::thread reader([&] {
    for (;;) {
      std::shared_ptr<const Cycle> cycle;
      {
        const MutexLock lock(mutex);
        if (done) return;
        cycle = published;
      }
      if (cycle) sum += cycle->number;
    }
  });
  for (std::uint64_t i = 0; i < 2000; ++i) {
    std::shared_ptr<Cycle> cycle = pool.take();
    cycle->number = i;
    const MutexLock lock(mutex);
    published = cycle;
  }
  {
    const MutexLock lock(mutex);
    done = true;
  }
  reader.join();
  EXPECT_LE(pool.kept(), CyclePool::kKept);
}

}  // namespace
}  // namespace virtmeter
