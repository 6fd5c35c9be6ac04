// SPDX-License-Identifier: MIT
// Option declarations and their conversion.
#include "phyx/cli/own_data_options.hpp"

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/study/study_file.hpp"
#include "phyx/train/prompt_template.hpp"

namespace gaze::phyx::cli {

namespace {

constexpr std::size_t longest_template_file = std::size_t{64} << 10;  // bytes

/// The file's text without the line end of its last line.
std::string read_template(const std::string& path) {
  std::string text = io::read_file(path, longest_template_file);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  check_prompt_template(text, path);
  return text;
}

}  // namespace

void OwnDataOptions::add(CLI::App& app) {
  const std::string group = "Own data (docs/own_data.md)";
  CLI::Option* own =
      app.add_option("--data", data, "JSONL of your own pictures and questions, or PhyX's tables")
          ->check(CLI::ExistingFile)
          ->group(group);
  for (const char* other : {"--corruption", "--split"}) own->excludes(app.get_option(other));
  app.add_option("--start", start, "trained model to start from; default: random weights")
      ->check(CLI::ExistingPath)
      ->excludes(app.get_option("--model"))
      ->needs(own)
      ->group(group);
  app.add_option("--prompt-template", prompt_template,
                 "file with {image}, {question} and, if wanted, {options}; of a published "
                 "checkpoint with {question} and control tokens")
      ->check(CLI::ExistingFile)
      ->needs(own)
      ->group(group);
  app.add_option("--hold-out", hold_out, "share of the pictures whose rows are evaluated")
      ->check(number("between 0 and 1", [](double x) { return x > 0 && x < 1; }))
      ->needs(own)
      ->capture_default_str()
      ->group(group);
  app.add_option("--hold-out-seed", hold_out_seed, "selects the pictures held out")
      ->transform(whole(0, largest))
      ->needs(own)
      ->capture_default_str()
      ->group(group);
  app.add_option("--sft-steps", sft_steps,
                 "supervised steps on the rows' responses before anything else; default: the "
                 "preset's for sft, else 0")
      ->transform(whole(0, largest))
      ->needs(own)
      ->group(group);
}

void OwnDataOptions::add_changes(std::vector<StudyChange>& changes, bool supervised,
                                 bool published) const {
  if (data.empty()) return;
  const bool tables = data.front().ends_with(".tsv");
  GAZE_CHECK(tables || data.size() == 1, "own_data",
             "--data takes one JSONL file, or tables of PhyX (.tsv)");
  changes.push_back(tables ? StudyChange{"own.phyx", data, "--data"}
                           : StudyChange{"own.file", data.front(), "--data"});
  changes.push_back({"own.start", start, "--start"});
  if (!prompt_template.empty())
    changes.push_back(
        published ? StudyChange{"checkpoint.prompt",
                                io::read_file(prompt_template, longest_template_file),
                                "--prompt-template"}
                  : StudyChange{"own.prompt", read_template(prompt_template), "--prompt-template"});
  changes.push_back({"own.hold_out", hold_out, "--hold-out"});
  changes.push_back({"own.hold_out_seed", hold_out_seed, "--hold-out-seed"});
  const char* steps = published && supervised ? "sft.steps" : "warm_start.clean_steps";
  if (sft_steps || !supervised) changes.push_back({steps, sft_steps.value_or(0), "--sft-steps"});
}

}  // namespace gaze::phyx::cli
