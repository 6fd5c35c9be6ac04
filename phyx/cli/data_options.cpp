// SPDX-License-Identifier: MIT
// Option declarations and their conversion.
#include "phyx/cli/data_options.hpp"

#include <map>

namespace gaze::phyx::cli {

void DataOptions::add(CLI::App& app) {
  app.add_option("--form", form, "MC or OE; default: from _MC or _OE in the file name")
      ->check(CLI::IsMember({"MC", "OE"}));
  app.add_option("--text", text, "JSONL: which description precedes the question")
      ->check(CLI::IsMember({"full", "simplified", "minimal"}))
      ->capture_default_str();
  app.add_flag("--caption", reading.caption, "JSONL: use the caption instead of the picture");
  app.add_option("--pictures", pictures_at,
                 "folder of picture files; default: the folder of the data file")
      ->check(CLI::ExistingDirectory);
}

LoadOptions DataOptions::options() const {
  static const std::map<std::string, TextSetting> texts = {{"full", TextSetting::full},
                                                           {"simplified", TextSetting::simplified},
                                                           {"minimal", TextSetting::minimal}};
  LoadOptions out = reading;
  if (!form.empty()) out.form = form == "MC" ? Form::mc : Form::oe;
  out.text = texts.at(text);
  out.pictures_at = pictures_at;
  return out;
}

}  // namespace gaze::phyx::cli
