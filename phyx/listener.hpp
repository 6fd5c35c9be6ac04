// SPDX-License-Identifier: MIT
// Progress and cancellation callbacks for long jobs.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

namespace gaze::phyx {

/// Any of the callbacks may be empty.
struct Listener {
  std::function<void(const std::string& what)> begin;  // a new phase starts
  std::function<void(std::size_t done, std::size_t all, const std::string& note)> progress;
  std::function<bool()> stop;
};

}  // namespace gaze::phyx
