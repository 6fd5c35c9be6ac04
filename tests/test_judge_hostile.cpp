// SPDX-License-Identifier: MIT
// The judge over HTTP against malicious servers: every call ends in bounded time and memory, and
// their text is escaped for the terminal.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <thread>

#include "phyx/scoring/judge_http.hpp"
#include "tests/folder.hpp"
#include "tests/loopback.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_judge_hostile {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test;

const std::string fine = R"({"choices":[{"message":{"content":"1"}}]})";

JudgeServer server(const std::string& url, double seconds) {
  JudgeServer s;
  s.url = url;
  s.model = "small";
  s.reply_seconds = seconds;
  s.tries = 1;
  s.first_wait = 0.01;
  s.give_up_after = 1;  // so that the error is that of the call
  return s;
}

/// The judge's reply to one call, or its error.
std::string asked(const JudgeServer& s) {
  try {
    return http_judge(s)("x", 0);
  } catch (const Error& e) {
    return e.what();
  }
}

/// Sends `start`, then next(0), next(1), … until the client hangs up.
std::function<void(Connection&)> endless(std::string start,
                                         std::function<std::string(std::size_t)> next,
                                         double pause = 0) {
  return [=](Connection& c) {
    if (!c.request() || !c.send(start)) return;
    for (std::size_t i = 0; c.send(next(i)); ++i)
      if (pause > 0 && !c.wait(pause)) return;
  };
}

/// The result of a call of at most `seconds`. The server can send no more than the limits, the
/// socket buffers, and bytes that are read but not kept.
std::string ends(const std::function<void(Connection&)>& hostile, double seconds) {
  std::string said;
  std::size_t sent = 0;
  {
    LoopbackServer stub(hostile);
    said = asked(server(stub.url(), seconds));
    while (stub.sent() == 0) std::this_thread::yield();
    sent = stub.sent();
  }
  CHECK(sent < 64u << 20);
  return said;
}

constexpr double long_enough = 500;  // a limit of bytes ends the call, not the time
const std::string ok = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST_CASE("endless headers from a judge are cut off") {
  const auto said =
      ends(endless(ok,
                   [](std::size_t i) {
                     return "X-" + std::to_string(i) + ": " + std::string(4000, 'a') + "\r\n";
                   }),
           long_enough);
  CHECK(contains(said, "the last one: no reply: more than 65536 bytes of headers"));
}

TEST_CASE("an endless header, status line or chunk size from a judge is cut off") {
  const auto letters = [](std::size_t) { return std::string(65536, 'H'); };
  CHECK(contains(ends(endless("", letters), long_enough), "no reply"));
  CHECK(contains(ends(endless("HTTP/1.1 200 ", letters), long_enough), "no reply"));
  CHECK(contains(ends(endless(ok + "X: ", letters), long_enough), "no reply"));
  const auto digits = [](std::size_t) { return std::string(65536, '1'); };
  CHECK(contains(ends(endless(ok + "Transfer-Encoding: chunked\r\n\r\n", digits), long_enough),
                 "no reply"));
}

TEST_CASE("endless 1xx replies from a judge are cut off") {
  const auto said =
      ends(endless("", [](std::size_t) { return repeated("HTTP/1.1 100 Continue\r\n\r\n", 1000); }),
           long_enough);
  CHECK(contains(said, "bytes of headers"));
}

TEST_CASE("endless bodies from a judge are cut off") {
  const auto letters = [](std::size_t) { return std::string(65536, 'a'); };
  for (const std::string head : {"Content-Length: 10000000000\r\n", "Connection: close\r\n"}) {
    INFO(head);
    CHECK(contains(ends(endless(ok + head + "\r\n", letters), long_enough),
                   "no reply: a reply of more than 1048576 bytes"));
  }
  const auto chunks = [](std::size_t) { return "10000\r\n" + std::string(65536, 'a') + "\r\n"; };
  CHECK(contains(ends(endless(ok + "Transfer-Encoding: chunked\r\n\r\n", chunks), long_enough),
                 "no reply: a reply of more than 1048576 bytes"));
}

TEST_CASE("a slow-dripping judge is cut off at the deadline of the whole call") {
  const auto letter = [](std::size_t) { return std::string("a"); };
  for (const std::string& start :
       {ok + "Content-Length: 1000000\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n1;",
        ok + "X: ", std::string("H"), std::string("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 ")}) {
    INFO(start);
    CHECK(contains(ends(endless(start, letter, 0.02), 0.3), "no reply: "));
  }
  const auto chunk = [](std::size_t) { return std::string("1\r\na\r\n"); };
  CHECK(contains(ends(endless(ok + "Transfer-Encoding: chunked\r\n\r\n", chunk, 0.02), 0.3),
                 "timed out"));
}

TEST_CASE("a silent judge runs into the time-out") {
  const auto nothing = [](Connection& c) {
    c.request();
    c.send("HTTP");
    c.wait(600);
  };
  CHECK(contains(ends(nothing, 0.2), "timed out"));
}

TEST_CASE("a stop ends a call to a hostile judge in flight") {
  for (const std::string& start : {std::string("H"), ok, ok + "Content-Length: 100\r\n\r\n"}) {
    std::atomic<bool> stop{false};
    LoopbackServer stub([&](Connection& c) {
      c.request();
      c.send(start);
      stop = true;
      c.wait(600);
    });
    CHECK(http_judge(server(stub.url(), 500), [&] { return stop.load(); })("x", 0) == judge_failed);
  }
}

TEST_CASE("a judge's text is escaped for the terminal") {
  const std::string bytes =
      "\x1b]0;owned\x07\x1b[2J\xE2\x80\xAE\xC2\x9B"
      "2J\xFF\r\nb";
  const std::string shown = R"(\x1b]0;owned\x07\x1b[2J\u{202e}\u{9b}2J\xff  b)";
  for (const int status : {401, 503, 200}) {
    LoopbackServer stub(answering([&](const HttpRequest&, Connection&) {
      return http_response(status, bytes + std::string(100000, 'x'));
    }));
    const auto said = asked(server(stub.url(), 5));
    INFO(said);
    CHECK(contains(said, shown + "xxx"));
    CHECK(said.size() < 500);
  }
}

TEST_CASE("a judge's replies that are large, deep or of the wrong shape are refused") {
  std::string deep = R"({"choices":)" + std::string(500000, '[');
  std::string wide = R"({"choices":[{"message":{"content":"1"}}],"x":[)" + repeated("1,", 250000);
  std::string twice = R"({"choices":[{"message":{"content":"1","content":"0"}}]})";
  std::string large =
      R"({"choices":[{"message":{"content":")" + std::string(100000, '1') + "\"}}]}";
  for (const auto& body : {deep, wide, twice, large}) {
    LoopbackServer stub(
        answering([&](const HttpRequest&, Connection&) { return http_response(200, body); }));
    CHECK(contains(asked(server(stub.url(), 60)), "a reply without choices[0].message.content"));
  }
}

TEST_CASE("a judge's redirects are not followed, so no key leaks") {
  std::atomic<int> stolen{0};
  LoopbackServer other(answering([&](const HttpRequest&, Connection&) {
    ++stolen;
    return http_response(200, fine);
  }));
  for (const int status : {301, 302, 307, 308}) {
    LoopbackServer stub(answering([&](const HttpRequest&, Connection&) {
      return http_response(status, "", "Location: " + other.url() + "/v1/chat/completions\r\n");
    }));
    JudgeServer s = server(stub.url(), 5);
    s.key = "secret";
    CHECK(contains(asked(s), "status " + std::to_string(status)));
  }
  CHECK(stolen == 0);
  CHECK(other.connections() == 0);
}

TEST_CASE("a judge cannot ask for more than the longest wait") {
  for (const std::string after : {"1e308", "inf", "nan", "-5", "99999999999999999999", "1e999"}) {
    std::atomic<int> count{0};
    LoopbackServer stub(answering([&](const HttpRequest&, Connection&) {
      return count++ ? http_response(200, fine)
                     : http_response(429, "", "Retry-After: " + after + "\r\n");
    }));
    JudgeServer s = server(stub.url(), 5);
    s.tries = 2;
    s.longest_wait = 0.05;
    CHECK(asked(s) == "1");
  }
}

TEST_CASE("a hostile key or address is refused before anything is sent") {
  LoopbackServer stub(
      answering([](const HttpRequest&, Connection&) { return http_response(200, fine); }));
  const std::string keys[] = {"a\r\nX-Admin: 1", "a\n", "a\rb",    std::string("a\0b", 3),
                              "\x1b[2J",         "a b", "\xC3\xA9"};
  for (const std::string& key : keys) {
    JudgeServer s = server(stub.url(), 5);
    s.key = key;
    const auto said = asked(s);
    CHECK(contains(said, "[gaze::judge] the key holds a space, a control character"));
    CHECK_FALSE(contains(said, "X-Admin"));
  }
  for (const std::string path :
       {"/v1\r\nX-Admin: 1", "/v1\n", "/\x1b[2J", "/v1/\xC3\xA9", "/a b"}) {
    INFO(path);
    CHECK(contains(asked(server(stub.url() + path, 5)), "is not an address like https://host/v1"));
  }
  CHECK(contains(asked(server("http://127.0.0.1:99999", 5)), "this address cannot be used"));
  JudgeServer s = server(stub.url(), std::numeric_limits<double>::infinity());
  CHECK(contains(asked(s), "a time of inf seconds"));
  CHECK(stub.connections() == 0);
}

TEST_CASE("proxies named by the environment are not used") {
  LoopbackServer proxy(answering([](const HttpRequest&, Connection&) {
    return http_response(200, R"({"choices":[{"message":{"content":"from the proxy"}}]})");
  }));
  LoopbackServer stub(
      answering([](const HttpRequest&, Connection&) { return http_response(200, fine); }));
  for (const char* name : {"http_proxy", "all_proxy"}) ::setenv(name, proxy.url().c_str(), 1);
  CHECK(asked(server(stub.url(), 5)) == "1");
  for (const char* name : {"http_proxy", "all_proxy"}) ::unsetenv(name);
  CHECK(proxy.connections() == 0);
}

TEST_CASE("a file that is not a judge's cache is left unchanged") {
  const Folder folder("judge_cache");
  const std::string path = folder.file("cache.jsonl");
  const std::string line = R"({"key":"k","model":"m","reply":"1"})";
  for (const std::string& text :
       {std::string("a letter of one line"), std::string("{}"), "letter\n" + line + "\n",
        line + "\nletter", std::string(9, '\0')}) {
    io::write_file(path, text);
    CHECK(contains(error_of([&] { JudgeCache cache(path); }), path + " line "));
    CHECK(io::read_file(path) == text);
  }
  for (std::size_t kept = 0; kept < line.size(); ++kept) {  // as left by a killed run
    io::write_file(path, line + "\n" + line.substr(0, kept));
    CHECK(JudgeCache(path).size() == 1);
    CHECK(io::read_file(path) == line + "\n");
  }
  std::filesystem::remove(path);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(contains(error_of([&] { JudgeCache cache(path); }), "not a regular file"));
}

TEST_CASE("an untrusted certificate ends the call to a judge") {
  if (std::system("command -v openssl >/dev/null") != 0) {
    WARN("not tested: there is no openssl");
    return;
  }
  const Folder folder("judge_tls");
  const std::string key = folder.file("key.pem"), certificate = folder.file("certificate.pem");
  REQUIRE(std::system(("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
                       "-addext subjectAltName=IP:127.0.0.1 -keyout " +
                       key + " -out " + certificate + " 2>/dev/null")
                          .c_str()) == 0);
  const std::string port = std::to_string(closed_port());
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    ::execlp("openssl", "openssl", "s_server", "-quiet", "-accept", ("127.0.0.1:" + port).c_str(),
             "-key", key.c_str(), "-cert", certificate.c_str(), nullptr);
    ::_exit(127);
  }
  std::string said = "Could not connect";
  const auto unreachable = [&] { return contains(said, "onnect to 127.0.0.1"); };
  for (int i = 0; i < 1000 && (i == 0 || unreachable()); ++i) {  // until it listens
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    said = asked(server("https://127.0.0.1:" + port, 5));
  }
  ::kill(child, SIGTERM);
  int status = 0;
  ::waitpid(child, &status, 0);
  INFO(said);
  CHECK(contains(said, "certificate"));
  CHECK_FALSE(contains(said, "timed out"));
}

}  // namespace test_judge_hostile
