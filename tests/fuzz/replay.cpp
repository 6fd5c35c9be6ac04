// SPDX-License-Identifier: MIT
// Runs every target on its corpus, without libFuzzer: fuzz_replay CORPUS_FOLDER. Each target has a
// folder of its name, in which at least one input is accepted.
#include <cstdio>
#include <filesystem>
#include <string>

#include "gaze/io/atomic_file.hpp"
#include "tests/fuzz/target.hpp"

int main(int count, char** arguments) {
  namespace fs = std::filesystem;
  using gaze::fuzz::Target;
  gaze::fuzz::require(count == 2, "usage: fuzz_replay CORPUS_FOLDER");
  for (const auto& folder : fs::directory_iterator(arguments[1])) {
    const std::string name = folder.path().filename().string();
    std::printf("%s: ", name.c_str());
    gaze::fuzz::require(Target::find(name) != nullptr, "no target of this name");
  }
  std::printf("\n");
  for (const Target* target : Target::all()) {
    int accepted = 0, inputs = 0;
    for (const auto& file : fs::directory_iterator(fs::path(arguments[1]) / target->name)) {
      std::printf("%s\n", file.path().c_str());
      std::fflush(stdout);
      accepted += gaze::fuzz::run(*target, gaze::io::read_file(file.path().string()));
      ++inputs;
    }
    std::printf("%d of %d accepted\n", accepted, inputs);
    gaze::fuzz::require(accepted > 0, "no input is accepted");
  }
}
