// SPDX-License-Identifier: MIT
// Includes Catch2 for every test, version 2.13 (Debian 12) or 3 (newer). Tests use Catch::Approx
// and Catch::Contains, names of version 2. Each test file keeps its names in a namespace
// test_<file>, so that files can be compiled as one.
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
