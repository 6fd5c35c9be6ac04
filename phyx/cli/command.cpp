// SPDX-License-Identifier: MIT
// Option validators, signal handlers, and the progress listener.
#include "phyx/cli/command.hpp"

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cmath>
#include <csignal>
#include <system_error>

#include "gaze/core/printable.hpp"

namespace gaze::phyx::cli {

namespace {

std::atomic<bool> stop_asked{false};

void ask_to_stop(int signal) {
  stop_asked = true;
  std::signal(signal, SIG_DFL);
}

}  // namespace

CLI::Validator number(const char* kind, bool (*fits)(double)) {
  return CLI::Validator(
      [kind, fits](const std::string& text) {
        double value = 0;
        const bool good =
            CLI::detail::lexical_cast(text, value) && std::isfinite(value) && fits(value);
        return good ? std::string() : "must be a number " + std::string(kind) + ", got " + text;
      },
      "NUMBER");
}

CLI::Validator whole(std::int64_t least, std::int64_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  return CLI::Validator(
      [=](std::string& text) {
        std::int64_t value = 0;
        const char* end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, value);
        const bool digits = read.ptr == end && !text.empty();
        if (!digits || read.ec == std::errc::invalid_argument)
          return "must be a whole number in decimal digits, got " + text;
        if (read.ec != std::errc() || value < least || value > most)
          return "Value " + text + " not in range " + range;
        text = std::to_string(value);
        return std::string();
      },
      "INT from " + range);
}

const CLI::Validator above_zero = number("above 0", [](double x) { return x > 0; });
const CLI::Validator not_negative = number("of at least 0", [](double x) { return x >= 0; });

void add_device(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "cpu, cuda, or auto (cuda if available)")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
}

std::string for_standard_output(const std::string& text) {
  return isatty(STDOUT_FILENO) ? printable(text, text.npos, LineBreaks::kept) : text;
}

void catch_signals() {
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
}

bool stop_requested() { return stop_asked; }

Listener listener(Progress& progress) {
  return {[&](const std::string& what) { progress.begin(what); },
          [&](std::size_t done, std::size_t all, const std::string& note) {
            progress.update(done, all, note);
          },
          stop_requested};
}

}  // namespace gaze::phyx::cli
