// SPDX-License-Identifier: MIT
// How config.json is compared and written.
#include "phyx/study/run_record.hpp"

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

void RunRecord::begin(bool resume, const std::string& command, RunData& data) {
  io::OrderedJson mine = settings_json(s_);
  mine["device"] = device_;  // another one computes other bits
  if (io::exists(path_)) {
    GAZE_CHECK(resume, "ablate", path_, ": this folder holds a run; --resume goes on with it");
    const io::Json theirs = io::read_json_object(path_);
    io::Json asked = io::parse_json(io::dump_json(mine, path_), path_);
    const io::Json before = theirs.value("data", io::Json());
    if (before.is_object() && before.contains("files")) asked["data"]["files"] = before["files"];
    for (const auto& [key, value] : asked.items()) {
      if (key == "only" || key == "seeds") continue;  // conditions and seeds stand on their own
      check_same_config(path_, key, theirs.value(key, io::Json()), value);
    }
    data.expect(asked["data"].value("files", io::Json::object()));
    started_ = io::json_text(theirs, "started", path_, time_text());
    seconds_before_ = io::json_number(theirs, "seconds", path_, 0);
  } else {
    started_ = time_text();
  }
  command_ = command;
  begin_ = seconds_now();
}

void RunRecord::write(const RunData& data, const std::string& instruction_set) const {
  io::OrderedJson j = settings_json(s_);
  if (!data.files().empty()) j["data"]["files"] = data.files();
  j["command"] = printable(command_, longest_command);  // a path need not be UTF-8
  j["version"] = "0.1.0";
  j["device"] = device_;
  j["instruction_set"] = instruction_set;
  j["threads"] = threads();
  j["started"] = started_;
  j["seconds"] = seconds_before_ + seconds_now() - begin_;
  if (parameters > 0) j["parameters"] = parameters;
  if (forecast > 0)
    j["memory_bytes"] = {{"forecast", forecast}, {"most_used", Allocator<Cpu>::peak()}};
  io::write_file(path_, io::dump_json(j, path_, 2) + "\n");
}

}  // namespace gaze::phyx
