// SPDX-License-Identifier: MIT
// gaze synth.
#include <cstdio>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/folder_lock.hpp"
#include "gaze/io/folders.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/synth/files.hpp"
#include "phyx/synth/suite.hpp"

namespace gaze::phyx::cli {

namespace {

struct SynthOptions {
  std::string out, split = "all";
  std::size_t scenes = 420;
  std::uint64_t seed = 1;
  int image_size = 64;
  SuiteOptions suite;

  void add(CLI::App& app) {
    app.add_option("--out", out, "output folder for the TSV files")->required();
    app.add_option("--split", split, "train, val, test_known, test_new or all")
        ->check(CLI::IsMember({"train", "val", "test_known", "test_new", "all"}));
    app.add_option("--scenes", scenes, "scenes per split, each as MC and as OE")
        ->transform(whole(1, 1000000))
        ->capture_default_str();
    app.add_option("--seed", seed)->transform(whole(0, largest));
    app.add_option("--image-size", image_size)->transform(whole(32, 1024))->capture_default_str();
    app.add_option("--cue", suite.cue,
                   "print text cues that agree with the picture in this share of training scenes "
                   "(0: by chance), and by chance in other splits")
        ->check(number("a share in [0, 1]", [](double x) { return x >= 0 && x <= 1; }));
    app.add_option("--templates", suite.templates,
                   "templates of the split, trained or new; default: all that belong to it")
        ->delimiter(',');
  }
  void run() const {
    std::vector<std::string> parts = {split};
    if (split == "all") parts = {"train", "val", "test_known", "test_new"};
    GAZE_CHECK(parts.size() == 1 || suite.templates.empty(), "synth",
               "--templates needs --split: test_new has templates that the others do not have");
    for (const auto& part : parts) synth::split_templates(part, suite);
    const io::FolderLock lock(out);
    for (const auto& part : parts)
      for (const Form form : {Form::mc, Form::oe})
        GAZE_CHECK(!io::exists(suite_file(out, part, form)), "synth", suite_file(out, part, form),
                   ": already exists");
    for (const auto& part : parts) {
      write_suite(out, part, scenes, seed, image_size, suite);
      std::printf("%s\n%s\n", suite_file(out, part, Form::mc).c_str(),
                  suite_file(out, part, Form::oe).c_str());
    }
  }
};

}  // namespace

void add_synth(CLI::App& app) {
  add_command<SynthOptions>(app, "synth", "write the synthetic suite as PhyX TSV files");
}

}  // namespace gaze::phyx::cli
