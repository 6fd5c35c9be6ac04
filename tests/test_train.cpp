// SPDX-License-Identifier: MIT
// The step loop: stages in order, resuming to the same bits wherever a run ended, logs cut back,
// and what is refused.
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "gaze/ops/elementwise.hpp"
#include "gaze/train/loop.hpp"
#include "tests/folder.hpp"
#include "tests/restore.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"
#include "tests/toy_parameters.hpp"

namespace test_train {

namespace {

using namespace gaze;
using namespace gaze::test;
namespace fs = std::filesystem;
using Catch::Approx;

/// A folder for the files of one test.
struct Place : Folder {
  Place() : Folder("train") {}
};

struct Killed {};  // simulates SIGKILL

/// Three stages, with the steps of each counted. `kill_at` throws in the middle of that step of the
/// run, `stop_at` stops after that step.
struct Course {
  std::string folder;
  Index checkpoint_every = 2, kill_at = -1, stop_at = -1;
  std::array<Index, 3> steps = {5, 4, 6};
  std::array<int, 3> taken{};
  std::vector<std::uint32_t> weights{};
  std::vector<std::string> names = {"one", "two", "three"};
  Index toy_width = 20;

  void run() {
    Toy toy(toy_width);
    io::AppendLog extra(folder + "/extra.jsonl");
    RunFolder place;
    place.path = folder;
    place.tags["seed"] = 4;
    place.logs = {&extra};
    place.checkpoint_every = checkpoint_every;
    Index done = 0;
    place.stop = [&] { return stop_at >= 0 && done > stop_at; };
    Trainer<float> trainer(toy.parameters, place);
    const std::array<std::vector<std::string>, 3> parts = {{{"first"}, {}, {"second"}}};
    for (std::size_t k = 0; k < 3; ++k) {
      Stage stage;
      stage.name = names[k];
      stage.parts = parts[k];
      stage.steps = steps[k];
      stage.rate = {0.1, 2, steps[k], 0.1};
      trainer.run(stage, [&](Index step, const Update& update) -> Metrics {
        const auto key = 100 * k + static_cast<std::uint64_t>(step);
        const auto loss = [&] {
          if (k == 0) return toy.distance(toy.w->value, key);
          if (k == 2) return toy.distance(toy.v->value, key);
          return add(toy.distance(toy.w->value, key), toy.distance(toy.v->value, key));
        };
        backward(loss());
        extra.line("{\"at\":" + std::to_string(key) + "}");
        if (done++ == kill_at) throw Killed{};
        ++taken[k];
        update();  // two updates a step
        const auto last = loss();
        backward(last);
        update();
        return {{"loss", last.item()}, {"odd", std::nan("")}};
      });
    }
    weights = toy.weights();
  }

  /// metrics.jsonl without the time a step took.
  std::string metrics() const {
    std::istringstream in(io::read_file(folder + "/metrics.jsonl"));
    std::string out, line;
    while (std::getline(in, line)) {
      auto j = io::OrderedJson::parse(line);
      CHECK(j["step_time"].get<double>() >= 0);
      j.erase("step_time");
      out += j.dump() + "\n";
    }
    return out;
  }
  std::string extra() const { return io::read_file(folder + "/extra.jsonl"); }
};

Course course(const Folder& folder, const char* name) {
  fs::create_directories(folder.path / name);
  return {folder.file(name)};
}

std::string state_of(const Course& c) { return c.folder + "/state.safetensors"; }

/// Everything in a saved state but its metadata: log offsets depend on how long times are.
std::map<std::string, std::vector<std::byte>> tensors_of(const std::string& path) {
  const io::SafetensorsFile file(path);
  std::map<std::string, std::vector<std::byte>> out;
  for (const auto& [name, info] : file.tensors()) out[name] = file.read(name).data;
  return out;
}

/// Writes a saved state again with other metadata.
void change_state(const std::string& path, const std::string& key, const std::string& value) {
  std::vector<io::TensorEntry> tensors;
  io::Metadata metadata;
  {
    const io::SafetensorsFile file(path);
    for (const auto& [name, info] : file.tensors()) tensors.push_back(file.read(name));
    metadata = file.metadata();
  }
  metadata[key] = value;
  if (value.empty()) metadata.erase(key);
  io::write_safetensors(path, tensors, metadata);
}

}  // namespace

TEST_CASE("stages run in order, train their parts and log every step") {
  const Place folder;
  Course c = course(folder, "run");
  c.run();
  CHECK(c.taken == std::array<int, 3>{5, 4, 6});
  std::istringstream in(io::read_file(c.folder + "/metrics.jsonl"));
  std::string line;
  std::vector<std::string> seen;
  while (std::getline(in, line)) {
    const auto j = io::OrderedJson::parse(line);
    CHECK(j["seed"] == 4);
    CHECK(j["loss"].is_number());
    CHECK(j["odd"].is_null());  // JSON knows no NaN
    CHECK(j["grad_norm"].get<double>() > 0);
    seen.push_back(j["stage"].get<std::string>() + std::to_string(j["step"].get<int>()));
  }
  REQUIRE(seen.size() == 15);
  CHECK(seen.front() == "one0");
  CHECK(seen[5] == "two0");
  CHECK(seen.back() == "three5");
  CHECK(fs::exists(state_of(c)));
}

TEST_CASE("what a run cannot write or create is an error with its file") {
  const Place folder;
  const std::string base = course(folder, "run").folder, plain = base + "_plain";
  Toy toy(20);
  io::write_file(plain, std::string_view("a file"));
  RunFolder run;
  run.path = plain + "/below";
  std::string message;
  try {
    Trainer<float> trainer(toy.parameters, run);
  } catch (const Error& e) {
    message = e.what();
  }
  CHECK(message.rfind("[gaze::make_folders] " + run.path, 0) == 0);
  run.path = base + "_odd";
  run.tags["condition"] = "\xFF";  // not UTF-8
  io::make_folders(run.path);
  io::AppendLog log(run.metrics());
  message.clear();
  try {
    gaze::log_metrics(log, run, Stage{}, 0, {});
  } catch (const Error& e) {
    message = e.what();
  }
  CHECK(message.rfind("[gaze::dump_json] " + run.metrics(), 0) == 0);
}

TEST_CASE("a part that is not trained does not change") {
  const Place folder;
  Course c = course(folder, "run");
  c.steps = {5, 0, 0};
  c.run();
  const Toy fresh;
  const auto before = fresh.weights();
  const auto w = static_cast<std::ptrdiff_t>(fresh.w->value.numel());
  CHECK_FALSE(std::equal(before.begin(), before.begin() + w, c.weights.begin()));
  CHECK(std::equal(before.begin() + w, before.end(), c.weights.begin() + w));
}

TEST_CASE("a run that is killed and resumed has the bits of one that was not") {
  const Place folder;
  Course whole = course(folder, "whole");
  whole.run();
  for (const Index every : {1, 2, 100})
    for (const Index at : {0, 1, 4, 5, 8, 9, 11, 14}) {
      INFO("a checkpoint every " << every << " steps, killed in step " << at);
      Course broken = course(folder, "broken");
      broken.checkpoint_every = every;
      broken.kill_at = at;
      CHECK_THROWS_AS(broken.run(), Killed);
      Course rest = broken;
      rest.kill_at = -1;
      rest.taken = {};
      rest.run();
      CHECK(rest.weights == whole.weights);
      CHECK(rest.metrics() == whole.metrics());
      CHECK(rest.extra() == whole.extra());
      CHECK(tensors_of(state_of(rest)) == tensors_of(state_of(whole)));
      if (at >= 5) CHECK(rest.taken[0] == 0);  // finished stages are not run again
      if (at >= 9) CHECK(rest.taken[1] == 0);
      fs::remove_all(broken.folder);
    }
}

TEST_CASE("a stopped run has saved its last step and resumes from it") {
  const Place folder;
  Course whole = course(folder, "whole");
  whole.run();
  Course c = course(folder, "stopped");
  c.checkpoint_every = 100;
  const Course asked = c;
  for (Index at = 0; at < 15; ++at) {
    Course part = asked;
    part.stop_at = 0;  // one step, then stop; between stages it takes the next stage's first
    try {
      part.run();
      CHECK(part.weights == whole.weights);
      break;
    } catch (const Interrupted& e) {
      CHECK(contains(e.what(), "stopped after step"));
      CHECK(contains(e.what(), state_of(c)));
      CHECK(part.taken[0] + part.taken[1] + part.taken[2] <= 2);
    }
  }
  Course last = asked;
  last.run();
  CHECK(last.weights == whole.weights);
  CHECK(last.metrics() == whole.metrics());
  CHECK(last.extra() == whole.extra());
}

TEST_CASE("a finished run does nothing when it is resumed") {
  const Place folder;
  Course c = course(folder, "run");
  c.run();
  const auto metrics = io::read_file(c.folder + "/metrics.jsonl");
  Course again = c;
  again.taken = {};
  again.weights.clear();
  again.run();
  CHECK(again.taken == std::array<int, 3>{});
  CHECK(again.weights == c.weights);
  CHECK(io::read_file(c.folder + "/metrics.jsonl") == metrics);
}

TEST_CASE("a run without a saved state starts new logs") {
  const Place folder;
  Course c = course(folder, "run");
  c.checkpoint_every = 100;
  c.kill_at = 3;
  CHECK_THROWS_AS(c.run(), Killed);
  CHECK_FALSE(fs::exists(state_of(c)));
  CHECK_FALSE(io::read_file(c.folder + "/metrics.jsonl").empty());
  Course again = c;
  again.kill_at = 0;
  CHECK_THROWS_AS(again.run(), Killed);
  CHECK(io::read_file(c.folder + "/metrics.jsonl").empty());
  CHECK(again.extra() == "{\"at\":0}\n");
}

TEST_CASE("a saved state that does not belong to the run is refused by name") {
  const Place folder;
  Course c = course(folder, "run");
  c.kill_at = 7;
  CHECK_THROWS_AS(c.run(), Killed);
  c.kill_at = -1;
  const std::string path = state_of(c);
  const auto with = [&](const char* key, const std::string& value) {
    const std::string before = io::read_file(path);
    change_state(path, key, value);
    const std::string error = error_of([&] { Course(c).run(); });
    io::write_file(path, before);
    return error;
  };
  SECTION("another stage") {
    c.names[1] = "other";
    CHECK(error_of([&] { Course(c).run(); }) ==
          "[gaze::resume] " + path + ": saved in stage two, this run has other there");
  }
  SECTION("another instruction set") {
    CHECK(contains(with("isa", "abacus"), path + ": saved with abacus kernels, this run uses "));
  }
  SECTION("fewer steps") {
    CHECK(contains(with("step", "99"), path + ": saved after step 99 of a stage of 4"));
  }
  SECTION("damaged metadata") {
    for (const char* key : {"step", "stage_index", "optimiser_steps", "log.0", "log.1"}) {
      INFO(key);
      CHECK(contains(with(key, ""), path + ": its metadata has no " + key));
      for (const char* value : {"x", "-1", "1e3", "12 ", "99999999999999999999999"})
        CHECK(contains(with(key, value), path + ", " + key + ": not a count: '" + value + "'"));
    }
  }
  SECTION("logs that are shorter than at the checkpoint") {
    CHECK(contains(with("log.1", "1000000"), "extra.jsonl: cannot truncate to byte 1000000"));
    io::write_file(c.folder + "/metrics.jsonl", std::string_view(""));
    CHECK(contains(error_of([&] { Course(c).run(); }), "metrics.jsonl: cannot truncate to byte"));
  }
  SECTION("another model") {
    c.toy_width = 40;
    const std::string error = error_of([&] { Course(c).run(); });
    CHECK(contains(error, path + " tensor 'first': shape [64], expected [128]"));
  }
  SECTION("a file that is cut short") {
    const std::string whole = io::read_file(path);
    for (const std::size_t keep :
         {std::size_t{0}, std::size_t{5}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
      INFO(keep << " of " << whole.size() << " bytes");
      io::write_file(path, std::string_view(whole).substr(0, keep));
      const std::string error = error_of([&] { Course(c).run(); });
      CHECK(contains(error, path));
      CHECK_FALSE(contains(error, "\n"));
    }
  }
  SECTION("a file that is something else") {
    io::write_file(path, std::string_view("this is no state, but it is long enough to look at"));
    CHECK(contains(error_of([&] { Course(c).run(); }), path));
  }
}

TEST_CASE("a step must update, and may leave no gradient behind") {
  const Place folder;
  Toy toy;
  Stage stage;
  stage.name = "one";
  stage.parts = {"first"};
  stage.steps = 1;
  const auto train = [&](const char* name, const Trainer<float>::Step& step) {
    RunFolder run;
    run.path = folder.file(name);
    Trainer<float> trainer(toy.parameters, run);
    return error_of([&] { trainer.run(stage, step); });
  };
  const auto before = toy.weights();
  CHECK(train("never", [&](Index, const Update&) -> Metrics {
          backward(toy.distance(toy.w->value, 0));
          return {};
        }) == "[gaze::train] step 0 of stage one made no update");
  CHECK(toy.weights() == before);
  CHECK(train("late", [&](Index, const Update& update) -> Metrics {
          backward(toy.distance(toy.w->value, 0));
          update();
          backward(toy.distance(toy.w->value, 1));
          return {};
        }) == "[gaze::train] step 0 of stage one computed gradients after its last update");
}

TEST_CASE("a step without gradients, or with broken ones, is an error and changes nothing") {
  Toy toy;
  const auto before = toy.weights();
  AdamW<float> optimiser(toy.parameters, {});
  backward(toy.distance(toy.w->value, 0));
  CHECK(contains(error_of([&] { optimiser.step(0.1); }), "no gradient reached v"));
  backward(scale(toy.distance(toy.v->value, 0), std::numeric_limits<float>::infinity()));
  CHECK(contains(error_of([&] { optimiser.step(0.1); }), "the gradient's norm is"));
  CHECK(toy.weights() == before);
}

TEST_CASE("the cosine schedule warms up, peaks and ends at its floor") {
  const CosineSchedule rate{2.0, 4, 14, 0.1};
  CHECK(rate(0) == Approx(0.5));
  CHECK(rate(3) == Approx(2.0));
  CHECK(rate(4) == Approx(2.0));
  CHECK(rate(9) == Approx(2.0 * 0.55));
  CHECK(rate(14) == Approx(0.2));
  CHECK(rate(1000) == Approx(0.2));
  for (Index i = 4; i < 14; ++i) CHECK(rate(i + 1) < rate(i));
}

TEST_CASE("what a run records of its kernels tells all that decides the bits") {
  const Restore restore;
  for (const Isa isa : every_isa)
    if (supported(isa)) {
      set_isa(isa);
      CHECK(kernels_name<Cpu>(false) == name(isa));
    }
  std::set<std::string> names = {kernels_name<Cpu>(false)};
  for (const auto way : every_bf16_products)
    if (supported(way)) {
      set_bf16_products(way);
      CHECK(names.insert(kernels_name<Cpu>(true)).second);
    }
}

TEST_CASE("a trainer neither cuts nor continues somebody else's metrics") {
  const Place folder;
  Course c = course(folder, "run");
  const std::string path = c.folder + "/metrics.jsonl";
  for (const std::string& text :
       {std::string("my notes"), std::string("{\"seed\":5,\"stage\":\"one\"}\n"),
        std::string("{\"seed\":4,\"loss\":1}\n")}) {
    io::write_file(path, text);
    CHECK(contains(error_of([&] { Course(c).run(); }), path + " line 1: not a line of this log"));
    CHECK(io::read_file(path) == text);
  }
  fs::remove(path);
  const io::AppendLog other(path);
  CHECK(contains(error_of([&] { Course(c).run(); }), path + ": another process is writing it"));
}

}  // namespace test_train
