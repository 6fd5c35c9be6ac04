// SPDX-License-Identifier: MIT
// gaze score with a judge: a stub server on loopback, the cache, and Ctrl-C.
#include <atomic>
#include <chrono>
#include <thread>

#include "gaze/io/json.hpp"
#include "tests/loopback.hpp"
#include "tests/program.hpp"

namespace test_cli_judge {
namespace {

using namespace gaze;
using namespace gaze::test;

/// Replies 1 if the predicted answer contains "right", after an optional delay.
struct Server {
  std::atomic<int> asked{0};
  std::atomic<double> seconds{0};
  LoopbackServer server{answering([this](const HttpRequest& in, Connection& connection) {
    ++asked;
    if (seconds > 0) connection.wait(seconds);
    const auto prompt = io::Json::parse(in.body).at("messages")[0].at("content").get<std::string>();
    const bool right = contains(prompt.substr(prompt.find("Predicted answer: ")), "right");
    return http_response(
        200, io::Json{{"choices", {{{"message", {{"content", right ? "1" : "0"}}}}}}}.dump());
  })};
};

/// A file of prompts in the official format.
std::string prompts() {
  io::write_file(
      at("phyx.py"),
      std::string_view("def get_ICE():\n  one = \"\"\"first\"\"\"\n  return [one]\n"
                       "def get_ICE_MC():\n  one = \"\"\"m\"\"\"\n  return [one]\n"
                       "def build_phyx_gpt4_prompt(line):\n  task = \"\"\"Task.\n\"\"\"\n"
                       "def build_phyx_gpt4_prompt_MC(line):\n  task = \"\"\"C.\n\"\"\"\n"));
  return at("phyx.py");
}

/// `each` right and `each` wrong answers that need the judge, and one that matches without it.
std::string predictions(int each) {
  std::string text = "index\tanswer\tcategory\tprediction\n0\t5 m\tOptics\tFinal answer: 5 M\n";
  for (int i = 1; i <= 2 * each; ++i)
    text += std::to_string(i) + "\t5 m\tMechanics\t" + (i % 2 ? "right " : "wrong ") +
            std::to_string(i) + "\n";
  io::write_file(at("said_OE.tsv"), text);
  return at("said_OE.tsv");
}

Words score(const Server& server, const std::string& out) {
  return {"score", "--predictions",   at("said_OE.tsv"),   "--out",
          out,     "--judge",         server.server.url(), "--judge-model",
          "stub",  "--judge-prompts", at("phyx.py"),       "--judge-any-prompts"};
}

}  // namespace

TEST_CASE("gaze score prints rule, strict and judge scores, and asks each question once") {
  if (!have_program()) return;
  prompts();
  predictions(3);
  Server server;
  const std::string out = at("judged");
  const Done d = gaze_run(score(server, out));
  INFO(d.err);
  REQUIRE(d.code == 0);
  CHECK(server.asked == 6);
  CHECK(contains(d.out, "judge"));
  CHECK(contains(d.out, "57.14%"));  // 4 of 7
  CHECK(contains(d.out, "strict and official differ on"));
  CHECK(
      contains(io::read_file(out + "/said_OE_judge_acc.csv"),
               "\"Overall Acc\",\"Optics\",\"Mechanics\"\n\"0.5714285714285714\",\"1.0\",\"0.5\""));
  CHECK(contains(io::read_file(out + "/results.csv"), "judge_greedy"));
  CHECK(contains(io::read_file(out + "/scores.tsv"), "judge_log"));
  const Done again = gaze_run(score(server, out));
  CHECK(again.code == 0);
  CHECK(again.out == d.out);
  CHECK(server.asked == 6);
  Words unchecked = score(server, at("refused"));
  unchecked.pop_back();
  refused(unchecked, {"phyx.py", "SHA-256"}, at("refused"));
}

TEST_CASE("an interrupted gaze score continues from its cache") {
  if (!have_program()) return;
  prompts();
  predictions(10);
  Server server;
  server.seconds = 0.05;
  const std::string out = at("interrupted");
  {
    const Started run(score(server, out));
    for (int i = 0; i < 4000 && server.asked < 5; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    run.signal(SIGINT);
    const Done d = run.wait();
    INFO(d.err);
    CHECK(d.code == 130);
    CHECK(contains(d.err, "to continue from its cache"));
    CHECK_FALSE(fs::exists(out + "/scores.tsv"));
  }
  const int before = server.asked;
  CHECK(before < 20);
  server.seconds = 0;
  REQUIRE(gaze_run(score(server, out)).code == 0);
  CHECK(server.asked <= 21);  // the call in flight may have been made twice
  CHECK(server.asked >= 20);
  CHECK(contains(io::read_file(out + "/said_OE_judge_acc.csv"), "\"1.0\",\"0.5\""));
}

TEST_CASE("gaze score reports an unreachable judge") {
  if (!have_program()) return;
  prompts();
  predictions(1);
  Server server;
  Words words = score(server, at("dead"));
  words[6] = "http://127.0.0.1:" + std::to_string(closed_port());
  for (const char* more : {"--judge-tries", "1", "--judge-wait", "0"}) words.push_back(more);
  const Done d = gaze_run(words);
  CHECK(d.code == 2);
  CHECK(contains(d.err, words[6] + ": 10 consecutive calls have failed; the last one: no reply"));
  CHECK(server.asked == 0);
}

TEST_CASE("Ctrl-C ends a judge call in flight") {
  if (!have_program()) return;
  prompts();
  predictions(1);
  Server server;
  server.seconds = 1000;  // longer than the test's time-out
  const Started run(score(server, at("in_flight")));
  while (server.asked == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  run.signal(SIGINT);
  const Done d = run.wait();
  CHECK(d.code == 130);
  CHECK(contains(d.err, "stopped after judging 1 of 3"));
}

TEST_CASE("gaze score escapes text from files for the terminal") {
  if (!have_program()) return;
  const std::string hostile = "\x1b[2J\x1b]0;owned\x07\xE2\x80\xAE";
  io::write_file(at("odd_OE.tsv"), "index\tanswer\tsubfield\tprediction\n7" + hostile + "\t5 m\t" +
                                       hostile + "\tthat is 25 m" + hostile + "\n");
  const Done d = gaze_run({"score", "--predictions", at("odd_OE.tsv")});
  CHECK(d.code == 0);
  CHECK(contains(d.out, R"(subfield: \x1b[2J\x1b]0;owned\x07\u{202e})"));
  CHECK(contains(d.out, R"(prediction "that is 25 m\x1b[2J)"));
  io::write_file(at("bad.jsonl"), "{\"" + hostile + "\": 1, \"" + hostile + "\": 1}\n");
  const Done bad = gaze_run({"score", "--predictions", at("bad.jsonl")});
  CHECK(bad.code == 2);
  const Done unknown = gaze_run({"score", "--" + hostile});
  CHECK(unknown.code == 2);
  for (const std::string& said : {d.out, d.err, bad.err, unknown.err})
    for (const char* part : {"\x1b", "\x07", "\xE2\x80\xAE"}) CHECK_FALSE(contains(said, part));
}

}  // namespace test_cli_judge
