// SPDX-License-Identifier: MIT
// The folder of an evaluation of files: its configuration, the log of answers, and what is written
// from the log at the end (phyx/eval/files.hpp lists the files).
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
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

struct EvalSettings {
  std::string model, out;
  std::vector<std::string> data;
  LoadOptions reading;
  EvaluationSettings evaluation;
  bool resume = false;
};

/// What answers: the model's files, the device, and its kernels' name.
struct Answerer {
  std::string weights_file, tokenizer_file, device, instruction_set;
};

class EvaluationFolder {
 public:
  /// Of a problem: which of the data files, and its row there.
  using Place = std::pair<std::size_t, std::size_t>;

  explicit EvaluationFolder(EvalSettings settings) : s_(std::move(settings)) {}

  /// Reads every text of every file once, and every picture that has a file of its own, so that
  /// what cannot be read is known before the work. Returns how many problems there are.
  std::size_t survey();

  /// Says what decides the answers; call it after survey().
  void configure(const Answerer& by);

  /// Takes the folder if it is there, and checks that it is this evaluation's. Returns how many
  /// problems are answered in it.
  std::size_t open();

  /// The folder comes into being with the first answers, unless another process was faster.
  void begin();

  /// The log of answers, to append to.
  io::AppendLog open_log() const { return io::AppendLog(log_path(), "{\"index\":"); }

  /// A problem's line in the log.
  static std::string line(const Example& e, const phyx::Completion& c, const Outcome& outcome,
                          const Place& place);

  /// Everything else from the log, which is all there is to an evaluation: the other files; the
  /// rows of results.csv.
  std::vector<ResultRow> finish() const;

  /// Lets the folder go.
  void release() { lock_.reset(); }

 private:
  /// A file's digest, and that of the pictures in files beside it: empty where there are none.
  struct DataDigest {
    std::string file, pictures;
  };

  std::string log_path() const { return s_.out + "/predictions.jsonl"; }
  std::string config_path() const { return s_.out + "/eval.json"; }

  /// Checks the folder. Returns how many problems are answered in it.
  std::size_t prepare() const;

  /// Counts the lines of the log, and cuts off what a killed run left of one.
  std::size_t whole_lines() const;

  /// The official layout and table of one data file.
  void write_predictions(std::size_t file,
                         const std::map<std::size_t, std::string>& predictions) const;

  EvalSettings s_;
  std::optional<io::FolderLock> lock_;
  std::vector<DataDigest> digests_;  // of the data files
  io::OrderedJson config_;
};

}  // namespace gaze::phyx
