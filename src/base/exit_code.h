// The process's exit codes: sysexits.h, whose names systemd prints in "status=78/CONFIG".
#pragma once

#include "base/result.h"

namespace virtmeter {

enum class ExitCode : int {
  ok = 0,
  usage = 64,
  bad_data = 65,
  no_input = 66,
  unavailable = 69,
  bug = 70,
  io_error = 74,
  temporary = 75,
  permission = 77,
  settings = 78,
};

constexpr ExitCode exit_code_of(Errc code) {
  switch (code) {
    case Errc::not_found:
      return ExitCode::no_input;
    case Errc::invalid:
      return ExitCode::settings;
    case Errc::corrupt:
      return ExitCode::bad_data;
    case Errc::unavailable:
    case Errc::timeout:
      return ExitCode::unavailable;
    case Errc::permission:
      return ExitCode::permission;
    case Errc::limit:
      return ExitCode::temporary;
    case Errc::io:
      return ExitCode::io_error;
  }
  return ExitCode::bug;
}

}  // namespace virtmeter
