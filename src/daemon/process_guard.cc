#include "daemon/process_guard.h"

#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace virtmeter {

Status refuse_borrowed_rights() {
  if (getauxval(AT_SECURE) == 0) return Status::ok();
  return Error{
      Errc::permission, "virtmeter runs with more rights than its user has",
      "take away the setuid or setgid bit (chmod ug-s) and file capabilities (setcap -r); start it as "
      "the user it is to be"};
}

void close_new_files_to_others() { umask(0027); }

void leave_no_core() {
  const rlimit none{0, 0};
  static_cast<void>(setrlimit(RLIMIT_CORE, &none));
  static_cast<void>(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

}  // namespace virtmeter
