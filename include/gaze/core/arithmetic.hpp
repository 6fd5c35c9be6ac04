// SPDX-License-Identifier: MIT
// A count of the additions and multiplications that matrix products and attention asked for: what
// "the same arithmetic" between two ways of training means, whatever the machine's speed.
#pragma once
#include <atomic>

#include "gaze/core/index.hpp"

namespace gaze {

namespace detail {
inline std::atomic<Index> arithmetic_done{0};
}

/// Operations since the program started.
inline Index arithmetic() { return detail::arithmetic_done.load(std::memory_order_relaxed); }

inline void count_arithmetic(Index operations) {
  detail::arithmetic_done.fetch_add(operations, std::memory_order_relaxed);
}

}  // namespace gaze
