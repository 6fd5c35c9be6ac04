// SPDX-License-Identifier: MIT
// Errors: one exception type, thrown through one macro, always with the operation's name.
//
//   GAZE_CHECK(k == n, "matmul", "inner sizes differ: ", a.shape(), " x ", b.shape());
//   -> gaze::Error: "[gaze::matmul] inner sizes differ: [2,3] x [4,5]"
//
// The library never exits, prints or logs; the caller decides what to do with an Error. A message
// may quote files and servers: it is one bounded line that is safe on any terminal.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

#include "gaze/core/printable.hpp"

namespace gaze {

/// The base of all of Gaze's exceptions. `where()` is the operation, `what()` the whole line.
class Error : public std::runtime_error {
 public:
  /// An error of operation `where`: [gaze::where] message, on one printable line.
  Error(std::string where, const std::string& message)
      : std::runtime_error("[gaze::" + where + "] " + printable_line(message)),
        where_(std::move(where)) {}
  const std::string& where() const noexcept { return where_; }  ///< the operation

 private:
  std::string where_;
};

/// Thrown when a stop was requested, at a point from which the saved work can be resumed.
class Interrupted : public Error {
 public:
  /// A stop at this point of operation `where`.
  explicit Interrupted(const std::string& message, std::string where = "train")
      : Error(std::move(where), message) {}
};

/// The parts as one text, each as a stream prints it. Without memory for it, std::bad_alloc.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // otherwise the text would silently end early
  (out << ... << parts);
  return out.str();
}

}  // namespace gaze

/// Throws an Error of operation `where` with the other arguments as its message.
#define GAZE_FAIL(where, ...) throw ::gaze::Error((where), ::gaze::concat(__VA_ARGS__))
/// GAZE_FAIL() unless the condition holds.
#define GAZE_CHECK(condition, where, ...)            \
  do {                                               \
    if (!(condition)) GAZE_FAIL(where, __VA_ARGS__); \
  } while (false)
