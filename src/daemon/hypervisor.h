// From settings to the parts that read a hypervisor. Not thread-safe.
#pragma once

#include <memory>

#include "base/clock.h"
#include "codec/line_protocol.h"
#include "config/settings.h"
#include "source/source.h"

namespace virtmeter {

// The source that the settings name. It connects at its first read; EventThread must run by then. `clock`
// must outlive it.
Result<std::unique_ptr<Source>> open_hypervisor(const Settings& settings, const Clock& clock);

// Whether this host's kernel is asked for what it knows of the VMs.
bool asks_kernel(const Settings& settings);

MissingPolicy missing_policy(const Settings& settings);

}  // namespace virtmeter
