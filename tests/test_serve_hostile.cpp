// SPDX-License-Identifier: MIT
// Slow, broken and hostile clients, and requests caused by web pages: each is refused or cut off,
// and others are answered meanwhile.
#include <list>

#include "tests/chat_server.hpp"

namespace test_serve_hostile {
namespace {

using namespace gaze;
using namespace gaze::test;

const std::string path = "/v1/chat/completions";

/// The status of a POST with these header lines and this body, sent as they are.
int status_of(const TestServer& s, const std::string& headers, const std::string& body) {
  const HttpResult r = http_exchange(
      s.port(), "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body);
  if (r.status >= 400) CHECK(r.json().at("error").contains("message"));
  CHECK(s.chat("say ok").status == 200);
  return r.status;
}

const std::string json_type = "Content-Type: application/json\r\n";

std::string length_of(const std::string& text) {
  return json_type + "Content-Length: " + text + "\r\n";
}

}  // namespace

TEST_CASE("requests that a web page elsewhere may have sent are refused") {
  const TestServer s;
  const auto status = [&](const std::string& headers, const std::string& host) {
    const std::string local = std::to_string(s.port());
    return http_exchange(s.port(), http_request("POST", path, TestServer::body("say x"), headers,
                                                host + ":" + local))
        .status;
  };
  const std::string own = "http://localhost:" + std::to_string(s.port());
  CHECK(status("", "localhost") == 200);
  CHECK(status("", "[::1]") == 200);
  CHECK(status("Origin: " + own + "\r\n", "localhost") == 200);
  // A page's own name that resolves to 127.0.0.1; the page's Origin agrees with it.
  CHECK(status("", "evil.example") == 403);
  CHECK(status("Origin: http://evil.example:" + std::to_string(s.port()) + "\r\n",
               "evil.example") == 403);
  // A page elsewhere.
  for (const std::string origin : {"http://evil.example", "null", "http://localhost:1"})
    CHECK(status("Origin: " + origin + "\r\n", "localhost") == 403);
  CHECK(status("Origin: " + own + "\r\nOrigin: http://evil.example\r\n", "localhost") == 403);
  CHECK(status("Host: evil.example\r\n", "localhost") == 400);
  CHECK(http_exchange(s.port(), "GET /health HTTP/1.1\r\n\r\n").status == 400);
  CHECK(http_exchange(s.port(), "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n").status ==
        403);
  const HttpResult preflight =
      http_exchange(s.port(), http_request("OPTIONS", path, "",
                                           "Origin: http://evil.example\r\n"
                                           "Access-Control-Request-Method: POST\r\n"));
  CHECK(preflight.status == 403);
  CHECK_FALSE(contains(preflight.head, "Access-Control-Allow"));
  CHECK(s.control.added == 3);
}

TEST_CASE("a body must be JSON by its type, neither packed nor of a wrong length") {
  const TestServer s({.body_bytes = 2000});
  const std::string body = TestServer::body("say x"), size = std::to_string(body.size());
  const std::string length = "Content-Length: " + size + "\r\n";
  CHECK(status_of(s, "Content-Type: application/json; charset=utf-8\r\n" + length, body) == 200);
  for (const std::string type :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n", "Content-Type: application/jsonx\r\n"})
    CHECK(status_of(s, type + length, body) == 415);
  CHECK(status_of(s, json_type + "Content-Encoding: gzip\r\n" + length, body) == 415);
  CHECK(status_of(s, json_type, body) == 411);
  const int empty = status_of(s, length_of(""), body);  // some versions drop empty headers
  CHECK((empty == 400 || empty == 411));
  for (const std::string bad : {"x", "-1", "1e3", "99999999999999999999", "+5"})
    CHECK(status_of(s, length_of(bad), body) == 400);
  CHECK(status_of(s, json_type + length + length, body) == 411);
  CHECK(status_of(s, length_of("3"), body) == 400);  // not JSON: cut off
  CHECK(status_of(s, length_of("2001"), repeated(" ", 2001)) == 413);
  CHECK(status_of(s, length_of("100000000"), repeated(" ", 100000)) == 413);
  CHECK(status_of(s, length_of("100000000") + "Expect: 100-continue\r\n", "") == 413);
}

TEST_CASE("chunked bodies are read and bounded") {
  const TestServer s({.body_bytes = 2000});
  const std::string chunked = json_type + "Transfer-Encoding: chunked\r\n";
  const std::string body = TestServer::body("say x");
  std::string chunks;
  for (const char c : body) chunks += std::string("1\r\n") + c + "\r\n";
  CHECK(status_of(s, chunked, chunks + "0\r\n\r\n") == 200);
  // Some versions of cpp-httplib do not say why.
  const auto too_long = [](int status) { return status == 413 || status == 400; };
  CHECK(too_long(status_of(s, chunked, "7d1\r\n" + repeated(" ", 2001) + "\r\n0\r\n\r\n")));
  std::string endless;
  for (int i = 0; i < 3000; ++i) endless += "1\r\n \r\n";
  CHECK(too_long(status_of(s, chunked, endless)));
  CHECK(status_of(s, chunked, "zz\r\n") == 400);
  CHECK(status_of(s, chunked, "ffffffffffffffff\r\nx") == 400);
  CHECK(status_of(s, chunked + "Content-Length: 5\r\n", "0\r\n\r\n") == 400);
  CHECK(status_of(s, json_type + "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n") == 400);
}

TEST_CASE("heads that are broken or too long are refused") {
  const TestServer s;
  const std::string host = "Host: localhost\r\n";
  for (const std::string& bad :
       {std::string("garbage\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        "FETCH /health HTTP/1.1\r\n" + host + "\r\n", std::string("\0\0\0\0\r\n\r\n", 8),
        std::string("\x16\x03\x01\x02\r\n\r\n"),
        "GET /" + repeated("x", 9000) + " HTTP/1.1\r\n" + host + "\r\n",
        "GET /health HTTP/1.1\r\n" + host + "X: " + repeated("y", 10000) + "\r\n\r\n"}) {
    INFO(printable(bad, 60));
    const HttpResult r = http_exchange(s.port(), bad);
    CHECK(r.status >= 400);
    CHECK(r.status < 500);
    CHECK(r.json().contains("error"));
  }
  CHECK(http_exchange(s.port(), "GET /" + repeated("x", 2000) + " HTTP/1.1\r\n" + host + "\r\n")
            .status == 414);
  const std::string many = repeated("X-Y: " + repeated("z", 100) + "\r\n", 1000);
  const int status =
      http_exchange(s.port(), "GET /health HTTP/1.1\r\n" + host + many + "\r\n").status;
  CHECK((status == 431 || status == 400));
  http_exchange(s.port(), repeated("z", 10000000));  // a line without end: closed
  CHECK(http_exchange(s.port(), "GET /a%0d%0aX:%20y HTTP/1.1\r\n" + host + "\r\n").status == 404);
  CHECK(s.chat("say ok").status == 200);
}

TEST_CASE("ranges and packing are not offered") {
  const TestServer s;
  std::string ranges = "Range: bytes=0-";
  for (int i = 0; i < 1000; ++i) ranges += ",0-";
  const HttpResult r = http_exchange(
      s.port(), http_request("GET", "/health", "", ranges + "\r\nAccept-Encoding: gzip, br\r\n"));
  CHECK(r.status == 200);
  CHECK(r.json().at("status") == "ok");
  CHECK(http_exchange(s.port(), http_request("HEAD", "/health")).body.empty());
}

TEST_CASE("an HTTP/1.0 client gets a stream without chunks") {
  const TestServer s;
  std::string request = TestServer::request("say abc", R"("stream": true)");
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  const HttpResult r = http_exchange(s.port(), request);
  CHECK(r.status == 200);
  CHECK(r.header("Transfer-Encoding").empty());
  CHECK(r.events().back() == "[DONE]");
}

TEST_CASE("half a request is cut off when its time is up, and holds up nobody") {
  const TestServer s({.receive_seconds = 4});  // of which a good client needs none
  const std::string whole = TestServer::request("say x");
  const std::size_t parts[] = {0, 10, whole.size() / 2, whole.size() - 1};
  std::list<HttpClient> slow;
  for (const std::size_t part : parts) slow.emplace_back(s.port()).send(whole.substr(0, part));
  CHECK(s.chat("say ok").status == 200);
  auto client = slow.begin();
  for (const std::size_t part : parts) {
    const HttpResult r = parsed_response((client++)->read_all());
    CHECK((r.status == 408 || (r.status == 0 && part <= 10)));
  }
  HttpClient ended(s.port());
  ended.send(whole.substr(0, whole.size() - 1));
  ended.finish_sending();
  CHECK(parsed_response(ended.read_all()).status == 400);
  CHECK(eventually([&] { return s.server->http().connections() == 0; }));
}

TEST_CASE("a client that sends a byte at a time is cut off all the same") {
  const TestServer s({.receive_seconds = 1});
  HttpClient slow(s.port());
  slow.send("GET /health HTTP/1.1\r\nX: ");
  std::atomic<bool> cut{false};
  std::thread sender([&] {
    while (!cut && slow.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  // If each byte restarted the timeout, the server would read on until the head is too long: 431.
  const int status = parsed_response(slow.read_all()).status;
  cut = true;
  sender.join();
  CHECK((status == 408 || status == 0));
  CHECK(eventually([&] { return s.server->http().connections() == 0; }));
}

TEST_CASE("a client that does not read its stream holds up nobody and is cut off") {
  TestServer s({.max_tokens = 100000000, .slots = 1000000000, .send_seconds = 0.5});
  HttpClient deaf(s.port(), 1);
  deaf.send(TestServer::request("loop", R"("stream": true)"));
  REQUIRE(eventually([&] { return s.control.added == 1; }));
  for (int i = 0; i < 5; ++i) CHECK(s.chat("say ok").status == 200);
  CHECK(eventually([&] { return s.server->scheduler().running() == 0; }));
  CHECK(eventually([&] { return s.server->http().connections() == 0; }));
}

TEST_CASE("more connections than allowed get 503, and places are free again") {
  const TestServer s({.connections = 3});
  {
    HttpClient a(s.port()), b(s.port()), c(s.port());
    REQUIRE(eventually([&] { return s.server->http().connections() == 3; }));
    const HttpResult r = get(s.port(), "/health");
    CHECK(r.status == 503);
    CHECK(r.header("Retry-After") == "1");
    CHECK(contains(r.json()["error"]["message"], "connections"));
  }
  CHECK(eventually([&] { return s.server->http().connections() == 0; }));
  CHECK(s.chat("say ok").status == 200);
}

TEST_CASE("a prompt that cannot fit is refused before it is encoded") {
  const TestServer s({.slots = 1000});
  const HttpResult huge = s.chat("say " + repeated("x", 500000));
  CHECK(huge.status == 400);
  CHECK(huge.json()["error"]["code"] == "context_length_exceeded");
  CHECK(contains(huge.body, "a prompt of at least 250002 tokens and an answer of 1 do not fit"));
  CHECK(s.model.encoded == 0);
  const HttpResult large = s.chat("say " + repeated("x", 1200));  // only its tokens say so
  CHECK(large.json()["error"]["code"] == "context_length_exceeded");
  CHECK(contains(large.body, "a prompt of 1204 tokens"));
  CHECK(s.model.encoded == 1);
  CHECK(s.chat("say ok").status == 200);
}

TEST_CASE("hostile JSON in a request harms nobody") {
  const TestServer s({.body_bytes = 4 << 20});
  for (const std::string& body :
       {repeated("[", 1000000), "[" + repeated("[],", 1000000) + "[]]", repeated("{\"a\":", 500000),
        std::string(1000000, '\0'), "\"" + repeated("\\u0000", 100000) + "\"",
        TestServer::body("say x", "\"" + repeated("k", 1000000) + "\": 1")}) {
    const HttpResult r = post(s.port(), path, body);
    CHECK(r.status == 400);
    CHECK(r.body.size() < 5000);
  }
  CHECK(s.chat("say ok").status == 200);
}

TEST_CASE("a thousand connections that come and go leave nothing behind") {
  const TestServer s;
  for (int i = 0; i < 1000; ++i) {
    HttpClient client(s.port());
    REQUIRE(client.connected());
    if (i % 3 == 0) client.send("GET /health HTT");
    if (i % 3 == 1) client.send(TestServer::request("say x"));
  }
  CHECK(eventually(
      [&] { return s.server->http().connections() == 0 && s.server->scheduler().running() == 0; }));
  CHECK(s.chat("say ok").status == 200);
}

}  // namespace test_serve_hostile
