#include "spool/cursor_file.h"

namespace virtmeter {

CursorFile::CursorFile(FileSystem& files, std::string folder, std::string_view reader, std::uint64_t version)
    : files_(files),
      folder_(std::move(folder)),
      path_(folder_ + "/" + cursor_name(reader)),
      version_(version) {}

Status CursorFile::open() {
  if (file_) return Status::ok();
  auto file = files_.open(path_, OpenMode::read_or_create);
  if (!file) return std::move(file).error();
  file_ = std::move(file).value();
  return files_.sync_folder(folder_);
}

Status CursorFile::save(CursorSlot slot) {
  Status status = open();
  if (status) {
    // Not counted up before it is written: a failed write may only ever hurt the older slot.
    slot.version = version_ + 1;
    status = file_->write_at(encode(slot), slot.version % kCursorSlots * kCursorSlotBytes);
  }
  if (status) status = file_->sync();
  if (status) {
    ++version_;
  } else {
    file_.reset();
  }
  return status;
}

}  // namespace virtmeter
