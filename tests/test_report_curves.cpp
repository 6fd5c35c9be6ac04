// SPDX-License-Identifier: MIT
// The learning curves of a report: drawn from the log of a real run, so that the report's names are
// those that training writes.
#include <set>
#include <sstream>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "phyx/report/charts.hpp"
#include "phyx/report/page.hpp"
#include "phyx/study/ablation.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_report_curves {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::Folder;

/// A smoke run of one arm, made once per process.
struct SmokeRun {
  Folder folder{"report_curves"};
  std::string out = folder.file("run");

  SmokeRun() {
    AblationSettings s = ablation_preset("smoke");
    s.only = {"hybrid"};
    s.train_scenes = 60;
    s.test_known = s.test_new = 8;
    s.warm.clean_steps = 8;
    s.max_tokens = 12;
    s.validate_scenes = 4;
    s.grpo_set = {"group=3", "papo.gamma=0.1", "papo.eta_masked=0.03"};
    Ablation ablation(s, out, {});
    ablation.prepare(false, "test");
    ablation.run();
  }

  /// The lines of GRPO steps.
  std::vector<io::OrderedJson> steps() const {
    std::vector<io::OrderedJson> found;
    std::istringstream in(io::read_file(out + "/metrics.jsonl"));
    for (std::string line; std::getline(in, line);) {
      auto j = io::OrderedJson::parse(line);
      if (j["stage"] == "grpo") found.push_back(std::move(j));
    }
    return found;
  }
};

const SmokeRun& smoke_run() {
  static const SmokeRun run;
  return run;
}

std::string curves_of(const std::string& folder) {
  const std::string page = io::read_file(folder + "/report.html");
  const std::size_t begin = page.find("<section id=\"curves\">");
  REQUIRE(begin != page.npos);
  return page.substr(begin, page.find("</section>", begin) - begin);
}

bool drawn(const std::string& curves, const std::string& heading) {
  return contains(curves, "<figcaption>" + heading + "</figcaption>");
}

}  // namespace

TEST_CASE("a real run's report draws every curve of its log", "[report]") {
  const std::string curves = curves_of(smoke_run().out);
  for (const char* heading :
       {"Validation accuracy, greedy (%)", "Accuracy of the step&#39;s samples (%)",
        "Reward (mean of the step)", "Reward part: hybrid", "Reward part: format",
        "Groups with only right answers (%)", "Groups with only wrong answers (%)",
        "Groups with equal rewards (%)", "KL from the warm start (nats per token)",
        "KL from the masked picture, PAPO (nats per token)", "Entropy (nats per token)",
        "Attention on the image (mean over tokens)", "Response length (tokens)",
        "Truncated responses (%)", "Ratios clipped above (%)", "Gradient norm",
        "Tokens per second"}) {
    INFO(heading);
    CHECK(drawn(curves, heading));
  }
  CHECK_FALSE(drawn(curves, "KL term of the loss (nats per token)"));  // kl = 0
}

TEST_CASE("a quantity that is always 0 has an axis from 0 to 1", "[report]") {
  report::LineChart chart{"zeros", "step", "", {}, true};
  chart.series.push_back({"a", "c0", {{0, 0}, {10, 0}}});
  const std::string svg = report::draw(chart);
  CHECK(contains(svg, "tick end\">0</text>"));
  CHECK(contains(svg, "tick end\">1</text>"));
  CHECK_FALSE(contains(svg, "e-"));
}

TEST_CASE("a run logs the metrics that the curves are drawn from", "[report]") {
  const auto steps = smoke_run().steps();
  REQUIRE(steps.size() == 3);
  for (const auto& line : steps)
    for (const char* key :
         {"rewards/hybrid/mean", "rewards/format/mean", "accuracy", "kl_start", "groups/all_right",
          "groups/all_wrong", "validation/accuracy", "papo/kl", "papo/masked_entropy"}) {
      INFO(key);
      REQUIRE(line.contains(key));
      CHECK(line[key].get<double>() >= 0);
    }
  CHECK(steps[0]["kl_start"] == 0);  // the policy is still the warm start, bit for bit
  CHECK(steps[2]["kl_start"] > 0);
}

TEST_CASE("a KL term that is on and correlations are drawn; strange names are escaped",
          "[report]") {
  const Folder folder("report_curves_names");
  std::string lines;
  for (int step = 0; step < 3; ++step)
    lines += io::Json{{"condition", "accuracy"}, {"seed", 0},
                      {"stage", "grpo"},         {"step", step},
                      {"kl", 0.01 * step},       {"correlation/reward", 0.5},
                      {"correlation/<b>", -0.5}, {"rewards/<i>/mean", 0.5}}
                 .dump() +
             "\n";
  io::write_file(folder.file("metrics.jsonl"), lines);
  write_report(folder.path.string(), {});
  const std::string curves = curves_of(folder.path.string());
  CHECK(drawn(curves, "KL term of the loss (nats per token)"));
  CHECK(drawn(curves, "Pooled correlation with correctness: reward"));
  CHECK(drawn(curves, "Pooled correlation with correctness: &lt;b&gt;"));
  CHECK(drawn(curves, "Reward part: &lt;i&gt;"));
  CHECK_FALSE(drawn(curves, "KL from the warm start (nats per token)"));  // not measured
  CHECK_FALSE(contains(curves, "<b>"));
  CHECK_FALSE(contains(curves, "part: <i>"));
}

}  // namespace test_report_curves
