// SPDX-License-Identifier: MIT
// gaze serve as a program: its address, an answer, signals, and options that are refused.
#include "tests/chat_server.hpp"
#include "tests/program.hpp"
#include "tests/tiny_checkpoint.hpp"

namespace test_cli_serve {
namespace {

using namespace gaze;
using namespace gaze::test;

/// Where the program's output goes.
std::string output() { return at("stdout", "program.hpp"); }

/// The port that the program prints, or 0.
int printed_port() {
  int port = 0;
  eventually([&] {
    if (!fs::exists(output())) return false;
    const std::string out = io::read_file(output());
    const std::string before = "http://127.0.0.1:";
    if (!contains(out, "/v1;")) return false;
    port = std::stoi(out.substr(out.find(before) + before.size()));
    return true;
  });
  return port;
}

}  // namespace

TEST_CASE("gaze serve prints its address, answers, and ends cleanly by a signal") {
  if (!have_program()) return;
  const Folder place("cli_serve");
  const std::string folder = tiny_checkpoint(place, 100000);  // an answer so long takes minutes
  for (const int signal : {SIGINT, SIGTERM}) {
    fs::remove(output());
    const Started run({"serve", "--model", folder, "--port", "0", "--max-tokens", "100000",
                       "--default-tokens", "100000", "--cache-tokens", "100000"});
    const int port = printed_port();
    REQUIRE(port > 0);
    CHECK(get(port, "/v1/models").json()["data"][0]["id"] == "tiny");
    const std::string body = R"({"model": "tiny", "messages": [{"role": "user", "content": "a"}])";
    const HttpResult r = post(port, "/v1/chat/completions", body + R"(, "max_tokens": 5})");
    CHECK(r.status == 200);
    CHECK(r.json()["usage"]["prompt_tokens"] == 20);
    HttpClient streaming(port);
    streaming.send(http_request("POST", "/v1/chat/completions",
                                body + R"(, "temperature": 0, "stream": true})"));
    streaming.read_until("chunk");
    run.signal(signal);
    const auto events = parsed_response(streaming.read_all()).events();
    REQUIRE_FALSE(events.empty());
    CHECK(contains(events.back(), "shutting down"));  // it was in flight
    const Done d = run.wait();
    INFO(d.err);
    CHECK(d.code == 0);
    CHECK(d.err.empty());
    CHECK_FALSE(HttpClient(port).connected());
  }
}

TEST_CASE("gaze serve refuses bad options and models") {
  if (!have_program()) return;
  const Folder place("cli_serve_refused");
  const std::string folder = tiny_checkpoint(place);
  refused({"serve", "--model", place.file("none")}, {"none", "no such file or folder"});
  refused({"serve", "--model", folder, "--port", "65536"}, {"--port", "65535"});
  refused({"serve", "--model", folder, "--connections", "0"}, {"--connections"});
  refused({"serve", "--model", folder, "--request-seconds", "nan"}, {"--request-seconds"});
  refused({"serve", "--model", folder, "--port", "0", "--host", "host.invalid"},
          {"cannot listen on host.invalid"});
  int taken = 0;
  const int socket = bound_socket(taken);
  REQUIRE(::listen(socket, 1) == 0);
  refused({"serve", "--model", folder, "--port", std::to_string(taken)}, {"in use"});
  ::close(socket);
}

}  // namespace test_cli_serve
