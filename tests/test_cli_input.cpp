// SPDX-License-Identifier: MIT
// Input of the program: decimal numbers, pipes and devices instead of files, paths that are not
// UTF-8, invalid configurations. Bad input is reported in one line, and nothing is written.
#include <sys/stat.h>

#include <chrono>
#include <thread>
#include <tuple>

#include "gaze/io/json.hpp"
#include "tests/program.hpp"

namespace test_cli_input {
namespace {

using namespace gaze;
using namespace gaze::test;

/// The output of a shell command; `$gaze` is the program.
Done shell(const std::string& command) {
  const std::string out = at("shell_out"), err = at("shell_err");
  ::setenv("gaze", program().c_str(), 1);
  const std::string whole = "exec timeout 60 bash -c '" + command + "' >" + out + " 2>" + err;
  const int status = std::system(whole.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, io::read_file(out), io::read_file(err)};
}

}  // namespace

TEST_CASE("integers are decimal, with or without leading zeros") {
  if (!have_program()) return;
  const auto synth = [&](const std::string& folder, const std::string& seed) {
    return gaze_run({"synth", "--out", at(folder), "--scenes", "02", "--split", "val", "--seed",
                     seed, "--image-size", "048"});
  };
  const auto table = [&](const std::string& folder) {
    return io::read_file(at(folder + "/synth_val_MC.tsv"));
  };
  for (const char* seed : {"10", "010", "8", "08"}) {
    const Done d = synth("seed" + std::string(seed), seed);
    INFO(d.err);
    CHECK(d.code == 0);
  }
  CHECK((table("seed010") == table("seed10")));
  CHECK((table("seed08") == table("seed8")));
  CHECK((table("seed010") != table("seed8")));
  const std::string out = at("no_number");
  for (const char* wrong : {"0x10", "1e3", "1_000", "+ 5", "5 ", "", "ten", "0b1"}) {
    refused({"synth", "--out", out, "--seed", wrong}, {"--seed"}, out);
    refused({"ablate", "--preset", "smoke", "--out", out, "--steps", wrong}, {"--steps"}, out);
    refused({"ablate", "--preset", "smoke", "--out", out, "--group", wrong}, {"--group"}, out);
  }
  refused({"ablate", "--preset", "smoke", "--out", out, "--group", "0999"}, {"--group"}, out);
  // The same limits as in a study file.
  refused({"ablate", "--preset", "smoke", "--out", out, "--samples", "1025"}, {"--samples"}, out);
  for (const char* samples : {"0", "1024"})
    CHECK(gaze_run({"ablate", "--preset", "smoke", "--samples", samples, "--print"}).code == 0);
}

TEST_CASE("data must be a regular file, and nothing waits for a pipe") {
  if (!have_program()) return;
  const std::string pipe = at("pipe_OE.tsv"), out = at("no_data");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& data : {pipe, std::string("/dev/zero"), std::string("/dev/null")}) {
    refused({"eval", "--model", at("none"), "--data", data, "--form", "OE", "--out", out},
            {data + ": not a regular file"}, out);
    io::write_file(at("said.jsonl"), std::string_view("{\"index\":0,\"prediction\":\"A\"}\n"));
    refused({"score", "--predictions", at("said.jsonl"), "--data", data, "--form", "OE"},
            {data + ": not a regular file"});
  }
}

TEST_CASE("predictions can come through a pipe") {
  if (!have_program()) return;
  io::write_file(at("said_OE.jsonl"),
                 std::string_view("{\"answer\":\"12 N\",\"prediction\":\"12 N\"}\n"));
  io::write_file(at("said_OE.tsv"), std::string_view("answer\tprediction\n12 N\t12 N\n"));
  for (const char* name : {"said_OE.jsonl", "said_OE.tsv"}) {
    const Done d = shell("\"$gaze\" score --form OE --predictions <(cat " + at(name) + ") --out " +
                         at("piped"));
    INFO(d.err);
    CHECK(d.code == 0);
    CHECK(contains(d.out, "100.00%"));
    const Done same = gaze_run({"score", "--predictions", at(name)});
    CHECK(d.out == same.out);
  }
  const Done unnamed = shell("\"$gaze\" score --predictions <(cat " + at("said_OE.tsv") + ")");
  CHECK(unnamed.code == 2);
  CHECK(contains(unnamed.err, "set --form"));
}

TEST_CASE("paths that are not UTF-8 are accepted, and printed escaped") {
  if (!have_program()) return;
  const std::string odd = at("odd_\xFF\x1b[31m_OE");
  io::write_file(odd + ".tsv", std::string_view("answer\tprediction\n12 N\t12 N\n"));
  const Done d = gaze_run({"score", "--predictions", odd + ".tsv", "--out", odd});
  INFO(d.err);
  CHECK(d.code == 0);
  CHECK(fs::exists(odd + "/results.csv"));
  io::write_file(odd + ".tsv", std::string_view("answer\tprediction\n12 N\n"));
  refused({"score", "--predictions", odd + ".tsv"}, {"odd_\\xff\\x1b[31m_OE.tsv row 1"});
  refused({"score", "--predictions", at("gone\x1b[2J.tsv")}, {"gone\\x1b[2J"});
}

TEST_CASE("an invalid config.json is refused with its name and field") {
  if (!have_program()) return;
  const std::string out = at("run_\xFF"), path = out + "/config.json";
  const Words words = {"sft", "--preset", "smoke", "--out", out};
  {
    const Started run(words);  // killed once it has written its configuration
    for (int i = 0; i < 6000 && !fs::exists(path); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    run.signal(SIGKILL);
    const Done d = run.wait();
    INFO(d.err);
    REQUIRE(d.code == -SIGKILL);
  }
  const io::Json config = io::read_json_object(path);
  CHECK(contains(config.at("command").get<std::string>(), "run_\\xff"));
  Words again = words;
  again.push_back("--resume");
  const auto refuses = [&](const std::string& text, const std::string& complaint) {
    io::write_file(path, text);
    refused(again, {"run_\\xff/config.json" + complaint});
  };
  for (const char* text : {"[]", "null", "7"}) refuses(text, ": not a JSON object");
  refuses("{", ": [json.exception.parse_error");
  for (const auto& [key, value, complaint] :
       std::vector<std::tuple<std::string, io::Json, std::string>>{
           {"started", 5, ", started: not a text"},
           {"seconds", "x", ", seconds: not a number"},
           {"model", io::Json::array(), ", model: the run to be resumed has []"}}) {
    io::Json damaged = config;
    damaged[key] = value;
    refuses(damaged.dump(), complaint);
  }
  io::write_file(path, std::string_view("[]"));
  io::write_file(out + "/results.csv",
                 std::string_view("condition,seed,split,format,slice_kind,slice,metric,n,value,"
                                  "low,high\n"));
  refused({"report", out, "--out", at("odd_report")}, {"config.json: not a JSON object"});
}

TEST_CASE("impossible folders are reported in one line") {
  if (!have_program()) return;
  io::write_file(at("plain"), std::string_view("x"));
  const std::string below = at("plain") + "/below", endless = at(std::string(5000, 'x'));
  for (const std::string& out : {below, endless}) {
    refused({"synth", "--out", out, "--scenes", "1"}, {at("")});
    refused({"ablate", "--preset", "smoke", "--out", out}, {at("")});
  }
}

}  // namespace test_cli_input
