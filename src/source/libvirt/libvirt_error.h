// libvirt's last error of this thread as an Error in an operator's words, with the fix
// (docs/troubleshooting.md). virGetLastError() is per thread, so call these right after the failing call, on
// the same thread.
#pragma once

#include <libvirt/virterror.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "source/libvirt/uri.h"

namespace virtmeter {

// The error of a failed call on an open connection: "<what>: <libvirt's words>". Its kind is not_found when
// the VM is gone, invalid when this driver or daemon does not have the call, else unavailable.
Error last_call_error(std::string_view what);

// The error of a failed virConnectOpen of `uri`.
Error last_connect_error(std::string_view uri_text, const LibvirtUri& uri);

// Pure form of the above, for tests: code, domain and int1 are those of a virError.
struct LibvirtFailure {
  int code = 0;
  int domain = 0;
  int errno_value = 0;
  std::string message;
};
Error explain_connect_failure(const LibvirtFailure& failure, std::string_view uri_text,
                              const LibvirtUri& uri);

// What the last failed call means for what comes next.
enum class CallFailure { domain_gone, unsupported, connection_lost, other };
CallFailure classify_last_error();

// Keeps libvirt from printing every error to stderr. Once, before the first call.
void silence_libvirt_errors();

}  // namespace virtmeter
