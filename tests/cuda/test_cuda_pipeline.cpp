// SPDX-License-Identifier: MIT
// The whole ablation on Cuda: warm start, GRPO with an attention reward, evaluation, report.
#include <filesystem>
#include <fstream>

#include "cuda/host/choice.hpp"
#include "phyx/eval/ask.inl"
#include "phyx/study/ablation.inl"
#include "tests/cuda/device.hpp"
#include "tests/folder.hpp"

namespace test_cuda_pipeline {
namespace {

using namespace gaze;
using namespace gaze::phyx;
namespace fs = std::filesystem;

AblationSettings smallest() {
  AblationSettings s = ablation_preset("smoke");
  s.only = {"sft", "hybrid"};
  s.train_scenes = 24;
  s.test_known = s.test_new = 4;
  s.warm.letter_steps = s.warm.vision_steps = s.warm.caption_steps = 1;
  s.warm.clean_steps = s.warm.mixed_steps = 1;
  s.warm.batch = 2;
  s.warm.caption_picks = 1;
  s.evaluation.samples = 1;
  s.grpo_set = {"prompts=2", "group=2"};
  s.grpo_steps = 2;
  s.max_tokens = 8;
  return s;
}

}  // namespace

TEST_CASE("an ablation runs on Cuda, and its model gives the same answer on Cuda and the CPU",
          "[cuda][slow]") {
  GAZE_NEEDS_DEVICE();
  const test::Folder folder("cuda_pipeline");
  const fs::path out = folder.path / "out";
  Ablation<Cuda> ablation(smallest(), out.string(), {});
  ablation.prepare(false, "test");
  ablation.run();
  CHECK(io::read_file((out / "config.json").string()).find("\"device\": \"cuda\"") !=
        std::string::npos);
  Ablation<Cpu> elsewhere(smallest(), out.string(), {});
  CHECK_THROWS_WITH(elsewhere.prepare(true, "test"),
                    Catch::Contains("device: the run to be resumed has \"cuda\""));
  CHECK(fs::exists(out / "report.html"));
  CHECK(fs::file_size(out / "results.csv") > 1000);
  AskSettings asked;
  asked.model = (out / "arms/hybrid/seed0").string();
  asked.question = "What is the speed?";
  asked.sampling.greedy = true;
  asked.sampling.max_tokens = 8;
  CHECK(ask<Cuda>(asked) == ask<Cpu>(asked));
}

TEST_CASE("in a bf16 ablation with invariant products, every first ratio is 1", "[cuda][slow]") {
  GAZE_NEEDS_DEVICE();
  const test::Folder folder("cuda_pipeline_bf16");
  const fs::path out = folder.path / "out";
  AblationSettings s = smallest();
  s.precision = "bf16";
  s.only = {"hybrid"};
  {
    const gaze::test::Invariant invariant;
    Ablation<Cuda> ablation(s, out.string(), {});
    ablation.prepare(false, "test");
    ablation.run();
  }
  std::ifstream metrics(out / "metrics.jsonl");
  int updates = 0;
  for (std::string text; std::getline(metrics, text);) {
    const auto line = io::Json::parse(text);
    if (line["stage"] != "grpo") continue;
    ++updates;
    CHECK(line["first_ratio_min"] == 1.0);
    CHECK(line["first_ratio_max"] == 1.0);
  }
  CHECK(updates == 2);
}

}  // namespace test_cuda_pipeline
