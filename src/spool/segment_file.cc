#include "spool/segment_file.h"

namespace virtmeter {

SegmentFile::SegmentFile(std::unique_ptr<File> file, std::string name, const SegmentHeader& header)
    : file_(std::move(file)),
      name_(std::move(name)),
      created_{std::chrono::nanoseconds(header.created_boot_ns)} {}

Result<std::unique_ptr<SegmentFile>> SegmentFile::create(FileSystem& files, const std::string& folder,
                                                         const SegmentHeader& header,
                                                         std::uint64_t reserve_bytes) {
  const std::string name = segment_name(header.first_line, header.ordinal);
  const std::string path = folder + "/" + name;
  auto file = files.open(path, OpenMode::create_new);
  if (!file) return std::move(file).error();
  std::unique_ptr<SegmentFile> segment(new SegmentFile(std::move(file).value(), name, header));
  Status status = segment->file_->reserve(reserve_bytes);
  if (status) status = segment->append(encode(header));
  // The header must be safe before its name is: an empty file says nothing.
  if (status) status = segment->sync();
  if (status) status = files.sync_folder(folder);
  if (status) return segment;
  // The error that counts is the first one.
  const Status removed = files.remove(path);
  static_cast<void>(removed);
  return std::move(status).error();
}

void SegmentFile::release_room() {
  const Status released = file_->release_reserved();
  static_cast<void>(released);
}

Status SegmentFile::append(std::string_view records) {
  if (Status status = file_->write_at(records, bytes_); !status) return status;
  bytes_ += records.size();
  return Status::ok();
}

}  // namespace virtmeter
