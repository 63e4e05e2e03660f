// What the thread sanitizer is to overlook in test programs that connect to a daemon. Included once in each.
// libvirt is not built with the sanitizer, which so cannot see that libvirt's counted references order the
// last use of a client before its end on the event thread.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
extern "C" const char* __tsan_default_suppressions();  // NOLINT: the sanitizer's name.
extern "C" const char* __tsan_default_suppressions() { return "race:libvirt.so.0\n"; }
#endif
#endif
