// SPDX-License-Identifier: MIT
// A run on one's own data: its settings, the checks before it starts, and its rows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/problem.hpp"
#include "phyx/rewards/required_fields.hpp"

namespace gaze::phyx {

struct AblationSettings;

struct OwnDataSettings {
  std::string file;  // JSONL (docs/own_data.md); empty, and no `phyx`: the synthetic suite
  std::vector<std::string> phyx;  // PhyX's files instead, such as those of both forms
  std::string start;              // folder or file of a trained model; empty: random weights
  std::string prompt;             // prompt template; empty: that of `start`, or the default
  double hold_out = 0.2;          // share of the pictures held out for evaluation
  std::uint64_t hold_out_seed = 0;

  bool used() const { return !file.empty() || !phyx.empty(); }
  std::vector<std::string> files() const {
    return file.empty() ? phyx : std::vector<std::string>{file};
  }
};

/// How rows are read: pictures are not, for a model that reads text only, and may be missing for a
/// published checkpoint.
LoadOptions own_reading(const AblationSettings& s);

/// Checks the settings and sets those of a run on one's own data that follow from them: `model`
/// and the prompt from `start`; the warm start consists of its `clean_steps` alone, on the rows'
/// responses. Throws SettingError for a missing file or start, and an invalid template.
void settle_own_data(AblationSettings& s);

/// The names of the files without their folders: "a.tsv, b.tsv".
std::string own_names(const OwnDataSettings& own);

/// The full paths of the files and the start, one per line: equal for runs on the same ones.
std::string own_paths(const OwnDataSettings& own);

/// What the parts of a run read from rows.
struct OwnDataNeeds {
  std::string responses;              // the first part that imitates responses; empty: none
  bool answers = false;               // training by reward
  std::vector<RequiredField> fields;  // of the rewards

  /// The needs of the wanted conditions and of the warm start.
  static OwnDataNeeds of(const AblationSettings& s);
};

/// The response to imitate of a PhyX problem, which has none of its own: it names the subfield, or
/// else the domain, in its think element, and gives the answer.
std::string phyx_response(const Problem& p);

/// The rows of a file or of PhyX's, checked and split.
class OwnData {
 public:
  /// Reads the whole files and decodes every picture. Throws Error for the first malformed row, for
  /// a missing column (file, line and column), and if a reward needs a field that a row lacks
  /// (reward, file, line and field).
  OwnData(const OwnDataSettings& settings, const OwnDataNeeds& needs, LoadOptions reading = {});

  /// SHA-256 by name: the files, their pictures in separate files, and the starting model.
  const io::Json& files() const { return files_; }

  /// The split, one line per row: {"line": 1, "id": "a", "picture": SHA-256, "part": "train"}; of
  /// several files also {"file": NAME}.
  std::string split_lines() const;

  /// Reads the rows again with their pictures.
  void read(std::vector<Problem>& train, std::vector<Problem>& held_out) const;

 private:
  struct Row;
  using Use = std::function<void(const std::string& file, const ProblemReader&, Problem&&)>;

  /// Calls `use` with every row of all files.
  void each(const Use& use) const;
  std::vector<Row> survey(const std::vector<RequiredField>& fields);
  void check(const std::vector<Row>& rows, const OwnDataNeeds& needs) const;
  void record_start();

  OwnDataSettings s_;
  LoadOptions reading_;
  io::Json files_ = io::Json::object();
  std::vector<std::size_t> lines_;
  std::vector<std::string> file_names_, ids_, pictures_;  // by row
  std::vector<bool> held_out_;
};

}  // namespace gaze::phyx
