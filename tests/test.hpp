// SPDX-License-Identifier: MIT
// The one header through which every test sees Catch2, version 2.13 (Debian 12) or 3 (newer). Tests
// write Catch::Approx and Catch::Contains, names of version 2 that version 3 has moved.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#include <string>

namespace Catch {
/// Matches a string in which `part` occurs.
inline auto Contains(const std::string& part) { return Matchers::ContainsSubstring(part); }
}  // namespace Catch
#else
#include <catch2/catch.hpp>
namespace Catch {
using Detail::Approx;
}
#endif
