// SPDX-License-Identifier: MIT
// Fuzz target: the files of a run as a report: config.json, metrics.jsonl, results.csv,
// completions.jsonl, differing.jsonl. No element of a file's text is one of the page.
#include <string>
#include <string_view>

#include "phyx/report/page.hpp"
#include "phyx/report/run_data.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_report {

void run(std::string_view input) {
  static const gaze::fuzz::Folder folder;
  gaze::fuzz::Pieces pieces{input};
  for (const char* name :
       {"config.json", "metrics.jsonl", "results.csv", "completions.jsonl", "differing.jsonl"})
    folder.put_if_any(name, pieces.next());
  const auto data = gaze::phyx::report::read_runs({folder.path()});
  const std::string page = gaze::phyx::render_report(data, "fuzz");
  gaze::fuzz::require(page.find("<x-") == page.npos, "text from a file is an element of the page");
}

const gaze::fuzz::Target target("report", run);

}  // namespace fuzz_report
