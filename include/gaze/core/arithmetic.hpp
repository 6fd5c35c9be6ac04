// SPDX-License-Identifier: MIT
// A count of the additions and multiplications that matrix products and attention asked for: what
// "the same arithmetic" between two ways of training means, whatever the machine's speed.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze {

namespace detail {
inline thread_local Index arithmetic_done = 0;
}

/// Operations that this thread asked for since it started, with those of its parallel_for bodies.
inline Index arithmetic() { return detail::arithmetic_done; }

inline void count_arithmetic(Index operations) { detail::arithmetic_done += operations; }

}  // namespace gaze
