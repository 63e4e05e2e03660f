// Names a thread as ARCHITECTURE.md, ps -L and debuggers do.
#pragma once

#include <pthread.h>

namespace virtmeter {

// At most 15 characters.
inline void name_this_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

}  // namespace virtmeter
