// SPDX-License-Identifier: MIT
// The program and its files: one writer per folder, closed and full standard streams, foreign
// folders, runs that must not be pooled.
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "gaze/io/folder_lock.hpp"
#include "gaze/io/json.hpp"
#include "tests/program.hpp"

namespace test_cli_files {
namespace {

using namespace gaze;
using namespace gaze::test;

/// Runs a shell command in which $gaze is the program, and returns its exit code.
int shell(const std::string& line) {
  ::setenv("gaze", program().c_str(), 1);
  const int status = std::system(("ulimit -t 300; " + line).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string put(const std::string& name, const std::string& text) {
  fs::create_directories(fs::path(at(name)).parent_path());
  io::write_file(at(name), text);
  return at(name);
}

/// Predictions with so many subfields that the score table exceeds any stream buffer.
std::string predictions() {
  std::string text = "index\tanswer\tcategory\tsubfield\tprediction\n";
  for (int i = 0; i < 2000; ++i) {
    const std::string n = std::to_string(i);
    text += n + "\t5 m\tOptics\tSubfield " + n + " of many\tFinal answer: 5 m\n";
  }
  return put("many_OE.tsv", text);
}

void check_scores(const std::string& out) {
  for (const char* name : {"scores.tsv", "results.csv", "many_OE_acc.csv"}) {
    INFO(out << "/" << name);
    CHECK(fs::exists(out + "/" + name));
  }
}

const std::string no_results =
    "condition,seed,split,format,slice_kind,slice,metric,n,value,low,high\n";

/// A folder with the configuration of a run, and no results in it.
std::string run_folder(const std::string& name, const io::Json& changes = {}) {
  io::Json config = {{"preset", "quick"},
                     {"precision", "float32"},
                     {"seeds", {0}},
                     {"only", io::Json::array()},
                     {"split", "test"},
                     {"corruption", 0.36},
                     {"data", {{"seed", 1}, {"files", {{"synth_train_MC.tsv", "ab"}}}}},
                     {"grpo", {{"kl", 0.0}, {"steps", 100}}},
                     {"device", "cpu"},
                     {"version", "0.1.0"}};
  if (!changes.is_null()) config.merge_patch(changes);
  put(name + "/config.json", config.dump());
  put(name + "/results.csv", no_results);
  return at(name);
}

/// Checks that every line of a log is JSON and that none is repeated.
void check_log(const std::string& path) {
  std::istringstream in(io::read_file(path));
  std::set<std::string> seen;
  for (std::string line; std::getline(in, line);) {
    INFO(path << ": " << line);
    REQUIRE(io::OrderedJson::accept(line));
    const auto j = io::OrderedJson::parse(line);
    CHECK(seen.insert(j["stage"].get<std::string>() + " " + j["step"].dump()).second);
  }
  CHECK(seen.size() > 3);
}

Words sft(const std::string& out) {
  return {"sft", "--preset", "smoke", "--checkpoint-every", "1", "--out", out};
}

}  // namespace

TEST_CASE("every command refuses a folder that another process is writing") {
  if (!have_program()) return;
  const std::string run = run_folder("held_run"), out = at("held");
  put("held_MC.tsv", "answer\tprediction\nA\tA\n");
  const io::FolderLock lock(out), of_run(run);
  const std::string by_this =
      ": process " + std::to_string(::getpid()) + " is writing to this folder";
  for (const Words& words :
       {Words{"ablate", "--preset", "smoke", "--out", out}, sft(out),
        Words{"grpo", "--preset", "smoke", "--out", out}, Words{"synth", "--out", out},
        Words{"score", "--predictions", at("held_MC.tsv"), "--out", out},
        Words{"report", run, "--out", out}})
    refused(words, {out + by_this});
  refused({"report", run}, {run + by_this});
  CHECK(std::distance(fs::directory_iterator(out), {}) == 1);  // the lock
}

TEST_CASE("failed output to stdout is an error, but the files are written") {
  if (!have_program() || !fs::exists("/dev/full")) return;
  const std::string err = at("full_err"), out = at("full"), said = predictions();
  CHECK(shell("\"$gaze\" score --predictions " + said + " --out " + out + " >/dev/full 2>" + err) ==
        2);
  const std::string text = io::read_file(err);
  CHECK(text.rfind("gaze: [gaze::print] standard output: cannot write", 0) == 0);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  check_scores(out);
  CHECK(shell("\"$gaze\" info >/dev/full 2>" + err) == 2);
  CHECK(contains(io::read_file(err), "No space left on device"));
  CHECK(shell("\"$gaze\" --help >/dev/full 2>" + err) == 2);
}

TEST_CASE("a file above the limit of ulimit -f is an error that names it, and leaves none") {
  if (!have_program()) return;
  const std::string err = at("limit_err"), out = at("limit"), said = predictions();
  CHECK(shell("ulimit -f 8; \"$gaze\" score --predictions " + said + " --out " + out + " 2>" +
              err) == 2);
  const std::string complaint = io::read_file(err);  // gcov, where it counts lines, complains too
  CHECK(complaint.substr(0, complaint.find("libgcov")) ==
        "gaze: [gaze::write_file] " + out + "/scores.tsv: cannot write: File too large\n");
  CHECK(fs::is_empty(out));
}

TEST_CASE("a reader that closes the pipe early is no error and costs no file") {
  if (!have_program()) return;
  const std::string said = predictions(), code = at("code");
  for (const char* reader : {"head -1", "true", "exec 0<&-; sleep 1"}) {
    const std::string out = at("head");
    fs::remove_all(out);
    shell("(\"$gaze\" score --predictions " + said + " --out " + out + "; echo $? >" + code +
          ") | (" + reader + ") >/dev/null");
    INFO(reader);
    CHECK(io::read_file(code) == "0\n");
    check_scores(out);
  }
}

TEST_CASE("closed standard streams do no harm") {
  if (!have_program()) return;
  const std::string said = predictions();
  for (const char* closed : {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"}) {
    INFO(closed);
    const std::string out = at("closed");
    fs::remove_all(out);
    CHECK(shell("\"$gaze\" score --predictions " + said + " --out " + out + " " + closed +
                " >/dev/null") == 0);
    check_scores(out);
    CHECK(io::read_file(out + "/scores.tsv").rfind("row\tindex\t", 0) == 0);
  }
}

TEST_CASE("runs with different settings are not pooled, and their folders are not written") {
  if (!have_program()) return;
  const std::string a = run_folder("a"), out = at("together");
  const auto differs = [&](const io::Json& changes, const Words& parts) {
    const std::string b = run_folder("b", changes);
    Words all = parts;
    all.push_back(a + "/config.json");
    all.push_back(b + "/config.json");
    refused({"report", a, b, "--out", out}, all, out);
    refused({"report", a, a, b, "--out", out}, all, out);
  };
  differs({{"precision", "bf16"}}, {"precision is \"float32\" in ", " and \"bf16\" in "});
  differs({{"corruption", 0}}, {"corruption is 0.36 in ", " and 0 in "});
  differs({{"split", "val"}}, {"split is \"test\" in ", " and \"val\" in "});
  differs({{"grpo", {{"kl", 0.1}}}}, {"grpo.kl is 0.0 in ", " and 0.1 in "});
  differs({{"grpo", {{"kl", nullptr}}}}, {"grpo.kl is 0.0 in ", " and null in "});
  differs({{"grpo", {{"new", true}}}}, {"grpo.new is null in ", " and true in "});
  differs({{"data", {{"files", {{"synth_train_MC.tsv", "cd"}}}}}},
          {"data.files.synth_train_MC.tsv is \"ab\" in ", " and \"cd\" in "});
  differs({{"version", "\033[2J" + std::string(5000, 'x')}}, {"and \"\\u001b[2Jxxx", "xxx... in "});

  const std::string c = run_folder("c", {{"preset", "full"},
                                         {"seeds", {1, 2}},
                                         {"only", {"sft"}},
                                         {"device", "cuda"},
                                         {"command", "gaze ablate"},
                                         {"instruction_set", "avx2"},
                                         {"threads", 2},
                                         {"started", "2026-01-01T00:00:00Z"},
                                         {"seconds", 5.5},
                                         {"parameters", 7},
                                         {"memory_bytes", {{"forecast", 5}}}});
  put("a/results.csv", no_results + "sft,0,all,all,overall,all,accuracy_greedy,1,1,1,1\n");
  const std::string before = io::read_file(a + "/results.csv");
  refused({"report", a, c}, {"--out"});
  for (const std::string& into : {a, c, a + "/x", at("x/../a"), c + "/y/z"})
    refused({"report", a, c, "--out", into}, {into, "is being reported on"});
  refused({"report", a, "--out", c}, {c + ": contains a run (config.json)"});
  for (const auto& folder : {a, c}) {
    CHECK(std::distance(fs::directory_iterator(folder), {}) == 2);
    CHECK(io::read_file(a + "/results.csv") == before);
  }
  fs::create_directories(at("bare"));
  put("bare/results.csv", no_results);
  refused({"report", a, at("bare"), "--out", out}, {at("bare"), "no config.json"}, out);

  refused({"report", a, "--publish", ""}, {"a folder is needed"});
  refused({"report", a, "--publish", a}, {a, "is being reported on"});
  refused({"report", a, "--publish", a + "/kept"}, {a + "/kept: is inside"}, a + "/kept");
  refused({"report", a, "--publish", fs::path(a).parent_path().string()}, {": contains " + a});
  put("notes/tables.md", "# My tables");
  refused({"report", a, "--publish", at("notes")}, {"not of an earlier --publish"});
  CHECK(io::read_file(at("notes/tables.md")) == "# My tables");
  for (int round = 0; round < 2; ++round) {  // the second one replaces the first
    CHECK(gaze_run({"report", a, c, "--publish", at("kept")}).code == 0);
    CHECK(io::read_file(at("kept/tables.md")).starts_with("# Tables"));
    CHECK(fs::exists(at("kept/run002/config.json")));
    CHECK_FALSE(fs::exists(at("kept/report.html")));
    io::write_file(at("kept/mine.svg"), "mine");
  }
  CHECK(gaze_run({"report", a, "--publish", at("kept")}).code == 0);
  CHECK(fs::exists(at("kept/config.json")));
  CHECK_FALSE(fs::exists(at("kept/run002")));
  CHECK(io::read_file(at("kept/mine.svg")) == "mine");
  CHECK(gaze_run({"report", at("kept"), "--out", at("page")}).code == 0);
  CHECK(gaze_run({"report", a, c, "--out", out}).code == 0);
  CHECK(contains(io::read_file(out + "/results.csv"), "sft,0,all"));
  CHECK(fs::exists(out + "/report.html"));
  CHECK(gaze_run({"report", a, c, "--out", out}).code == 0);  // drawn again
  CHECK(gaze_run({"report", a}).code == 0);                   // its own page
  CHECK(io::read_file(a + "/results.csv") == before);
  CHECK(std::distance(fs::directory_iterator(a), {}) == 3);
}

TEST_CASE("foreign files in --out are not overwritten") {
  if (!have_program()) return;
  const std::string said = put("said_MC.tsv", "answer\tprediction\nA\tA\n"), run = run_folder("r");
  const auto in_the_way = [&](const Words& words, const std::string& file) {
    fs::remove_all(at("home"));
    const std::string path = put("home/" + file, "mine");
    Words all = words;
    for (const auto& word : {std::string("--out"), at("home")}) all.push_back(word);
    INFO(words.front() << ", " << file);
    refused(all, {path + ": already exists"});
    CHECK(io::read_file(path) == "mine");
    CHECK(std::distance(fs::recursive_directory_iterator(at("home")), {}) ==
          std::count(file.begin(), file.end(), '/') + 1);
  };
  for (const char* file :
       {"results.csv", "metrics.jsonl", "report.html", "tokenizer.json", "completions.jsonl",
        "differing.jsonl", "warm/x", "arms/x", "images/x"}) {
    const bool folder = std::string(file).find('/') != std::string::npos;
    if (!folder) in_the_way({"ablate", "--preset", "smoke"}, file);
    if (folder) {
      fs::remove_all(at("home"));
      put("home/" + std::string(file), "mine");
      refused({"ablate", "--preset", "smoke", "--out", at("home")}, {"already exists"});
    }
  }
  for (const char* file : {"results.csv", "said_MC_acc.csv"})
    in_the_way({"score", "--predictions", said}, file);
  in_the_way({"report", run}, "report.html");
  in_the_way({"report", run}, "results.csv");
  in_the_way({"synth", "--scenes", "1"}, "synth_val_OE.tsv");
}

TEST_CASE("one of two processes on a folder is refused; leftovers of a killed one are removed",
          "[slow]") {
  if (!have_program()) return;
  const std::string out = at("two"), log = out + "/warm/seed0/metrics.jsonl";
  Words line = sft(out);
  {
    const Started one(line, "one_"), two(line, "two_");
    for (int i = 0; i < 12000 && (!fs::exists(log) || fs::file_size(log) < 500); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    one.signal(SIGKILL);  // the refused one has already ended
    two.signal(SIGKILL);
    const Done first = one.wait(), second = two.wait();
    const bool first_refused = first.code == 2;
    CHECK((first_refused ? first : second).err ==
          "gaze: [gaze::lock] " + out + ": process " +
              std::to_string((first_refused ? two : one).pid()) + " is writing to this folder\n");
    CHECK((first_refused ? second : first).code == -SIGKILL);
  }

  // As if killed while writing these.
  const Words leftovers = {out + "/.gaze-0123456789abcdef.tmp",
                           out + "/data/.gaze-0123456789abcdef.tmp",
                           out + "/warm/seed0/.gaze-0123456789abcdef.tmp"};
  for (const auto& path : leftovers) std::ofstream(path) << "half";
  line.push_back("--resume");
  const Done d = gaze_run(line);
  INFO(d.err);
  REQUIRE(d.code == 0);
  check_log(log);
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    CHECK_FALSE(contains(entry.path().string(), ".tmp"));
    CHECK_FALSE(contains(entry.path().string(), ".lock"));
  }

  // Problems that have changed are refused before anything is written.
  const std::string data = out + "/data/synth_train_MC.tsv",
                    config = io::read_file(out + "/config.json"),
                    words = io::read_file(out + "/tokenizer.json");
  std::string text = io::read_file(data);
  text.replace(text.find("?"), 1, "!");
  io::write_file(data, text);
  refused(line,
          {out + "/config.json, data.files.synth_train_MC.tsv: the run to be resumed has \""});
  CHECK(io::read_file(out + "/config.json") == config);
  CHECK(io::read_file(out + "/tokenizer.json") == words);
}

TEST_CASE("a run continues when progress cannot be written, and its logs contain no progress",
          "[slow]") {
  if (!have_program()) return;
  const std::string out = at("silent"), code = at("code");
  std::string words;
  for (const auto& word : sft(out)) words += " '" + word + "'";
  for (const char* deaf : {"2>&-", "2>&1 | true"}) {
    INFO(deaf);
    fs::remove_all(out);
    shell("(\"$gaze\"" + words + " >/dev/null; echo $? >" + code + ") " + deaf);
    CHECK(io::read_file(code) == "0\n");
    check_log(out + "/warm/seed0/metrics.jsonl");
    check_log(out + "/metrics.jsonl");
  }
}

TEST_CASE("SIGTERM stops a run like Ctrl-C, and a second signal ends it at once", "[slow]") {
  if (!have_program()) return;
  const std::string out = at("stopped"), log = out + "/warm/seed0/metrics.jsonl";
  Words line = sft(out);
  line.push_back("--resume");
  std::uintmax_t size = 0;
  for (const int second : {0, SIGINT, SIGTERM}) {
    const Started run(line);
    for (int i = 0; i < 12000 && (!fs::exists(log) || fs::file_size(log) < size + 500); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    run.signal(SIGTERM);
    if (second) run.signal(second);
    const Done d = run.wait();
    INFO(d.err);
    // If both signals arrive between two steps, the first one suffices.
    CHECK((d.code == 130 || (second && d.code == -second)));
    if (d.code == 130) CHECK(contains(d.err, "--resume"));
    if (d.code == 130) CHECK_FALSE(fs::exists(out + "/.gaze.lock"));
    CHECK(fs::exists(out + "/warm/seed0/state.safetensors"));
    size = fs::file_size(log);
  }
  const Done d = gaze_run(line);
  INFO(d.err);
  REQUIRE(d.code == 0);
  check_log(log);
}

}  // namespace test_cli_files
