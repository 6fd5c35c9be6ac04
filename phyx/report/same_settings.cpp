// SPDX-License-Identifier: MIT
// Comparing configurations entry by entry.
#include "phyx/report/same_settings.hpp"

#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"
#include "phyx/run_config.hpp"

namespace gaze::phyx::report {

namespace {

/// Entries in which runs may differ: the part of a study, and where and when it was computed.
/// (Other devices and instruction sets differ only in rounding.) All other entries affect results.
constexpr std::array<std::string_view, 12> entries_that_may_differ = {
    "preset",  "only",    "seeds",      "command",      "device",  "instruction_set",
    "threads", "started", "parameters", "memory_bytes", "seconds", "grid"};

/// Entries that follow from a setting of the grid: the setting or its section, and the entry.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> entries_that_follow = {{
    {"data.", "data.files"},
    {"split", "data.files"},
    {"validation.", "data.files"},
    {"model", "data.files"},  // the pictures' size
    {"own.", "data"},
    {"max_tokens", "grpo.max_length"},
    {"grpo.variant", "grpo"},
}};

/// Erases an entry by its path; keys may contain dots: "condition.accuracy.grpo.kl".
void erase_path(io::Json& object, const std::string& path) {
  if (!object.is_object() || object.erase(path) > 0) return;
  for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
    if (const auto found = object.find(path.substr(0, dot)); found != object.end())
      erase_path(*found, path.substr(dot + 1));
}

/// Removes from both objects the entries under `key` that one of them lacks: conditions are
/// independent, and a run may have more of them.
void keep_common(io::Json& a, io::Json& b, const char* key) {
  if (!a.contains(key) || !b.contains(key) || !a[key].is_object() || !b[key].is_object()) {
    a.erase(key);
    b.erase(key);
    return;
  }
  for (auto* pair : {&a, &b}) {
    io::Json& mine = (*pair)[key];
    const io::Json& theirs = (pair == &a ? b : a)[key];
    for (auto entry = mine.begin(); entry != mine.end();)
      entry = theirs.contains(entry.key()) ? std::next(entry) : mine.erase(entry);
  }
}

/// A configuration file without these entries and those that the study's grid sets.
io::Json settings_of(const std::string& path) {
  io::Json config = io::read_json_object(path, largest_config);
  const io::Json grid = grid_of(config);
  for (const auto& [key, value] : grid.items()) {
    erase_path(config, key);
    for (const auto& [of_key, follows] : entries_that_follow)
      if (key.rfind(of_key, 0) == 0) erase_path(config, std::string(follows));
  }
  for (const auto name : entries_that_may_differ) config.erase(std::string(name));
  return config;
}

}  // namespace

io::Json grid_of(const io::Json& config) {
  const auto found = config.find("grid");
  return found != config.end() && found->is_object() ? *found : io::Json::object();
}

GridLabels::GridLabels(const std::vector<std::pair<std::string, io::Json>>& configs) {
  std::map<std::string, std::set<std::string>> values;  // of each key of the grid
  for (const auto& [folder, config] : configs) {
    const io::Json grid = grid_of(config);  // items() refers to it
    for (const auto& [key, value] : grid.items()) values[key].insert(value.dump());
  }
  for (const auto& [folder, config] : configs) {
    const io::Json grid = grid_of(config);
    std::string label;
    for (const auto& [key, value] : grid.items())
      if (values[key].size() > 1)
        label += ", " + key + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
    labels_[folder + "/"] = label;
  }
}

std::string GridLabels::operator()(const std::string& path) const {
  std::string found;
  std::size_t longest = 0;
  for (const auto& [folder, label] : labels_) {
    if (folder.size() < longest || path.rfind(folder, 0) != 0) continue;
    longest = folder.size();
    found = label;
  }
  return found;
}

void check_same_settings(const std::vector<std::string>& folders,
                         const std::vector<std::vector<std::string>>& configs) {
  std::string first;
  for (const auto& paths : configs)
    if (first.empty() && !paths.empty()) first = paths.front();
  if (first.empty()) return;
  const io::Json settings = settings_of(first);
  for (std::size_t i = 0; i < folders.size(); ++i) {
    GAZE_CHECK(!configs[i].empty(), "report", folders[i],
               ": has no config.json, so its settings cannot be compared with those of ", first);
    for (const auto& path : configs[i]) {
      io::Json mine = settings, theirs = settings_of(path);
      for (const char* key : {"condition", "programs"}) keep_common(mine, theirs, key);
      const auto d = first_difference("", mine, theirs);
      GAZE_CHECK(!d, "report", "cannot pool runs with different settings: ", d->name, " is ",
                 d->before, " in ", first, " and ", d->asked, " in ", path);
    }
  }
}

}  // namespace gaze::phyx::report
