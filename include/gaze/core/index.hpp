// SPDX-License-Identifier: MIT
// The type of every size and index.
#pragma once
#include <cstdint>

namespace gaze {
using Index = std::int64_t;
}
