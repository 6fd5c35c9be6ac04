// SPDX-License-Identifier: MIT
// Progress on stderr: a bar with rate and remaining time, at most as wide as the terminal; plain
// lines if stderr is not a terminal or cannot move its cursor.
#pragma once
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gaze/core/printable.hpp"

namespace gaze::phyx {

class Progress {
 public:
  Progress() : terminal_(moves_cursor()) {}
  ~Progress() { end_line(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Starts a new phase.
  void begin(const std::string& what) {
    end_line();
    std::fprintf(stderr, "%s\n", printable_line(what).c_str());
    restart();
  }

  void update(std::size_t done, std::size_t all, const std::string& about) {
    if (done < last_) restart();  // the next stage of the same phase
    if (last_ == 0) {             // a resumed stage does not start at 0
      first_ = done;
      start_ = seconds();
    }
    last_ = done;
    const double now = seconds() - start_;
    const bool finished = done >= all;
    if (!finished && now - shown_ < (terminal_ ? 0.1 : 10)) return;
    shown_ = now;
    const std::string line = text(done, all, now, printable(about, 150));
    if (!terminal_) {
      std::fprintf(stderr, "  %s\n", line.c_str());
      return;
    }
    std::fprintf(stderr, "\r%s\033[K", fitted(bar(done, all), line, columns()).c_str());
    open_ = true;
    if (finished) end_line();
  }

  /// One line for a terminal of this width: without the bar if both do not fit, truncated if the
  /// text alone does not. The last column stays empty, because some terminals wrap there.
  static std::string fitted(const std::string& bar, const std::string& text, std::size_t columns) {
    const std::size_t most = std::max<std::size_t>(columns, 2) - 1;
    std::string out = "  [" + bar + "] " + text;
    if (width(out) > most) out = "  " + text;
    while (width(out) > most) out.pop_back();
    return out;
  }

 private:
  /// Number of UTF-8 characters, including a truncated one.
  static std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
  }
  static bool moves_cursor() {
    const char* const kind = std::getenv("TERM");
    return isatty(STDERR_FILENO) != 0 && kind && *kind && std::string_view(kind) != "dumb";
  }
  /// Current width of the terminal; 80 if unknown.
  static std::size_t columns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  }
  std::string text(std::size_t done, std::size_t all, double now, const std::string& note) const {
    std::string out = std::to_string(done) + "/" + std::to_string(all) + "  ";
    out.insert(0, std::max<std::size_t>(5, out.find('/')) - out.find('/'), ' ');
    if (now > 0 && done > first_) {
      const double rate = static_cast<double>(done - first_) / now;
      char text[32];
      std::snprintf(text, sizeof text, "%6.1f/s  ", rate);
      const double left = static_cast<double>(all - std::min(done, all)) / rate;
      out += text + clock_text(left) + " left  ";
    }
    return out + note;
  }
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
