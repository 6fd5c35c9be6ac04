// SPDX-License-Identifier: MIT
// The type of every size and index.
#pragma once
#include <cstdint>

#include "gaze/core/language.hpp"

namespace gaze {
using Index = std::int64_t;  ///< Signed, 64 bits on every system.
}
