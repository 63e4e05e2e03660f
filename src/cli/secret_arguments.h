// Secrets on the command line are for everybody to see in /proc/<pid>/cmdline; this takes them out of there.
// Main thread only, and as early as may be.
#pragma once

namespace virtmeter {

// Overwrites the value of every secret option in `argv`, which must be main's own, in place.
void wipe_secret_arguments(int argc, char** argv);

}  // namespace virtmeter
