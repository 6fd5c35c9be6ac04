// SPDX-License-Identifier: MIT
// Running an ablation on the requested device.
#include "phyx/cli/run_ablation.hpp"

#include <cstdio>

#include "gaze/core/error.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/device.hpp"
#include "phyx/study/ablation.hpp"
#ifdef GAZE_WITH_CUDA
#include "phyx/study/ablation.inl"
#endif

namespace gaze::phyx::cli {

void run_ablation(const AblationSettings& settings, const std::string& out,
                  const std::string& device, bool resume, const std::string& line) {
  catch_signals();
  Progress progress;
  on_device(device, [&](auto chosen) {
    Ablation<decltype(chosen)> ablation(settings, out, listener(progress));
    ablation.prepare(resume, line);
    try {
      ablation.run();
    } catch (const Interrupted&) {
      std::fprintf(stderr, "interrupted; run the same command with --resume to continue\n");
      throw;
    }
  });
  const std::string folder = for_standard_output(out);
  std::printf("%s/report.html\n%s/results.csv\n", folder.c_str(), folder.c_str());
}

}  // namespace gaze::phyx::cli
