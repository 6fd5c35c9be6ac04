// SPDX-License-Identifier: MIT
// Shared by all commands: option validators, Ctrl-C, and progress. Each command is one file, so
// that a change compiles in seconds.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "phyx/cli/progress.hpp"
#include "phyx/listener.hpp"

namespace gaze::phyx::cli {

/// Each adds its commands to the program. `line`: the whole command line, for config.json.
void add_training(CLI::App& app, const std::string& line);
void add_synth(CLI::App& app);
void add_eval(CLI::App& app);
void add_score(CLI::App& app);
void add_report(CLI::App& app);
void add_ask(CLI::App& app);
void add_info(CLI::App& app);
void add_logits(CLI::App& app);
void add_serve(CLI::App& app);

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

/// Accepts finite numbers that satisfy `fits`; CLI11's own validators let NaN pass.
CLI::Validator number(const char* kind, bool (*fits)(double));

/// Accepts integers in decimal digits: 010 is ten. CLI11 would read it as octal, so this removes
/// leading zeros; pass it to Option::transform.
CLI::Validator whole(std::int64_t least, std::int64_t most);

constexpr int largest = 1000000000;  // CLI11 silently truncates larger integers
extern const CLI::Validator above_zero;
extern const CLI::Validator not_negative;

/// Adds --device.
void add_device(CLI::App& app, std::string& device);

// ---- output ------------------------------------------------------------------------------------

/// Text of a model: made printable for a terminal, unchanged for a file or a pipe.
std::string for_standard_output(const std::string& text);

// ---- long work ---------------------------------------------------------------------------------

/// From now on the first Ctrl-C requests a stop through listener().stop, and the second ends the
/// program at once, after which a run can still be resumed.
void catch_signals();

/// Whether Ctrl-C was pressed, or the program asked to end, after catch_signals().
bool stop_requested();

/// Forwards callbacks to `progress`, which must outlive the listener; stop() returns whether Ctrl-C
/// was pressed.
Listener listener(Progress& progress);

}  // namespace gaze::phyx::cli
