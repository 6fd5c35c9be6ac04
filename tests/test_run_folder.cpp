// SPDX-License-Identifier: MIT
// The folder of an ablation: locked by one process, refused if it has foreign files, and bound to
// its initial problems.
#include <filesystem>

#include "gaze/cpu/kernels.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/study/ablation.hpp"
#include "phyx/synth/files.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_run_folder {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
namespace fs = std::filesystem;

AblationSettings smallest() {
  AblationSettings s = ablation_preset("smoke");
  s.train_scenes = 30;
  s.test_known = s.test_new = 8;
  s.only = {"sft"};
  return s;
}

/// Runs to the end of the first step.
void begin(const std::string& out, bool resume) {
  Listener listener;
  listener.stop = [] { return true; };
  Ablation ablation(smallest(), out, listener);
  ablation.prepare(resume, "gaze");
  CHECK(contains(error_of([&] { ablation.run(); }), "stopped after step "));
}

std::string prepare(const std::string& out, bool resume = true) {
  return error_of([&] { Ablation(smallest(), out, {}).prepare(resume, "gaze"); });
}

std::string train_file(const std::string& out) {
  return suite_file(out + "/data", "train", Form::oe);
}

void change(const std::string& path) {
  std::string text = io::read_file(path);
  text.replace(text.find("?"), 1, "!");
  io::write_file(path, text);
}

io::Json files_of(const std::string& out) {
  return io::Json::parse(io::read_file(out + "/config.json"))["data"]["files"];
}

}  // namespace

TEST_CASE("config.json records the digest of every problem file, even of existing ones") {
  const test::Folder folder("run_folder");
  const std::string own = folder.file("own"), given = folder.file("given");
  begin(own, false);
  const io::Json files = files_of(own);
  CHECK(files.size() == 8);  // train, val, test_known, test_new, as MC and OE
  for (const auto& [name, digest] : files.items())
    CHECK(digest == io::sha256_file(own + "/data/" + name));

  fs::create_directories(given);
  fs::copy(own + "/data", given + "/data");
  change(train_file(given));
  begin(given, false);
  const io::Json others = files_of(given);
  CHECK(others["synth_train_OE.tsv"] == io::sha256_file(train_file(given)));
  CHECK(others["synth_train_OE.tsv"] != files["synth_train_OE.tsv"]);
  CHECK(others["synth_train_MC.tsv"] == files["synth_train_MC.tsv"]);
}

TEST_CASE("a run resumes only with the problems it started with") {
  const test::Folder folder("run_folder");
  const std::string out = folder.file("out");
  begin(out, false);
  const std::string data = train_file(out), before = io::read_file(data),
                    config = io::read_file(out + "/config.json"),
                    tokenizer = io::read_file(out + "/tokenizer.json");
  change(data);
  const auto written = fs::last_write_time(out + "/tokenizer.json");
  CHECK(contains(prepare(out), out +
                                   "/config.json, data.files.synth_train_OE.tsv: "
                                   "the run to be resumed has \"" +
                                   io::sha256(before) + "\", but \"" + io::sha256_file(data) +
                                   "\" was requested"));
  CHECK(io::read_file(out + "/config.json") == config);
  CHECK(fs::last_write_time(out + "/tokenizer.json") == written);
  // A missing file is generated again, and must be identical.
  fs::remove(data);
  begin(out, true);
  CHECK(io::read_file(data) == before);
  fs::remove(data);
  io::Json changed = io::Json::parse(config);
  changed["data"]["files"]["synth_train_OE.tsv"] = std::string(64, '0');
  io::write_file(out + "/config.json", changed.dump());
  Ablation ablation(smallest(), out, {});
  ablation.prepare(true, "gaze");
  CHECK(contains(error_of([&] { ablation.run(); }), "data.files.synth_train_OE.tsv: "));
  CHECK(io::read_file(out + "/tokenizer.json") == tokenizer);
}

TEST_CASE("a repeated test problem is refused before training") {
  const test::Folder folder("run_folder");
  const std::string out = folder.file("out");
  begin(out, false);
  const std::string again = folder.file("again");
  fs::create_directories(again);
  fs::copy(out + "/data", again + "/data");
  fs::copy_file(suite_file(again + "/data", "test_known", Form::mc),
                suite_file(again + "/data", "test_new", Form::mc),
                fs::copy_options::overwrite_existing);
  Ablation ablation(smallest(), again, {});
  ablation.prepare(false, "gaze");
  CHECK(contains(
      error_of([&] { ablation.run(); }),
      suite_file(again + "/data", "test_new", Form::mc) + ": problem test_known/0 occurs twice"));
  CHECK_FALSE(fs::exists(again + "/warm"));
}

TEST_CASE("an ablation locks its folder from prepare() to the end of run()") {
  const test::Folder folder("run_folder");
  const std::string out = folder.file("out"), refused = out + ": process " +
                                                        std::to_string(::getpid()) +
                                                        " is writing to this folder";
  std::string meanwhile;
  {
    Listener listener;
    listener.stop = [&] {
      meanwhile = prepare(out);
      return true;
    };
    Ablation ablation(smallest(), out, listener);
    ablation.prepare(false, "gaze");
    CHECK(contains(prepare(out), refused));
    CHECK_FALSE(error_of([&] { ablation.run(); }).empty());
    CHECK(contains(meanwhile, refused));
    CHECK(prepare(out).empty());
  }
  CHECK_FALSE(fs::exists(out + "/.gaze.lock"));
}

TEST_CASE("a folder with foreign files is not accepted as a run's") {
  const test::Folder folder("run_folder");
  const std::string out = folder.file("out");
  fs::create_directories(out);
  io::write_file(out + "/metrics.jsonl", std::string_view("mine"));
  CHECK(prepare(out, false) ==
        "[gaze::ablate] " + out +
            "/metrics.jsonl: already exists, but the folder has no config.json");
  CHECK(io::read_file(out + "/metrics.jsonl") == "mine");
  CHECK(std::distance(fs::directory_iterator(out), {}) == 1);
  fs::remove(out + "/metrics.jsonl");
  io::write_file(out + "/config.json", std::string_view("[]"));
  CHECK(contains(prepare(out), "config.json: not a JSON object"));
  // Logs that a run would truncate.
  fs::remove(out + "/config.json");
  begin(out, false);
  fs::remove(out + "/warm/seed0/state.safetensors");
  io::write_file(out + "/warm/seed0/metrics.jsonl", std::string_view("my notes"));
  Ablation ablation(smallest(), out, {});
  ablation.prepare(true, "gaze");
  CHECK(
      contains(error_of([&] { ablation.run(); }), "metrics.jsonl line 1: not a line of this log"));
  CHECK(io::read_file(out + "/warm/seed0/metrics.jsonl") == "my notes");
}

TEST_CASE("config.json has the version and the kernels of a bf16 run before there are problems") {
  const test::Folder folder("run_kernels");
  const std::string out = folder.path.string();
  AblationSettings s = smallest();
  s.precision = "bf16";
  Ablation(s, out, {}).prepare(false, "gaze");
  const auto config = io::Json::parse(io::read_file(out + "/config.json"));
  CHECK(config["version"] == GAZE_VERSION);
  CHECK(contains(config["instruction_set"].get<std::string>(), " with "));
}

}  // namespace test_run_folder
