// SPDX-License-Identifier: MIT
// Whom a long job tells what it does, and asks whether to stop.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

namespace gaze::phyx {

/// Everything may be empty.
struct Listener {
  std::function<void(const std::string& what)> begin;  // a new piece of work
  std::function<void(std::size_t done, std::size_t all, const std::string& note)> progress;
  std::function<bool()> stop;
};

}  // namespace gaze::phyx
