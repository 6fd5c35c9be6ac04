// SPDX-License-Identifier: MIT
// Progress on the terminal: a bar with rate and time left, plain lines where there is no terminal.
// (Debian packages no C++ library for it.)
#pragma once
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "gaze/core/printable.hpp"

namespace gaze::phyx {

class Progress {
 public:
  Progress() : terminal_(isatty(fileno(stderr)) != 0) {}
  ~Progress() { end_line(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A new piece of work.
  void begin(const std::string& what) {
    end_line();
    std::fprintf(stderr, "%s\n", printable_line(what).c_str());
    restart();
  }

  void update(std::size_t done, std::size_t all, const std::string& about) {
    if (done < last_) restart();  // the next stage of the same work
    if (last_ == 0) {             // a resumed stage does not begin at 0
      first_ = done;
      start_ = seconds();
    }
    last_ = done;
    const double now = seconds() - start_;
    const bool finished = done >= all;
    if (!finished && now - shown_ < (terminal_ ? 0.1 : 10)) return;
    shown_ = now;
    const std::string note = printable(about, 150);
    char line[256];
    if (now > 0 && done > first_) {
      const double rate = static_cast<double>(done - first_) / now;
      std::snprintf(line, sizeof line, "%5zu/%zu  %6.1f/s  %s left  %s", done, all, rate,
                    clock_text(static_cast<double>(all - done) / rate).c_str(), note.c_str());
    } else {
      std::snprintf(line, sizeof line, "%5zu/%zu  %s", done, all, note.c_str());
    }
    if (!terminal_) {
      std::fprintf(stderr, "  %s\n", line);
      return;
    }
    std::fprintf(stderr, "\r  [%s] %s\033[K", bar(done, all).c_str(), line);
    open_ = true;
    if (finished) end_line();
  }

 private:
  static double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  static std::string clock_text(double s) {
    char text[32];
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(s) / 60, static_cast<int>(s) % 60);
    return text;
  }
  static std::string bar(std::size_t done, std::size_t all) {
    constexpr std::size_t width = 24;
    const std::size_t full = all ? done * width / all : width;
    return std::string(full, '#') + std::string(width - full, ' ');
  }
  void restart() {
    start_ = seconds();
    shown_ = -1e9;
    last_ = first_ = 0;
  }
  void end_line() {
    if (open_) std::fputc('\n', stderr);
    open_ = false;
  }

  bool terminal_, open_ = false;
  double start_ = seconds(), shown_ = -1e9;
  std::size_t last_ = 0, first_ = 0;
};

}  // namespace gaze::phyx
