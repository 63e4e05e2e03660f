#include "spool/spool.h"

#include <algorithm>

#include "base/check.h"
#include "spool/spool_core.h"
#include "spool/spool_writer.h"

namespace virtmeter {

Result<std::unique_ptr<Spool>> Spool::open(SpoolOptions options, std::vector<std::string> reader_names,
                                           FileSystem& files, const Clock& clock) {
  auto core = std::make_unique<SpoolCore>(std::move(options), reader_names, files, clock);
  auto writer = std::make_unique<SpoolWriter>(*core, reader_names);
  if (Status status = writer->open(); !status) return std::move(status).error();
  std::unique_ptr<Spool> spool(new Spool(std::move(core), std::move(writer), std::move(reader_names)));
  return spool;
}

Spool::Spool(std::unique_ptr<SpoolCore> core, std::unique_ptr<SpoolWriter> writer,
             std::vector<std::string> reader_names)
    : core_(std::move(core)), names_(std::move(reader_names)), writer_(std::move(writer)) {
  for (std::size_t i = 0; i < names_.size(); ++i)
    readers_.push_back(std::make_unique<SpoolReader>(*core_, i));
}

Spool::~Spool() = default;

void Spool::append(std::string_view lines, std::uint64_t line_count, WallTime time, AppendWake wakes) {
  core_->append(lines, line_count, time);
  if (wakes == AppendWake::now) core_->wake();
}

void Spool::wake() { core_->wake(); }

SpoolReader& Spool::reader(std::string_view name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  CHECK(found != names_.end());
  return *readers_[static_cast<std::size_t>(found - names_.begin())];
}

void Spool::run() {
  while (writer_->wait_for_work()) writer_->round();
  writer_->finish();
}

bool Spool::write_pending() { return writer_->round(); }

void Spool::finish() { writer_->finish(); }

void Spool::request_stop() {
  const MutexLock lock(core_->mutex);
  core_->stop_requested = true;
  core_->writer_wakes.notify_all();
}

SpoolStatus Spool::status() const { return core_->get_status(); }

}  // namespace virtmeter
