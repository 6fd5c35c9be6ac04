// SPDX-License-Identifier: MIT
// Fuzz targets: a model's predictions with their truths, and one reply, scored by all rules. The
// first byte chooses between a table and JSONL, or the form.
#include <string>
#include <string_view>
#include <vector>

#include "phyx/results/csv.hpp"
#include "phyx/scoring/official_table.hpp"
#include "phyx/scoring/score.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_predictions {

using namespace gaze::phyx;
using gaze::fuzz::require;

bool flag(std::string_view input, int bit) {
  return !input.empty() && (static_cast<unsigned char>(input[0]) >> bit & 1) != 0;
}

void run(std::string_view input) {
  static const gaze::fuzz::Folder folder;
  const std::string name = flag(input, 0) ? "said.jsonl" : "said.tsv";
  PredictionFiles files{folder.put(name, input.substr(input.empty() ? 0 : 1)), {}, {}};
  if (flag(input, 1)) files.reading.form = Form::mc;
  auto read = read_predictions(files).predictions;
  for (const auto rules : {OfficialRules::latest, OfficialRules::may_2025}) {
    const auto rows = score_rows(read, rules);
    require(rows.size() == read.size(), "not a score for each prediction");
    for (const ScoreSlice& slice : score_table(rows))
      require(slice.strict <= slice.n && slice.official <= slice.n, "more hits than predictions");
    score_results(score_table(rows), false);
  }
}

void reply(std::string_view input) {
  const Form form = flag(input, 0) ? Form::mc : Form::oe;
  gaze::fuzz::Pieces pieces{input.substr(input.empty() ? 0 : 1)};
  const std::string_view answer = pieces.next();
  for (const auto rules : {OfficialRules::latest, OfficialRules::may_2025})
    score_official(form, answer, pieces.rest, rules);
}

const gaze::fuzz::Target targets[] = {{"predictions", run}, {"official_rule", reply}};

}  // namespace fuzz_predictions
