// SPDX-License-Identifier: MIT
// The folder of a study with a grid.
#include "phyx/study/grid_report.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "phyx/report/page.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/run_config.hpp"
#include "phyx/study/run_record.hpp"
#include "phyx/study/toml_tree.hpp"

namespace gaze::phyx {

namespace {

/// The study in `path`, with the paths of own data as in `asked`: they may be relative to another
/// folder than then. Files of another name and other contents are found by their names and digests.
Study read_kept(const std::string& path, const Study& asked) {
  const std::string text = io::read_file(path, 4 * largest_study);
  const TomlEntry root = parse_toml(text, path);
  const TomlEntry* own = root.find("own");
  StudyRequest request;
  const OwnDataSettings& now = asked.settings.own;
  const auto keep = [&](const char* name, const std::vector<std::string>& paths, bool list) {
    const TomlEntry* then = own ? own->find(name) : nullptr;
    if (!then || paths.empty() || paths.front().empty()) return;
    const io::Json kept = list ? then->value : io::Json::array({then->value});
    const auto same = [](const io::Json& a, const std::string& b) {
      using std::filesystem::path;
      return a.is_string() && path(a.get<std::string>()).filename() == path(b).filename();
    };
    if (kept.is_array() && std::equal(kept.begin(), kept.end(), paths.begin(), paths.end(), same))
      request.changes.push_back(
          {std::string("own.") + name, list ? io::Json(paths) : io::Json(paths.front()), path});
  };
  keep("file", {now.file}, false);
  keep("phyx", now.phyx, true);
  keep("start", {now.start}, false);
  return parse_study(text, path, request);
}

io::Json grid_json(const Study& study) {
  io::Json out = io::Json::object();
  for (const auto& [path, values] : study.grid) out[path] = values;
  return out;
}

/// Refuses a study that differs from the one in `path` in more than conditions and seeds.
void check_resumable_grid(const std::string& path, const Study& before, const Study& asked) {
  check_same_config(path, "grid", grid_json(before), grid_json(asked));
  for (std::size_t i = 0; i < asked.runs.size(); ++i) {
    const StudyRun &then = before.runs[i], &now = asked.runs[i];
    GAZE_CHECK(then.label == now.label, "resume", path, ", grid: run ", i + 1,
               " of the study to be resumed is ", then.label, ", but ", now.label,
               " was requested; settings and values must be in the same order");
    io::Json mine = settings_json(now.settings);
    mine.erase("preset");  // study.toml is settled
    check_resumable(path, settings_json(then.settings), mine);
  }
}

/// `asked` with the conditions and seeds that only `before` has.
Study with_earlier(const Study& before, const Study& asked) {
  Study out = asked;
  AblationSettings& s = out.settings;
  for (const Condition& c : before.settings.conditions)
    if (std::none_of(s.conditions.begin(), s.conditions.end(),
                     [&](const Condition& mine) { return mine.name == c.name; }))
      s.conditions.push_back(c);
  s.seeds = all_seeds(before.settings.seeds, s.seeds);
  s.only = all_selected(before.settings.only, s.only);
  return out;
}

}  // namespace

std::string warm_start_key(const AblationSettings& s) {
  const io::OrderedJson all = settings_json(s);
  io::OrderedJson key;
  for (const char* part :
       {"model", "precision", "split", "max_tokens", "data", "prompts", "warm_start"})
    key[part] = all.at(part);
  if (from_checkpoint(s)) key["adapters"] = {all.at("checkpoint"), all.at("lora")};
  key["validation"] = s.validate_every > 0 && s.split != "val" ? s.validate_scenes : 0;
  return key.dump() + "\n" + own_paths(s.own);
}

void prepare_grid_folder(const Study& study, const std::string& out, bool resume) {
  const std::string path = out + "/study.toml";
  check_own_folder("ablate", out, "study.toml", {"config.json", "results.csv", "report.html"});
  if (!io::exists(path)) return io::write_file(path, study_toml(study));
  GAZE_CHECK(resume, "ablate", path,
             ": folder already contains a study; pass --resume to continue");
  const Study before = read_kept(path, study);
  check_resumable_grid(path, before, study);
  io::write_file(path, study_toml(with_earlier(before, study)));
}

void report_grid(const std::vector<std::string>& folders, const std::string& out) {
  io::write_file(out + "/report.html",
                 render_report(report::read_runs(folders), ReportInput().title));
  write_results(out + "/results.csv", report::merge_results(folders));
}

}  // namespace gaze::phyx
