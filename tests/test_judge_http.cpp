// SPDX-License-Identifier: MIT
// The judge over HTTP against a stub server on loopback: requests, replies, and every way in which
// a server can fail.
#include "phyx/scoring/judge_http.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"
#include "tests/folder.hpp"
#include "tests/loopback.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_judge_http {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test;

/// A server of chat completions. Each request gets the next reply; the last one repeats.
class Stub {
 public:
  struct Reply {
    int status = 200;
    std::string body;
    double seconds = 0;  // before it answers
    std::string retry_after = {};
  };

  explicit Stub(std::vector<Reply> replies) : replies_(std::move(replies)) {}

  std::string url() const { return server_.url(); }
  std::size_t count() const { return count_; }
  HttpRequest asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  io::Json body() const { return io::Json::parse(asked().body); }
  std::string authorization() const { return asked().header("Authorization"); }

 private:
  std::string answer(const HttpRequest& in, Connection& connection) {
    const Reply& reply = replies_[std::min(count_++, replies_.size() - 1)];
    {
      const std::lock_guard lock(mutex_);
      asked_ = in;
    }
    if (reply.seconds > 0) connection.wait(reply.seconds);
    return http_response(
        reply.status, reply.body,
        reply.retry_after.empty() ? "" : "retry-after: " + reply.retry_after + "\r\n");
  }

  std::vector<Reply> replies_;
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  HttpRequest asked_;
  LoopbackServer server_{
      answering([this](const HttpRequest& in, Connection& c) { return answer(in, c); })};
};

std::string says(const std::string& text) {
  return io::Json{{"choices", {{{"message", {{"role", "assistant"}, {"content", text}}}}}}}.dump();
}

/// Settings with short waits.
JudgeServer server(const std::string& url) {
  JudgeServer s;
  s.url = url;
  s.model = "small";
  s.connect_seconds = 2;
  s.reply_seconds = 5;
  s.tries = 3;
  s.first_wait = 0.01;
  return s;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("a judge over HTTP gets one user message and returns its reply") {
  Stub stub({{200, says("1")}, {200, says("0, for ü\n\"quoted\"")}});
  JudgeServer s = server(stub.url());
  s.key = "secret";
  const Judge judge = http_judge(s);
  CHECK(judge("Is \"5 Ω\" right?\n", 1.5) == "1");
  const auto sent = stub.body();
  CHECK(contains(stub.asked().head, "POST /v1/chat/completions HTTP/1.1\r\n"));
  CHECK(sent.at("model") == "small");
  CHECK(sent.at("temperature") == 1.5);
  CHECK(sent.at("max_tokens") == 128);
  REQUIRE(sent.at("messages").size() == 1);
  CHECK(sent.at("messages")[0].at("role") == "user");
  CHECK(sent.at("messages")[0].at("content") == "Is \"5 Ω\" right?\n");
  CHECK(stub.authorization() == "Bearer secret");
  CHECK(judge("again", 0) == "0, for ü\n\"quoted\"");
  CHECK(stub.count() == 2);
  http_judge(server(stub.url() + "/other/"))("elsewhere", 0);
  CHECK(stub.count() == 3);
  CHECK(contains(stub.asked().head, "POST /other/chat/completions HTTP/1.1\r\n"));
  CHECK(stub.authorization().empty());
}

TEST_CASE("a judge's address is extended to the API path, and bad ones are refused") {
  const auto address = [](const std::string& url) {
    const auto a = server_address(url);
    return a.origin + " " + a.path;
  };
  CHECK(address("http://127.0.0.1:80") == "http://127.0.0.1:80 /v1/chat/completions");
  CHECK(address("https://api.deepseek.com/") == "https://api.deepseek.com /v1/chat/completions");
  CHECK(address("https://host/v1") == "https://host /v1/chat/completions");
  CHECK(address("https://host/a/b/") == "https://host /a/b/chat/completions");
  CHECK(address("https://host/v1/chat/completions") == "https://host /v1/chat/completions");
  for (const char* bad : {"", "host", "ftp://host", "http://", "http:///v1", "http://a b",
                          "http://user@host", "https://host?x=1"}) {
    INFO(bad);
    CHECK(contains(error_of([&] { server_address(bad); }), "[gaze::judge] '" + std::string(bad)));
  }
  JudgeServer nameless = server("http://127.0.0.1:1");
  nameless.model.clear();
  CHECK(contains(error_of([&] { http_judge(nameless); }), "no model named"));
}

TEST_CASE("busy and broken judge servers are retried") {
  for (const int status : {408, 429, 500, 503}) {
    Stub stub({{status, "later"}, {200, says("1")}});
    CHECK(http_judge(server(stub.url()))("x", 0) == "1");
    CHECK(stub.count() == 2);
  }
  for (const std::string body : {"", "{", "[]", "{\"choices\": []}", "null",
                                 "{\"choices\": [{\"message\": {\"content\": null}}]}"}) {
    INFO(body);
    Stub stub({{200, body}, {200, says("0")}});
    CHECK(http_judge(server(stub.url()))("x", 0) == "0");
    CHECK(stub.count() == 2);
  }
  Stub never({{503, "down"}});
  CHECK(http_judge(server(never.url()))("x", 0) == judge_failed);
  CHECK(never.count() == 3);
}

TEST_CASE("waits for a judge double, and Retry-After counts up to the longest wait") {
  Stub stub({{429, ""}, {429, ""}, {200, says("1")}});
  JudgeServer s = server(stub.url());
  s.first_wait = 0.1;
  CHECK(seconds_of([&] { CHECK(http_judge(s)("x", 0) == "1"); }) >= 0.3);
  Stub polite({{429, "", 0, "0.4"}, {200, says("1")}});
  CHECK(seconds_of([&] { http_judge(server(polite.url()))("x", 0); }) >= 0.4);
  Stub rude({{429, "", 0, "3600"}, {200, says("1")}});
  s = server(rude.url());
  s.longest_wait = 0.2;
  const double waited = seconds_of([&] { CHECK(http_judge(s)("x", 0) == "1"); });
  CHECK(waited >= 0.2);
  CHECK(waited < 60);
}

TEST_CASE("a judge's refusals are not retried") {
  for (const int status : {401, 403, 404}) {
    Stub stub({{status, "no\nsuch key"}});
    const auto error = error_of([&] { http_judge(server(stub.url()))("x", 0); });
    CHECK(contains(error, stub.url() + ": status " + std::to_string(status) + ": no such key"));
    CHECK(stub.count() == 1);
  }
  Stub stub({{400, "too long"}, {200, says("1")}});
  const Judge judge = http_judge(server(stub.url()));
  CHECK(judge("x", 0) == judge_failed);
  CHECK(stub.count() == 1);
  CHECK(judge("x", 0) == "1");
}

TEST_CASE("a dead judge port fails the call, and several in a row are an error") {
  JudgeServer s = server("http://127.0.0.1:" + std::to_string(gaze::test::closed_port()));
  s.reply_seconds = 100;  // a refused connection fails at once
  s.give_up_after = 3;
  const Judge judge = http_judge(s);
  CHECK(judge("x", 0) == judge_failed);
  CHECK(judge("x", 0) == judge_failed);
  const double seconds = seconds_of([&] {
    CHECK(contains(error_of([&] { judge("x", 0); }),
                   "3 consecutive calls have failed; the last one: no reply"));
  });
  CHECK(seconds < 50);
}

TEST_CASE("a slow judge runs into the time-out") {
  Stub stub({{200, says("1"), 1.0}});
  JudgeServer s = server(stub.url());
  s.reply_seconds = 0.2;
  s.tries = 2;
  const double seconds = seconds_of([&] { CHECK(http_judge(s)("x", 0) == judge_failed); });
  CHECK(seconds >= 0.4);
  CHECK(stub.count() == 2);
  s.reply_seconds = 10;
  CHECK(http_judge(s)("x", 0) == "1");
}

TEST_CASE("an endless reply of a judge is cut off") {
  Stub stub({{200, says(std::string(5 << 20, 'a'))}});
  JudgeServer s = server(stub.url());
  s.tries = 1;
  CHECK(http_judge(s)("x", 0) == judge_failed);
}

TEST_CASE("a stop ends the wait for a judge") {
  Stub stub({{503, "down"}});
  JudgeServer s = server(stub.url());
  s.first_wait = 20;
  std::atomic<bool> stop{false};
  const Judge judge = http_judge(s, [&] { return stop.load(); });
  std::thread asker([&] {
    while (stub.count() == 0) std::this_thread::yield();
    stop = true;
  });
  CHECK(seconds_of([&] { CHECK(judge("x", 0) == judge_failed); }) < 15);
  asker.join();
  CHECK(stub.count() == 1);
  CHECK(judge("x", 0) == judge_failed);
  CHECK(stub.count() == 1);
}

TEST_CASE("cached judgements cause no calls") {
  const Folder folder("judge_http");
  const std::string path = folder.file("cache.jsonl");
  Stub stub({{200, says("1")}});
  {
    JudgeCache cache(path);
    const Judge judge = cache.wrap("small", http_judge(server(stub.url())));
    CHECK(judge("x", 0) == "1");
    CHECK(judge("x", 0) == "1");
  }
  JudgeCache cache(path);
  CHECK(cache.wrap("small", http_judge(server(stub.url())))("x", 0) == "1");
  CHECK(stub.count() == 1);
}

TEST_CASE("the official judging protocol works over HTTP") {
  Stub stub({{200, says("Not sure.")}, {200, says("1")}});
  const JudgePrompts prompts{"Multiple choice.\n", "Open.\n"};
  const auto judged =
      judge_official(Form::oe, "5 m", "five metres", prompts, http_judge(server(stub.url())));
  CHECK(judged.match);
  CHECK(judged.calls == 2);
  CHECK(judged.decided);
  CHECK(stub.body().at("temperature") == 0.5);
  CHECK(stub.body().at("messages")[0].at("content") ==
        prompts.prompt(Form::oe, "5 m", "five metres"));
}

}  // namespace test_judge_http
