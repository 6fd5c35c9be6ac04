// SPDX-License-Identifier: MIT
// Runs every target on its corpus, without libFuzzer: fuzz_corpus CORPUS_FOLDER. Each target has a
// folder of its name, in which at least one input is accepted.
#include <cstdio>
#include <filesystem>
#include <string>

#include "gaze/io/atomic_file.hpp"
#include "tests/fuzz/target.hpp"

int main(int count, char** arguments) {
  namespace fs = std::filesystem;
  using gaze::fuzz::Target;
  gaze::fuzz::require(count == 2, "usage: fuzz_corpus CORPUS_FOLDER");
  for (const auto& entry : fs::directory_iterator(arguments[1])) {
    const std::string name = entry.path().stem().string();
    gaze::fuzz::require(Target::find(name) != nullptr, ("no target " + name).c_str());
  }
  for (const Target* target : Target::all()) {
    int accepted = 0;
    for (const auto& file : fs::directory_iterator(fs::path(arguments[1]) / target->name)) {
      std::printf("%s: ", file.path().c_str());
      std::fflush(stdout);
      const std::string error = gaze::fuzz::run(*target, gaze::io::read_file(file.path().string()));
      std::printf("%s\n", error.empty() ? "accepted" : error.c_str());
      accepted += error.empty() ? 1 : 0;
    }
    gaze::fuzz::require(accepted > 0, "no input is accepted");
  }
}
