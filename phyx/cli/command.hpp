// SPDX-License-Identifier: MIT
// What the commands share: the checks of their options, the answer to Ctrl-C, and progress. Each
// command is one file, so that a change compiles in seconds.
#pragma once
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>

#include "gaze/core/printable.hpp"
#include "phyx/cli/progress.hpp"
#include "phyx/listener.hpp"

namespace gaze::phyx::cli {

/// Each adds its commands to the program. `line` is the whole command line, for config.json.
void add_training(CLI::App& app, const std::string& line);
void add_synth(CLI::App& app);
void add_eval(CLI::App& app);
void add_score(CLI::App& app);
void add_report(CLI::App& app);
void add_ask(CLI::App& app);
void add_info(CLI::App& app);

// ---- options -----------------------------------------------------------------------------------

/// A command whose options are a struct with add(CLI::App&) and run().
template <class Options>
CLI::App* add_command(CLI::App& app, const char* name, const char* meaning) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(name, meaning);
  options->add(*command);
  command->callback([options] { options->run(); });
  return command;
}

/// Numbers of a kind; unlike CLI11's own, not even NaN gets past them.
inline CLI::Validator number(const char* kind, bool (*fits)(double)) {
  return CLI::Validator(
      [kind, fits](const std::string& text) {
        double value = 0;
        const bool good =
            CLI::detail::lexical_cast(text, value) && std::isfinite(value) && fits(value);
        return good ? std::string() : "must be a number " + std::string(kind) + ", got " + text;
      },
      "NUMBER");
}

/// Whole numbers in decimal digits: 010 is ten, and 08 eight. CLI11 reads them as C does, 010 as
/// eight; so this hands them on without zeros in front. Goes into Option::transform.
inline CLI::Validator whole(std::int64_t least, std::int64_t most) {
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
constexpr int largest = 1000000000;  // of whole numbers; CLI11 cuts larger ones down unsaid
inline const CLI::Validator above_zero = number("above 0", [](double x) { return x > 0; });
inline const CLI::Validator not_negative = number("of at least 0", [](double x) { return x >= 0; });

inline void add_device(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "cpu, cuda, or auto: cuda where there is one")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
}

// ---- output ------------------------------------------------------------------------------------

/// What a model says: on a terminal made printable, in a file or a pipe as it is.
inline std::string for_standard_output(const std::string& text) {
  return isatty(STDOUT_FILENO) ? printable(text, text.npos, LineBreaks::kept) : text;
}

// ---- long work ---------------------------------------------------------------------------------

inline std::atomic<bool> stop_asked{false};

/// The first Ctrl-C asks; the second ends the program where it is, which a resumed run survives.
inline void ask_to_stop(int signal) {
  stop_asked = true;
  std::signal(signal, SIG_DFL);
}

/// For work that looks at stop_asked; anything else ends at the first Ctrl-C.
inline void catch_signals() {
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
}

inline Listener listener(Progress& progress) {
  return {[&](const std::string& what) { progress.begin(what); },
          [&](std::size_t done, std::size_t all, const std::string& note) {
            progress.update(done, all, note);
          },
          [] { return stop_asked.load(); }};
}

}  // namespace gaze::phyx::cli
