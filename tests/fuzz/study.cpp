// SPDX-License-Identifier: MIT
// Fuzz targets: a study file, which comes back from its settled form; and config.json of a run that
// is to be resumed, as a JSON merge patch (RFC 7396) of the one that fits.
#include <string>
#include <string_view>

#include "gaze/io/json.hpp"
#include "phyx/study/run_record.hpp"
#include "phyx/study/study_file.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_study {

using namespace gaze::phyx;
using gaze::fuzz::require;

/// The settled form of a study that was accepted.
std::string settled(const std::string& text) {
  try {
    return study_toml(parse_study(text, "my.toml"));
  } catch (const gaze::Error& e) {
    require(false, e.what());
    return "";
  }
}

void run(std::string_view input) {
  const std::string toml = study_toml(parse_study(std::string(input), "my.toml"));
  require(settled(toml) == toml, "the settled study reads back to other settings");
}

void resume(std::string_view input) {
  static const gaze::io::Json asked = gaze::io::parse_json(
      gaze::io::dump_json(settings_json(ablation_preset("smoke")), "smoke"), "smoke");
  gaze::io::Json before = asked;
  before.merge_patch(gaze::io::parse_json(input, "config.json"));
  if (before.is_object()) check_resumable("config.json", before, asked);
}

const gaze::fuzz::Target targets[] = {{"study", run}, {"resume", resume}};

}  // namespace fuzz_study
