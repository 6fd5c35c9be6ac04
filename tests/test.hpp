// SPDX-License-Identifier: MIT
// The one header through which every test sees Catch2, version 2.13 (Debian 12) or 3 (newer).
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
namespace Catch {
using Detail::Approx;
}
#endif
