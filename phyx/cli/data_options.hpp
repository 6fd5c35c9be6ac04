// SPDX-License-Identifier: MIT
// Options of commands that read problem files.
#pragma once
#include <map>

#include "phyx/cli/command.hpp"
#include "phyx/data/table.hpp"

namespace gaze::phyx::cli {

/// How files are read whose names or columns do not say it.
struct DataOptions {
  LoadOptions reading;
  std::string form, text = "simplified", pictures_at;

  void add(CLI::App& app) {
    app.add_option("--form", form, "MC or OE; default: by _MC or _OE in the file's name")
        ->check(CLI::IsMember({"MC", "OE"}));
    app.add_option("--text", text, "JSONL: description before the question")
        ->check(CLI::IsMember({"full", "simplified", "minimal"}))
        ->capture_default_str();
    app.add_flag("--caption", reading.caption, "JSONL: the caption in place of the picture");
    app.add_option("--pictures", pictures_at,
                   "folder of pictures in files; default: the data file's")
        ->check(CLI::ExistingDirectory);
  }
  LoadOptions options() const {
    static const std::map<std::string, TextSetting> texts = {
        {"full", TextSetting::full},
        {"simplified", TextSetting::simplified},
        {"minimal", TextSetting::minimal}};
    LoadOptions out = reading;
    if (!form.empty()) out.form = form == "MC" ? Form::mc : Form::oe;
    out.text = texts.at(text);
    out.pictures_at = pictures_at;
    return out;
  }
};

}  // namespace gaze::phyx::cli
