// SPDX-License-Identifier: MIT
// The folder of a study with a grid.
#include "phyx/study/grid_report.hpp"

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "phyx/report/page.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/run_config.hpp"
#include "phyx/study/toml_tree.hpp"

namespace gaze::phyx {

std::string warm_start_key(const AblationSettings& s) {
  const io::OrderedJson all = settings_json(s);
  io::OrderedJson key;
  for (const char* part :
       {"model", "precision", "split", "max_tokens", "data", "prompts", "warm_start"})
    key[part] = all.at(part);
  return key.dump();
}

void prepare_grid_folder(const Study& study, const std::string& out, bool resume) {
  const std::string path = out + "/study.toml", text = study_toml(study);
  check_own_folder("ablate", out, "study.toml", {"config.json", "results.csv", "report.html"});
  if (io::exists(path)) {
    GAZE_CHECK(resume, "ablate", path,
               ": folder already contains a study; pass --resume to continue");
    GAZE_CHECK(io::read_file(path, 4 * largest_study) == text, "resume", path,
               ": the study to be resumed is another one");
  }
  io::write_file(path, text);
}

void report_grid(const std::vector<std::string>& folders, const std::string& out) {
  io::write_file(out + "/report.html",
                 render_report(report::read_runs(folders), ReportInput().title));
  write_results(out + "/results.csv", report::merge_results(folders));
}

}  // namespace gaze::phyx
