// SPDX-License-Identifier: MIT
// The output folder of an evaluation: its configuration, the log of answers, and the files written
// from the log (listed in phyx/eval/files.hpp).
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/append_log.hpp"
#include "gaze/io/folder_lock.hpp"
#include "gaze/io/json.hpp"
#include "phyx/completion.hpp"
#include "phyx/data/table.hpp"
#include "phyx/eval/evaluation_settings.hpp"
#include "phyx/eval/published_model.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

struct EvalSettings {
  std::string model, out;
  std::vector<std::string> data;
  LoadOptions reading;
  EvaluationSettings evaluation;
  PublishedSettings published;
  bool resume = false;
};

/// The model's files, the device and its instruction set.
struct Answerer {
  std::vector<std::string> weights_files;
  std::string tokenizer_file;
  std::map<std::string, std::string> prompt_files;  // of a published checkpoint, by what they are
  std::string device, instruction_set;
};

class EvaluationFolder {
 public:
  /// A problem: index of its data file, and its row there.
  using Place = std::pair<std::size_t, std::size_t>;

  explicit EvaluationFolder(EvalSettings settings) : s_(std::move(settings)) {}

  /// Reads all texts, and all pictures in separate files, so that unreadable input is found before
  /// the work starts. Returns the number of problems.
  std::size_t survey();

  /// Records everything that determines the answers; call after survey().
  void configure(const Answerer& by);

  /// Locks the folder if it exists and checks that it belongs to this evaluation. Returns the
  /// number of answered problems.
  std::size_t open();

  /// Creates the folder with the first answers. Throws Error if another process was faster.
  void begin();

  /// The log of answers, to append to.
  io::AppendLog open_log() const { return io::AppendLog(log_path(), "{\"index\":"); }

  /// A problem's line in the log.
  static std::string line(const Example& e, const phyx::Completion& c, const Outcome& outcome,
                          const Place& place);

  /// Writes all other files from the log. Returns the rows of results.csv.
  std::vector<ResultRow> finish() const;

  /// Unlocks the folder.
  void release() { lock_.reset(); }

 private:
  /// SHA-256 of a data file and of its pictures in separate files; empty if there are none.
  struct DataDigest {
    std::string file, pictures;
  };

  std::string log_path() const { return s_.out + "/predictions.jsonl"; }
  std::string config_path() const { return s_.out + "/eval.json"; }

  /// Checks the folder. Returns the number of answered problems.
  std::size_t prepare() const;

  /// Counts the lines of the log, and removes an unfinished one of a killed run.
  std::size_t whole_lines() const;

  /// Writes the official layout and table of one data file.
  void write_predictions(std::size_t file,
                         const std::map<std::size_t, std::string>& predictions) const;

  EvalSettings s_;
  std::optional<io::FolderLock> lock_;
  std::vector<DataDigest> digests_;  // of the data files
  io::OrderedJson config_;
};

}  // namespace gaze::phyx
