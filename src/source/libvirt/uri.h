// A libvirt connection URI, looked at before libvirt sees it: libvirt's own answers to a typing error are
// about polkit, D-Bus or certificates (docs/troubleshooting.md). Pure functions. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace virtmeter {

struct LibvirtUri {
  std::string driver;     // "qemu", "test", ...
  std::string transport;  // "unix", "tls", "tcp", "ssh", ... ; empty: a driver inside this process.
  std::string host;       // Empty: this machine.
  std::string path;       // "/system"
  std::string socket;     // The unix socket that a read-only client connects to; empty when there is none.
};

// Fails with what is wrong and the nearest right form. Only what libvirt surely refuses is refused.
Result<LibvirtUri> parse_libvirt_uri(std::string_view text);

// Whether its VMs are processes of this machine that the kernel can be asked about.
bool is_local_qemu(const LibvirtUri& uri);

// `text` without a password that someone wrote into it.
std::string loggable_uri(std::string_view text);

}  // namespace virtmeter
