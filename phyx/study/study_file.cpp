// SPDX-License-Identifier: MIT
// From a tree of keys to settings: presets, the grid, conditions, comparisons and claims.
#include "phyx/study/study_file.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "phyx/study/built_in_studies.hpp"
#include "phyx/study/claim_checks.hpp"
#include "phyx/study/toml_tree.hpp"

namespace gaze::phyx {

namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

std::vector<std::string> keys_of(const TomlEntry* table) {
  std::vector<std::string> out;
  if (table)
    for (const auto& e : table->entries) out.push_back(e.key);
  return out;
}

void need_table(const TomlEntry& e) {
  GAZE_CHECK(e.table, "study", e.where, ", ", e.key, ": must be a table");
}

/// Runs `check`; its Error gets the place in front.
template <class Check>
void at(const std::string& where, Check check) {
  try {
    check();
  } catch (const Error& e) {
    GAZE_FAIL("study", where, ": ", message_of(e));
  }
}

/// Known names that share the longest beginning, up to a dot, with an unknown one.
std::string neighbours(const std::string& unknown) {
  for (std::string start = unknown.substr(0, unknown.rfind('.') + 1);;) {
    std::vector<std::string> names;
    for (const auto& f : study_fields()) {
      if (f.name.rfind(start, 0) != 0) continue;
      const std::string rest = f.name.substr(start.size());
      const std::string name = start.empty() ? rest.substr(0, rest.find('.')) : rest;
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    if (start.empty())
      for (const char* table : {"reward", "condition", "claim", "preset", "grid"})
        names.push_back(table);
    if (!names.empty()) return joined(names);
    start.pop_back();  // its dot
    start.resize(start.rfind('.') + 1);
  }
}

void set_leaf(AblationSettings& s, const std::string& name, const TomlLeaf& leaf) {
  GAZE_CHECK(find_field(study_fields(), name), "study", leaf.where, ": no setting named '",
             leaf.path, "'; there are ", neighbours(name));
  set_field(study_fields(), s, name, leaf.value, leaf.where);
}

RewardUse read_reward(const TomlEntry& e) {
  RewardUse use{e.key, e.key};
  const auto weight = [&](const TomlEntry& from) {
    GAZE_CHECK(from.value.is_number() && std::isfinite(from.value.get<double>()), "study",
               from.where, ", ", e.key, ": a weight must be a finite number");
    use.weight = from.value.get<double>();
  };
  if (!e.table) {
    weight(e);
    return use;
  }
  for (const TomlEntry& option : e.entries) {
    if (option.key == "weight") {
      weight(option);
    } else if (option.key == "reward") {
      GAZE_CHECK(option.value.is_string(), "study", option.where,
                 ", reward: must be the name of a reward");
      use.kind = option.value.get<std::string>();
    } else {
      use.options[option.key] = option.json();
    }
  }
  if (use.options.contains("exec") && !e.find("reward")) use.kind = "exec";
  return use;
}

/// The value of an enumeration by its name in `names`.
template <class Enum>
Enum read_choice(const TomlEntry& e, const std::vector<std::string>& names) {
  const std::string text = e.value.is_string() ? e.value.get<std::string>() : "";
  const auto found = std::find(names.begin(), names.end(), text);
  GAZE_CHECK(found != names.end(), "study", e.where, ", ", e.key, ": must be one of ",
             joined(names), ", got ", e.value.dump());
  return static_cast<Enum>(found - names.begin());
}

Condition read_condition(const TomlEntry& table, const AblationSettings& s) {
  need_table(table);
  Condition c;
  c.name = table.key;
  const Fields<Condition> fields = {
      field("meaning", "", any_value, &Condition::meaning),
      field("temperatures", "", at_least(min_temperature), &Condition::temperatures)};
  const TomlEntry* method = table.find("method");
  GAZE_CHECK(method, "study", table.where, ", condition.", c.name, ": no method");
  c.method = read_choice<Method>(*method, method_names);
  AblationSettings scratch = s;
  for (const TomlEntry& e : table.entries) {
    if (e.key == "method") continue;
    if (e.key == "pool") {
      c.pool_set = read_choice<Pool>(e, pool_names);
      continue;
    }
    if (e.key == "rewards") {
      need_table(e);
      for (const TomlEntry& use : e.entries) {
        c.rewards.push_back(read_reward(use));
        Condition alone;
        alone.rewards = {c.rewards.back()};
        at(use.where, [&] { mix_of(alone, s.reward_options); });
      }
    } else if (e.table) {
      for (const TomlLeaf& leaf : leaves(e, e.key + ".")) {
        set_leaf(scratch, leaf.path, leaf);
        c.changes[leaf.path] = leaf.value;
      }
    } else {
      set_field(fields, c, e.key, e.value, e.where);
    }
  }
  return c;
}

Claim read_claim(const TomlEntry& table) {
  need_table(table);
  io::Json claim = table.json();
  claim["id"] = table.key;
  Claim out;
  at(table.where,
     [&] { out = claims_from_json(io::Json::array({claim}), "claim." + table.key).front(); });
  return out;
}

/// The entry of a path such as "condition.a.grpo.kl", or the last one above it; whether it is the
/// path's own.
std::pair<const TomlEntry*, bool> follow(const TomlEntry& root, std::string_view path) {
  const TomlEntry* at = &root;
  for (;;) {
    const TomlEntry* next = nullptr;
    for (const TomlEntry& e : at->entries)
      if ((path == e.key || path.starts_with(e.key + ".")) &&
          (!next || e.key.size() > next->key.size()))
        next = &e;
    if (!next) return {at, false};
    at = next;
    if (path == next->key) return {at, true};
    path.remove_prefix(next->key.size() + 1);
  }
}

/// The place of the first of these settings that the file has, else that of a table for the first.
std::string place_of(const TomlEntry& root, const std::vector<std::string>& names,
                     const std::string& file) {
  for (const auto& name : names)
    if (const auto [entry, found] = follow(root, name); found) return entry->where;
  const TomlEntry* above = follow(root, names.front()).first;
  return above == &root ? file : above->where;
}

AblationSettings settings_from(const TomlEntry& root, const std::string& file,
                               const std::string& preset) {
  AblationSettings s;
  s.preset = preset;
  for (const TomlEntry& e : root.entries) {
    if (e.key == "reward" || e.key == "condition" || e.key == "claim" || e.key == "preset" ||
        e.key == "grid")
      need_table(e);
    else if (e.table)
      for (const TomlLeaf& leaf : leaves(e, e.key + ".")) set_leaf(s, leaf.path, leaf);
    else
      set_leaf(s, e.key, {e.key, e.where, e.value});
  }
  const auto each = [&](const char* key, auto read) {
    if (const TomlEntry* table = root.find(key))
      for (const TomlEntry& e : table->entries) read(e);
  };
  each("reward", [&](const TomlEntry& e) {
    need_table(e);
    s.reward_options[e.key] = e.json();
    at(e.where, [&] { check_options(e.key, reward_kind(e.key).options, s.reward_options[e.key]); });
  });
  each("condition", [&](const TomlEntry& e) { s.conditions.push_back(read_condition(e, s)); });
  GAZE_CHECK(!s.conditions.empty(), "study", file, ": no [condition.NAME]");
  try {
    settle(s);
  } catch (const SettingError& e) {
    GAZE_FAIL("study", place_of(root, e.names(), file), ": ", message_of(e));
  }
  each("claim", [&](const TomlEntry& e) {
    s.claims.push_back(read_claim(e));
    at(e.where, [&] { check_claim(s, s.claims.back()); });
  });
  return s;
}

/// The name of the requested preset, "" for none. Throws Error for an unknown one.
std::string preset_name(const TomlEntry& root, const StudyRequest& request,
                        const std::string& file) {
  const TomlEntry* all = root.find("preset");
  if (all) need_table(*all);
  if (request.preset.empty()) return all && all->find("quick") ? "quick" : "";
  const std::string known = joined(keys_of(all));
  GAZE_CHECK(all && all->find(request.preset), "study", file, ": no preset named ", request.preset,
             known.empty() ? "; it has none" : "; there are " + known);
  return request.preset;
}

/// The file without presets but with the values of this one; "": none.
TomlEntry with_preset(const TomlEntry& root, const std::string& name) {
  TomlEntry out = root;
  if (!name.empty()) {
    const TomlEntry& chosen = *root.find("preset")->find(name);
    need_table(chosen);
    const TomlEntry* inner = chosen.find("preset");
    if (inner) GAZE_FAIL("study", inner->where, ": a preset has no presets of its own");
    out.overlay(chosen);
  }
  std::erase_if(out.entries, [](const TomlEntry& e) { return e.key == "preset"; });
  return out;
}

/// The subfolder of a point of the grid: "grpo.rate=0.0003,split=val".
std::string label_of(const io::OrderedJson& point) {
  std::string out;
  for (const auto& [key, value] : point.items())
    out += (out.empty() ? "" : ",") + key + "=" +
           (value.is_string() ? value.get<std::string>() : value.dump());
  for (char& c : out)
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::string("._=,+-").find(c) == out.npos)
      c = '_';
  return out;
}

constexpr std::size_t most_runs = 1000;
constexpr std::size_t longest_label = 255;  // bytes of a folder's name

/// All points of the grid, the last key running fastest.
std::vector<io::OrderedJson> points_of(const Study& study, const std::string& where) {
  std::vector<io::OrderedJson> points = {io::OrderedJson::object()};
  for (const auto& [path, values] : study.grid) {
    std::vector<io::OrderedJson> more;
    for (const auto& point : points)
      for (const auto& value : values) {
        more.push_back(point);
        more.back()[path] = value;
      }
    points = std::move(more);
    GAZE_CHECK(points.size() <= most_runs, "study", where, ": a grid of more than ", most_runs,
               " runs");
  }
  return points;
}

/// The values of each setting of the grid.
std::vector<TomlLeaf> axes_of(const TomlEntry& root) {
  const TomlEntry* grid = root.find("grid");
  if (!grid) return {};
  need_table(*grid);
  auto axes = leaves(*grid, "");
  for (const TomlLeaf& axis : axes) {
    const std::string table = axis.path.substr(0, axis.path.find('.'));
    for (const char* fixed : {"preset", "grid", "claim"})
      GAZE_CHECK(table != fixed, "study", axis.where, ", ", axis.path,
                 ": a grid varies settings, rewards and conditions, not ", fixed, "s");
    GAZE_CHECK(axis.value.is_array() && !axis.value.empty(), "study", axis.where, ", ", axis.path,
               ": must be a list of values");
    for (auto value = axis.value.begin(); value != axis.value.end(); ++value)
      GAZE_CHECK(std::find(axis.value.begin(), value, *value) == value, "study", axis.where, ", ",
                 axis.path, ": two runs of the grid have the value ", value->dump());
  }
  return axes;
}

/// What a run does, apart from the grid's values: equal for runs with equal results.
std::string identity_of(const AblationSettings& s) {
  io::Json settings = settings_json(s);
  settings.erase("grid");
  return settings.dump() + own_paths(s.own);
}

/// The place of the first axis on which two points differ.
std::string differing_axis(const std::vector<TomlLeaf>& axes, const io::OrderedJson& a,
                           const io::OrderedJson& b) {
  for (const TomlLeaf& axis : axes)
    if (a[axis.path] != b[axis.path]) return axis.where + ", " + axis.path;
  return axes.front().where;
}

/// Refuses runs that share a folder, or that do the same.
void check_distinct(const std::vector<StudyRun>& runs, const std::vector<TomlLeaf>& axes) {
  std::map<std::string, const StudyRun*> labels, identities;
  for (const StudyRun& run : runs) {
    const auto check = [&](auto& seen, const std::string& key, const char* same) {
      const auto [other, is_new] = seen.emplace(key, &run);
      GAZE_CHECK(is_new, "study",
                 differing_axis(axes, other->second->settings.grid, run.settings.grid),
                 ": two runs of the grid ", same, ": ", other->second->label, " and ", run.label);
    };
    check(labels, run.label, "have the same folder");
    check(identities, identity_of(run.settings), "have the same settings");
  }
}

void add_runs(Study& study, const TomlEntry& root) {
  const auto axes = axes_of(root);
  for (const TomlLeaf& axis : axes)
    study.grid.emplace_back(axis.path, std::vector<io::Json>(axis.value.begin(), axis.value.end()));
  const std::string where = axes.empty() ? study.name : axes.front().where;
  for (const io::OrderedJson& point : points_of(study, where)) {
    TomlEntry changed = root;
    for (const TomlLeaf& axis : axes) changed.assign(axis.path, point[axis.path], axis.where);
    StudyRun run{label_of(point), settings_from(changed, study.name, study.settings.preset)};
    run.settings.grid = point;
    GAZE_CHECK(run.label.size() <= longest_label, "study", where,
               ": the folder of a run would have a name of ", run.label.size(), " bytes, at most ",
               longest_label, " are possible: ", run.label.substr(0, 60), "...");
    study.runs.push_back(std::move(run));
  }
  check_distinct(study.runs, axes);
}

}  // namespace

Study parse_study(const std::string& text, const std::string& name, const StudyRequest& request) {
  const TomlEntry file = parse_toml(text, name);
  Study study;
  study.name = name;
  const std::string preset = preset_name(file, request, name);
  for (const auto& other : keys_of(file.find("preset"))) {
    if (other == preset) continue;
    const TomlEntry root = with_preset(file, other);
    settings_from(root, name, other);
    axes_of(root);
  }
  TomlEntry root = with_preset(file, preset);
  for (const StudyChange& change : request.changes)
    root.assign(change.path, change.value, change.from);
  study.settings = settings_from(root, name, preset);
  add_runs(study, root);
  return study;
}

Study read_study(const std::string& file, const StudyRequest& request) {
  const auto names = built_in_studies();
  if (!std::filesystem::is_regular_file(file) &&
      std::find(names.begin(), names.end(), file) != names.end())
    return parse_study(built_in_study(file), file + ".toml", request);
  return parse_study(io::read_file(file, largest_study), file, request);
}

std::vector<std::string> built_in_studies() {
  std::vector<std::string> out;
  for (const auto& study : embedded_studies()) out.push_back(study.first);
  return out;
}

const std::string& built_in_study(const std::string& name) {
  for (const auto& study : embedded_studies())
    if (study.first == name) return study.second;
  GAZE_FAIL("study", "no built-in study named ", name, "; there are ", joined(built_in_studies()));
}

AblationSettings ablation_preset(const std::string& name) {
  return parse_study(built_in_study("rewards"), "rewards.toml", {.preset = name}).settings;
}

}  // namespace gaze::phyx
