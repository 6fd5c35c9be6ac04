// SPDX-License-Identifier: MIT
// The event file of a training run: the metrics of every step, also after a kill and a resume.
#include <cmath>

#include "gaze/ops/elementwise.hpp"
#include "gaze/train/loop.hpp"
#include "tests/data.hpp"
#include "tests/event_records.hpp"
#include "tests/folder.hpp"
#include "tests/toy_parameters.hpp"

namespace test_train_events {
namespace {

using namespace gaze;
using namespace gaze::test;

struct Killed {};  // simulates SIGKILL

/// Two stages of six steps; `kill_at` throws in that step of the run.
void train(const std::string& folder, bool tensorboard, Index kill_at = -1) {
  Toy toy;
  RunFolder place;
  place.path = folder;
  place.tags["seed"] = 4;
  place.checkpoint_every = 4;
  place.tensorboard = tensorboard;
  Trainer<float> trainer(toy.parameters, place);
  for (Index k = 0; k < 2; ++k) {
    Stage stage;
    stage.name = k == 0 ? "sft" : "grpo";
    stage.steps = 6;
    stage.rate = {0.1, 2, 6, 0.1};
    trainer.run(stage, [&](Index step, const Update& update) -> Metrics {
      if (6 * k + step == kill_at) throw Killed{};
      const auto key = static_cast<std::uint64_t>(step);
      const auto loss = add(toy.distance(toy.w->value, key), toy.distance(toy.v->value, key));
      backward(loss);
      update();
      return {{"loss", loss.item()}, {"rewards/odd/mean", std::nan("")}};
    });
  }
}

std::string event_path(const std::string& folder) { return folder + "/" + io::event_file_name; }

/// Compares the events with the lines of metrics.jsonl, one by one.
void check_events(const std::string& folder) {
  const auto lines = json_lines(folder + "/metrics.jsonl");
  const auto events = read_events(event_path(folder));
  REQUIRE(lines.size() == 12);
  REQUIRE(events.size() == lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines[i];
    CHECK(events[i].step == line["step"]);
    CHECK(events[i].values.size() + 3 == line.size());  // seed, stage and step are not metrics
    const std::string stage = line["stage"].get<std::string>() + "/";
    for (const auto& [tag, value] : events[i].values) {
      INFO(tag);
      REQUIRE(tag.rfind(stage, 0) == 0);
      const auto& logged = line.at(tag.substr(stage.size()));
      if (logged.is_null())
        CHECK(std::isnan(value));
      else
        CHECK(value == static_cast<float>(logged.get<double>()));
    }
  }
}

TEST_CASE("every line of metrics.jsonl is an event, also after a kill and a resume") {
  const Folder folder("train_events");
  const std::string whole = folder.file("whole"), resumed = folder.file("resumed"),
                    later = folder.file("later"), none = folder.file("none");
  train(whole, true);
  check_events(whole);

  CHECK_THROWS_AS(train(resumed, true, 9), Killed);
  const auto size = std::filesystem::file_size(event_path(resumed));
  CHECK(read_events(event_path(resumed)).size() == 9);
  train(resumed, true);
  check_events(resumed);
  CHECK(std::filesystem::file_size(event_path(resumed)) ==
        std::filesystem::file_size(event_path(whole)));
  // The repeated records have their old sizes: a reader's place is still the start of a record.
  const std::string bytes = io::read_file(event_path(resumed));
  CHECK(io::masked_crc32c(std::string_view(bytes).substr(size, 8)) ==
        io::detail::little_endian<std::uint32_t>(std::string_view(bytes).substr(size + 8)));

  CHECK_THROWS_AS(train(later, false, 9), Killed);
  train(later, true);  // the file gets the steps before, too
  check_events(later);

  train(none, false);
  CHECK_FALSE(std::filesystem::exists(event_path(none)));
}

}  // namespace
}  // namespace test_train_events
