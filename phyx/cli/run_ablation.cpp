// SPDX-License-Identifier: MIT
// Running or previewing a study on the requested device.
#include "phyx/cli/run_ablation.hpp"

#include <cstdio>

#include "gaze/core/error.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/device.hpp"
#include "phyx/study/preview.hpp"
#include "phyx/study/run_study.hpp"
#ifdef GAZE_WITH_CUDA
#include "phyx/study/preview.inl"
#include "phyx/study/run_study.inl"
#endif

namespace gaze::phyx::cli {

void run_ablation(const Study& study, const std::string& out, const std::string& device,
                  bool resume, const std::string& line) {
  catch_signals();
  Progress progress;
  on_device(device, [&](auto chosen) {
    try {
      run_study<decltype(chosen)>(study, {out, resume, line, listener(progress)});
    } catch (const Interrupted&) {
      std::fprintf(stderr, "interrupted; run the same command with --resume to continue\n");
      throw;
    }
  });
  const std::string folder = for_standard_output(out);
  std::printf("%s/report.html\n%s/results.csv\n", folder.c_str(), folder.c_str());
}

void check_ablation(const Study& study, const std::string& device) {
  Progress progress;
  const std::string text = on_device(
      device, [&](auto chosen) { return preview<decltype(chosen)>(study, listener(progress)); });
  std::fputs(for_standard_output(text).c_str(), stdout);
}

}  // namespace gaze::phyx::cli
