// SPDX-License-Identifier: MIT
// What the commands share: the checks of their options, the answer to Ctrl-C, and progress. Each
// command is one file, so that a change compiles in seconds.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

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
CLI::Validator number(const char* kind, bool (*fits)(double));

/// Whole numbers in decimal digits: 010 is ten, and 08 eight. CLI11 reads them as C does, 010 as
/// eight; so this hands them on without zeros in front. Goes into Option::transform.
CLI::Validator whole(std::int64_t least, std::int64_t most);

constexpr int largest = 1000000000;  // of whole numbers; CLI11 cuts larger ones down unsaid
extern const CLI::Validator above_zero;
extern const CLI::Validator not_negative;  // but a number

/// Adds --device.
void add_device(CLI::App& app, std::string& device);

// ---- output ------------------------------------------------------------------------------------

/// What a model says: on a terminal made printable, in a file or a pipe as it is.
std::string for_standard_output(const std::string& text);

// ---- long work ---------------------------------------------------------------------------------

/// From now on the first Ctrl-C asks to stop, and the second ends the program where it is, which a
/// resumed run survives. For work that asks listener().stop; anything else ends at the first.
void catch_signals();

/// Shows what work tells of itself; stop() is whether Ctrl-C was pressed. `progress` must outlive
/// the listener.
Listener listener(Progress& progress);

}  // namespace gaze::phyx::cli
