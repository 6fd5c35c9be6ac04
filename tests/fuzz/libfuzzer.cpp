// SPDX-License-Identifier: MIT
// Entry points for libFuzzer. All targets are one program; GAZE_FUZZ_TARGET names the one to run.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.hpp"

namespace {

const gaze::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("GAZE_FUZZ_TARGET");
  chosen = name ? gaze::fuzz::Target::find(name) : nullptr;
  if (chosen) return 0;
  std::fprintf(stderr, "GAZE_FUZZ_TARGET must be one of:\n");
  for (const auto* t : gaze::fuzz::Target::all())
    std::fprintf(stderr, "%.*s\n", static_cast<int>(t->name.size()), t->name.data());
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gaze::fuzz::run(*chosen, {reinterpret_cast<const char*>(data), size});
  return 0;
}
