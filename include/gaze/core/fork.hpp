// SPDX-License-Identifier: MIT
// Handlers for fork(): the child has only the calling thread, so the pool's threads are gone there,
// and a mutex held by another thread would stay locked forever.
#pragma once
#include <mutex>
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "gaze/core/error.hpp"

namespace gaze::detail {

/// Registers handlers for every later fork(): `before` and `parent` run on the forking thread,
/// `child` in the child. The last registered runs first.
inline void at_fork(void (*before)(), void (*parent)(), void (*child)()) {
#if defined(__unix__) || defined(__APPLE__)
  GAZE_CHECK(::pthread_atfork(before, parent, child) == 0, "fork", "no memory for its handlers");
#else
  static_cast<void>(before), static_cast<void>(parent), static_cast<void>(child);
#endif
}

/// A process-wide mutex, one per Tag, that is free in a forked child.
template <class Tag>
class ProcessMutex {
 public:
  static std::mutex& get() {
    static const bool registered = (at_fork([] { mutex_.lock(); }, release, release), true);
    static_cast<void>(registered);
    return mutex_;
  }

 private:
  static void release() { mutex_.unlock(); }
  static inline std::mutex mutex_;
};

}  // namespace gaze::detail
