// SPDX-License-Identifier: MIT
// A settled study as TOML.
#include <algorithm>

#include "phyx/study/study_file.hpp"
#include "phyx/study/toml_tree.hpp"

namespace gaze::phyx {

namespace {

/// "a.b" as the TOML keys a.b.
std::string dotted_key(const std::string& path) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t dot = path.find('.', at);
    out += toml_key(path.substr(at, dot - at));
    if (dot == path.npos) return out;
    out += ".";
    at = dot + 1;
  }
}

std::string line_of(const std::string& key, const io::OrderedJson& value) {
  return key + " = " + toml_text(value) + "\n";
}

/// Whether the value of a setting of GRPO was requested, or follows from the variant.
bool is_explicit(const AblationSettings& s, const std::string& name) {
  static const std::vector<std::string> always = {"variant", "steps", "rate"};
  if (std::find(always.begin(), always.end(), name) != always.end()) return true;
  if (name.rfind("optimiser.", 0) == 0) return true;
  return std::any_of(s.grpo_set.begin(), s.grpo_set.end(),
                     [&](const std::string& a) { return a.rfind(name + "=", 0) == 0; });
}

std::string settings_text(const AblationSettings& s) {
  std::string out, section;
  for (const auto& f : study_fields()) {
    const std::size_t dot = f.name.find('.');
    const std::string table = dot == f.name.npos ? "" : f.name.substr(0, dot);
    const std::string name = dot == f.name.npos ? f.name : f.name.substr(dot + 1);
    if (table != section) out += "\n[" + toml_key(table) + "]\n";
    section = table;
    if (section == "grpo" && !is_explicit(s, name)) out += "# ";
    out += line_of(dotted_key(name), f.get(s));
  }
  return out;
}

std::string condition_text(const std::string& name, const io::OrderedJson& condition) {
  const std::string table = "condition." + toml_key(name);
  std::string out = "\n[" + table + "]\n";
  for (const auto& [key, value] : condition.items())
    if (key != "rewards") out += line_of(dotted_key(key), value);
  if (!condition.contains("rewards")) return out;
  out += "[" + table + ".rewards]\n";
  for (const auto& [key, value] : condition["rewards"].items())
    out += line_of(toml_key(key), value.size() == 1 ? value["weight"] : value);
  return out;
}

std::string table_text(const std::string& table, const io::OrderedJson& all) {
  std::string out;
  for (const auto& [name, object] : all.items()) {
    out += "\n[" + table + "." + toml_key(name) + "]\n";
    for (const auto& [key, value] : object.items()) out += line_of(toml_key(key), value);
  }
  return out;
}

}  // namespace

std::string study_toml(const Study& study) {
  const AblationSettings& s = study.settings;
  std::string out = "# " + printable(study.name, 200) +
                    (s.preset.empty() ? "" : ", preset " + s.preset) + ", settled by gaze " +
                    GAZE_VERSION + "\n" + settings_text(s);
  for (const auto& [name, options] : s.reward_options)
    out += table_text("reward", {{name, options}});
  const io::OrderedJson conditions = conditions_json(s);
  for (const auto& [name, condition] : conditions.items()) out += condition_text(name, condition);
  for (io::Json claim : claims_to_json(s.claims)) {
    const std::string id = claim["id"].get<std::string>();
    claim.erase("id");
    out += table_text("claim", {{id, claim}});
  }
  if (!study.grid.empty()) out += "\n[grid]\n";
  for (const auto& [path, values] : study.grid)
    out += line_of(toml_key(path), io::OrderedJson(values));
  return out;
}

}  // namespace gaze::phyx
