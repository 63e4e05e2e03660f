// Whether somebody takes connections where a libvirt URI leads, asked before libvirt connects: libvirt
// connects without a time limit, and until it has done so there is nothing that could be hung up.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "source/libvirt/uri.h"

namespace virtmeter {

struct TcpTarget {
  std::string host;
  std::string port;  // A number.
};

// Where libvirt itself connects by TCP for this URI; empty where it does not, or starts a program that does
// (ssh).
std::optional<TcpTarget> tcp_target(const LibvirtUri& uri);

// An error of kind timeout when nobody took a connection within `limit`, not counting the look-up of a name.
// Whatever else is wrong (refused, no such host, no permission) is ok here: libvirt's own words about it are
// better.
Status reach(const LibvirtUri& uri, std::chrono::nanoseconds limit);

}  // namespace virtmeter
