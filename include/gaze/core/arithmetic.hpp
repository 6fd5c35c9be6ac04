// SPDX-License-Identifier: MIT
// Counts the additions and multiplications of matrix products and attention, to match the
// arithmetic of two ways of training independently of the machine's speed.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze {

namespace detail {
inline thread_local Index arithmetic_done = 0;
}

/// Operations of this thread since it started, including those of its parallel_for bodies.
inline Index arithmetic() { return detail::arithmetic_done; }

/// Adds to arithmetic() of this thread.
inline void count_arithmetic(Index operations) { detail::arithmetic_done += operations; }

}  // namespace gaze
