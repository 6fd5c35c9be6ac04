// SPDX-License-Identifier: MIT
// Comparing and writing config.json.
#include "phyx/study/run_record.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "gaze/core/clock.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/core/storage.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/json.hpp"
#include "phyx/run_config.hpp"

namespace gaze::phyx {

namespace {

/// Tables with one entry per condition.
constexpr const char* by_condition[] = {"condition", "programs"};

bool has_table(const io::Json& config, const char* key) {
  return config.contains(key) && config[key].is_object();
}

/// A list of config.json. Throws Error for another type.
template <class T>
std::vector<T> list_of(const io::Json& config, const char* key, const std::string& path) {
  if (!config.contains(key)) return {};
  try {
    return config[key].get<std::vector<T>>();
  } catch (const io::Json::exception&) {
    GAZE_FAIL("resume", path, ", ", key, ": not a list of such values");
  }
}

/// Claims by their names.
io::Json claims_by_id(const io::Json& claims) {
  io::Json out = io::Json::object();
  if (!claims.is_array()) return claims;
  for (const io::Json& claim : claims)
    if (claim.is_object() && claim.contains("id") && claim["id"].is_string())
      out[claim["id"].get<std::string>()] = claim;
  return out;
}

void check_claims(const std::string& path, const io::Json& before, const io::Json& asked) {
  const auto d = first_difference("claim", claims_by_id(before), claims_by_id(asked));
  GAZE_CHECK(!d, "resume", path, ", ", d->name, ": the run to be resumed has ", d->before, ", but ",
             d->asked, " was requested; claims are declared before a run and cannot change");
}

/// The most memory so far: of a run on a published checkpoint all that is resident, else what the
/// allocator gave.
Index most_used(const RunData& data) {
  if (!data.published()) return static_cast<Index>(Allocator<Cpu>::peak());
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return use.ru_maxrss * 1024;
}

}  // namespace

void check_resumable(const std::string& path, const io::Json& before, const io::Json& asked) {
  for (const auto& [key, value] : asked.items()) {
    if (key == "only" || key == "seeds") continue;
    const io::Json then = before.value(key, io::Json());
    if (key == "claims") {
      check_claims(path, then, value);
    } else if (key == by_condition[0] || key == by_condition[1]) {
      for (const auto& [name, condition] : value.items())
        if (then.is_object() && then.contains(name))
          check_same_config(path, key + "." + name, then[name], condition);
    } else {
      check_same_config(path, key, then, value);
    }
  }
}

std::vector<std::int64_t> all_seeds(std::vector<std::int64_t> before,
                                    const std::vector<std::int64_t>& now) {
  before.insert(before.end(), now.begin(), now.end());
  std::sort(before.begin(), before.end());
  before.erase(std::unique(before.begin(), before.end()), before.end());
  return before;
}

std::vector<std::string> all_selected(const std::vector<std::string>& before,
                                      const std::vector<std::string>& now) {
  if (before.empty() || now.empty()) return {};
  std::vector<std::string> out = before;
  for (const auto& name : now)
    if (std::find(before.begin(), before.end(), name) == before.end()) out.push_back(name);
  return out;
}

void RunRecord::begin(bool resume, const std::string& command, RunData& data) {
  io::OrderedJson mine = settings_json(s_);
  mine["device"] = device_;  // devices differ in the last bits
  if (io::exists(path_)) {
    GAZE_CHECK(resume, "ablate", path_,
               ": folder already contains a run; pass --resume to continue");
    earlier_ = io::read_json_object(path_);
    io::Json asked = io::parse_json(io::dump_json(mine, path_), path_);
    const io::Json before = earlier_.value("data", io::Json());
    if (before.is_object() && before.contains("files")) asked["data"]["files"] = before["files"];
    check_resumable(path_, earlier_, asked);
    data.expect(asked["data"].value("files", io::Json::object()));
    started_ = io::json_text(earlier_, "started", path_, time_text());
    seconds_before_ = io::json_number(earlier_, "seconds", path_, 0);
  } else {
    started_ = time_text();
  }
  command_ = command;
  begin_ = seconds_now();
}

void RunRecord::add_earlier(io::OrderedJson& settings) const {
  if (earlier_.is_null()) return;
  settings["seeds"] = all_seeds(list_of<std::int64_t>(earlier_, "seeds", path_), s_.seeds);
  settings["only"] = all_selected(list_of<std::string>(earlier_, "only", path_), s_.only);
  for (const char* key : by_condition) {
    if (!has_table(earlier_, key)) continue;
    for (const auto& [name, value] : earlier_[key].items())
      if (!settings[key].contains(name)) settings[key][name] = value;
  }
}

void RunRecord::write(const RunData& data, const std::string& instruction_set) const {
  io::OrderedJson j = settings_json(s_);
  add_earlier(j);
  if (!data.files().empty()) j["data"]["files"] = data.files();
  j["command"] = printable(command_, longest_command);  // a path need not be UTF-8
  j["version"] = GAZE_VERSION;
  j["device"] = device_;
  j["instruction_set"] = instruction_set;
  j["threads"] = threads();
  j["started"] = started_;
  j["seconds"] = seconds_before_ + seconds_now() - begin_;
  if (parameters > 0) j["parameters"] = parameters;
  if (forecast > 0) j["memory_bytes"] = {{"forecast", forecast}, {"most_used", most_used(data)}};
  io::write_file(path_, io::dump_json(j, path_, 2) + "\n");
}

}  // namespace gaze::phyx
