// SPDX-License-Identifier: MIT
// The server on a free port of 127.0.0.1, with a model without weights: answers and streams as
// OpenAI's API gives them, errors, several clients at once, and the end of the server.
#include <future>
#include <set>

#include "tests/chat_server.hpp"

namespace test_serve {
namespace {

using namespace gaze;
using namespace gaze::test;

/// The text of a stream's choice, after a check of its chunks.
std::string streamed_text(const std::vector<std::string>& events, int index = 0) {
  std::string text, finish;
  REQUIRE(events.size() >= 3);
  CHECK(events.back() == "[DONE]");
  bool first = true;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    const io::Json chunk = io::parse_json(events[i], "a chunk");
    CHECK(chunk.at("object") == "chat.completion.chunk");
    CHECK(chunk.at("id") == io::parse_json(events[0], "a chunk").at("id"));
    if (chunk.at("choices").empty() || chunk["choices"][0].at("index") != index) continue;
    REQUIRE(chunk["choices"].size() == 1);
    CHECK(finish.empty());
    const io::Json& choice = chunk["choices"][0];
    CHECK(choice.at("delta").contains("role") == first);
    first = false;
    if (choice["delta"].contains("content")) text += choice["delta"]["content"];
    if (!choice.at("finish_reason").is_null()) {
      finish = choice["finish_reason"];
      CHECK(choice["delta"].empty());
    }
  }
  return text + "|" + finish;
}

}  // namespace

TEST_CASE("a chat completion has the fields of OpenAI's") {
  const TestServer s;
  const HttpResult r = s.chat("say hello");
  CHECK(r.status == 200);
  CHECK(r.header("Content-Type") == "application/json");
  CHECK(r.header("Access-Control-Allow-Origin").empty());
  const io::Json answer = r.json();
  CHECK(answer.at("object") == "chat.completion");
  CHECK(answer.at("model") == "fake");
  CHECK(answer.at("id").get<std::string>().rfind("chatcmpl-", 0) == 0);
  CHECK(answer.at("created").get<std::int64_t>() > 1700000000);
  CHECK(answer.at("choices").size() == 1);
  const io::Json& choice = answer["choices"][0];
  CHECK(choice.at("index") == 0);
  CHECK(choice.at("message") ==
        io::Json{{"role", "assistant"}, {"content", "hello"}, {"refusal", nullptr}});
  CHECK(choice.at("logprobs").is_null());
  CHECK(choice.at("finish_reason") == "stop");
  CHECK(answer.at("usage") ==
        io::Json{{"prompt_tokens", 9}, {"completion_tokens", 6}, {"total_tokens", 15}});
  CHECK(s.chat("say hello").json().at("id") != answer["id"]);
}

TEST_CASE("a stream is server-sent events that join to the same answer") {
  const TestServer s;
  const HttpResult r = s.chat("say h\xC3\xA9llo", R"("stream": true)");
  CHECK(r.status == 200);
  CHECK(r.header("Content-Type") == "text/event-stream");
  const auto events = r.events();
  CHECK(streamed_text(events) == "h\xC3\xA9llo|stop");
  for (std::size_t i = 0; i + 1 < events.size(); ++i)
    CHECK_FALSE(io::parse_json(events[i], "a chunk").contains("usage"));

  const auto counted =
      s.chat("say hello", R"("stream": true, "stream_options": {"include_usage": true})").events();
  CHECK(streamed_text(counted) == "hello|stop");
  const io::Json last = io::parse_json(counted[counted.size() - 2], "a chunk");
  CHECK(last.at("choices").empty());
  CHECK(last.at("usage").at("completion_tokens") == 6);
  for (std::size_t i = 0; i + 2 < counted.size(); ++i)
    CHECK(io::parse_json(counted[i], "a chunk").at("usage").is_null());
}

TEST_CASE("an answer ends before a stop string, whole and streamed") {
  const TestServer s;
  const std::string stop = R"("stop": ["\n\n", " two"])";
  const io::Json answer = s.chat("say one, two, three", stop).json();
  CHECK(answer["choices"][0]["message"]["content"] == "one,");
  CHECK(answer["choices"][0]["finish_reason"] == "stop");
  CHECK(answer["usage"]["completion_tokens"] == 8);
  CHECK(streamed_text(s.chat("say one, two", stop + R"(, "stream": true)").events()) ==
        "one,|stop");
  CHECK(streamed_text(s.chat("say a\\nb tw", stop + R"(, "stream": true)").events()) ==
        "a\nb tw|stop");
}

TEST_CASE("max_tokens ends an answer with finish_reason length") {
  const TestServer s;
  for (const char* name : {"max_tokens", "max_completion_tokens"}) {
    const io::Json answer = s.chat("loop", "\"" + std::string(name) + "\": 5").json();
    CHECK(answer["choices"][0]["message"]["content"] == "xxxxx");
    CHECK(answer["choices"][0]["finish_reason"] == "length");
    CHECK(answer["usage"]["completion_tokens"] == 5);
  }
  CHECK(s.chat("loop").json()["usage"]["completion_tokens"] == 200);  // the server's own limit
  CHECK(s.chat("loop", R"("max_tokens": 201)").json()["error"]["param"] == "max_tokens");
  const HttpResult large = s.chat("say " + repeated("x", 990), R"("max_tokens": 10)");
  CHECK(large.status == 400);
  CHECK(large.json()["error"]["code"] == "context_length_exceeded");
}

TEST_CASE("a seed repeats an answer, and choices differ") {
  const TestServer s;
  const auto text = [&](const std::string& fields, std::size_t i = 0) {
    const io::Json answer = s.chat("noise", R"("max_tokens": 40, )" + fields).json();
    return answer.at("choices").at(i).at("message").at("content").get<std::string>();
  };
  const std::string one = text(R"("seed": 7)");
  CHECK(one.size() == 40);
  CHECK(text(R"("seed": 7)") == one);
  CHECK(text(R"("seed": 8)") != one);
  CHECK(text(R"("seed": null)") != text(R"("seed": null)"));
  CHECK(text(R"("seed": 7, "n": 3)") == one);
  CHECK(text(R"("seed": 7, "n": 3)", 1) != one);
  CHECK(text(R"("seed": 7, "n": 3)", 1) == text(R"("seed": 7, "n": 2)", 1));
}

TEST_CASE("n choices come together and streamed") {
  const TestServer s;
  const io::Json answer = s.chat("say abc", R"("n": 8)").json();
  REQUIRE(answer["choices"].size() == 8);
  for (int i = 0; i < 8; ++i) {
    CHECK(answer["choices"][static_cast<std::size_t>(i)]["index"] == i);
    CHECK(answer["choices"][static_cast<std::size_t>(i)]["message"]["content"] == "abc");
  }
  CHECK(answer["usage"]["completion_tokens"] == 32);
  CHECK(answer["usage"]["prompt_tokens"] == 7);
  const auto events = s.chat("say abc", R"("n": 3, "stream": true)").events();
  for (int i = 0; i < 3; ++i) CHECK(streamed_text(events, i) == "abc|stop");
}

TEST_CASE("log-probabilities name tokens, bytes and alternatives") {
  const TestServer s;
  const std::string fields = R"("logprobs": true, "top_logprobs": 2)";
  const io::Json answer = s.chat("say h\xC3\xA9", fields).json();
  const io::Json& content = answer["choices"][0]["logprobs"]["content"];
  REQUIRE(content.size() == 3);
  CHECK(content[0].at("token") == "h");
  CHECK(content[0].at("logprob") == -0.5);
  CHECK(content[0].at("bytes") == io::Json::array({104}));
  REQUIRE(content[0].at("top_logprobs").size() == 2);
  CHECK(content[0]["top_logprobs"][1].at("token") == "i");
  CHECK(content[0]["top_logprobs"][1].at("logprob") == -1.5);
  CHECK(content[1].at("bytes") == io::Json::array({0xC3}));  // half a character
  CHECK(content[1].at("token") == "\xEF\xBF\xBD");
  const io::Json none = s.chat("say h", R"("logprobs": true)").json();
  CHECK(none["choices"][0]["logprobs"]["content"][0]["top_logprobs"].empty());

  std::size_t tokens = 0;
  for (const auto& event : s.chat("say h\xC3\xA9", fields + R"(, "stream": true)").events()) {
    if (event == "[DONE]") continue;
    const io::Json choice = io::parse_json(event, "a chunk")["choices"][0];
    if (!choice["logprobs"].is_null()) tokens += choice["logprobs"]["content"].size();
  }
  CHECK(tokens == 3);
}

TEST_CASE("models and health are listed") {
  const TestServer s;
  const io::Json list = get(s.port(), "/v1/models").json();
  CHECK(list.at("object") == "list");
  REQUIRE(list.at("data").size() == 1);
  CHECK(list["data"][0].at("id") == "fake");
  CHECK(list["data"][0].at("object") == "model");
  CHECK(get(s.port(), "/v1/models/fake").json() == list["data"][0]);
  const HttpResult other = get(s.port(), "/v1/models/gpt%2D4");
  CHECK(other.status == 404);
  CHECK(other.json()["error"]["code"] == "model_not_found");
  CHECK(contains(other.json()["error"]["message"], "gpt-4"));
  CHECK(get(s.port(), "/health").json() ==
        io::Json{{"status", "ok"}, {"running", 0}, {"waiting", 0}});
}

TEST_CASE("errors are OpenAI's object with their status") {
  const TestServer s;
  const auto check = [](const HttpResult& r, int status) {
    CHECK(r.status == status);
    const io::Json error = r.json().at("error");
    for (const char* key : {"message", "type", "param", "code"}) CHECK(error.contains(key));
    return error;
  };
  CHECK(check(s.chat("say x", R"("n": 9)"), 400)["param"] == "n");
  CHECK(check(s.chat("unreadable"), 400)["message"].get<std::string>().find("cannot be read") !=
        std::string::npos);
  check(post(s.port(), "/v1/chat/completions", "{"), 400);
  const HttpResult model = post(s.port(), "/v1/chat/completions",
                                R"({"model": "x", "messages": [{"role": "user", "content": ""}]})");
  CHECK(check(model, 404)["code"] == "model_not_found");
  check(get(s.port(), "/v1/nothing"), 404);
  const HttpResult method = get(s.port(), "/v1/chat/completions");
  check(method, 405);
  CHECK(method.header("Allow") == "POST");
  check(http_exchange(s.port(), http_request("DELETE", "/health")), 405);
  check(post(s.port(), "/health", "{}"), 405);
}

TEST_CASE("a model that sees gets pictures as bytes, another refuses them") {
  const std::string body =
      R"({"model": "fake", "messages": [{"role": "user", "content": [
          {"type": "text", "text": "say "}, {"type": "image_url", "image_url":
            {"url": "data:image/jpeg;base64,/9j/"}}]}]})";  // FF D8 FF
  const TestServer seeing({}, true), blind;
  const HttpResult seen = post(seeing.port(), "/v1/chat/completions", body);
  CHECK(seen.status == 200);
  CHECK(seen.json()["usage"]["prompt_tokens"] == 7);
  const HttpResult refused = post(blind.port(), "/v1/chat/completions", body);
  CHECK(refused.status == 400);
  CHECK(refused.json()["error"]["param"] == "messages[0].content[1].image_url");
}

TEST_CASE("several clients at once get their own answers from one batch") {
  TestServer s({.slots = 5000});
  s.control.hold = true;
  const auto word = [](int c) { return "client " + std::to_string(c); };
  std::vector<std::future<HttpResult>> clients;
  for (int c = 0; c < 12; ++c)
    clients.push_back(std::async(std::launch::async, [&, c] {
      return s.chat("say " + word(c), c % 2 == 0 ? R"("stream": true)" : R"("n": 2)");
    }));
  CHECK(eventually([&] { return s.control.added == 18; }));  // 6 streams and 6 pairs
  s.control.hold = false;
  for (int c = 0; c < 12; ++c) {
    const HttpResult r = clients[static_cast<std::size_t>(c)].get();
    if (c % 2 == 0)
      CHECK(streamed_text(r.events()) == word(c) + "|stop");
    else
      CHECK(r.json()["choices"][1]["message"]["content"] == word(c));
  }
  CHECK(s.control.most == 18);
  CHECK(s.control.batches == 1);
}

TEST_CASE("requests that do not fit wait for those before them") {
  TestServer s({.slots = 250});  // one of them at a time
  std::vector<std::future<HttpResult>> clients;
  for (int c = 0; c < 4; ++c)
    clients.push_back(std::async(std::launch::async, [&] { return s.chat("loop"); }));
  for (auto& client : clients) CHECK(client.get().status == 200);
  CHECK(s.control.most == 1);
  CHECK(s.control.added == 4);
}

TEST_CASE("a full queue is answered with 429, and a client that leaves makes room") {
  TestServer s({.slots = 250, .queue = 2});
  s.control.hold = true;
  const std::string request = s.request("loop");
  HttpClient running(s.port());
  running.send(request);
  REQUIRE(eventually([&] { return s.control.added == 1; }));
  HttpClient first(s.port()), second(s.port());
  first.send(request);
  second.send(request);
  REQUIRE(eventually([&] { return s.server->scheduler().waiting() == 2; }));
  const HttpResult full = s.chat("loop");
  CHECK(full.status == 429);
  CHECK(full.header("Retry-After") == "1");
  CHECK(full.json()["error"]["type"] == "rate_limit_error");
  first.close();
  CHECK(eventually([&] { return s.server->scheduler().waiting() == 1; }));
  HttpClient third(s.port());
  third.send(request);
  CHECK(eventually([&] { return s.server->scheduler().waiting() == 2; }));
  s.control.hold = false;
  for (HttpClient* client : {&running, &second, &third})
    CHECK(parsed_response(client->read_all()).status == 200);
  CHECK(s.control.added == 3);  // the one that left was never generated
}

TEST_CASE("a client that disconnects ends its generation") {
  TestServer s({.max_tokens = 100000000, .slots = 1000000000});
  for (const std::string fields : {R"("stream": true)", R"("n": 3)", R"("n": 2, "stream": true)"}) {
    INFO(fields);
    HttpClient client(s.port());
    client.send(s.request("loop", fields));
    REQUIRE(eventually([&] { return s.server->scheduler().running() > 0; }));
    if (contains(fields, "stream")) client.read_until("\"x\"");
    client.close();
    CHECK(eventually([&] { return s.server->scheduler().running() == 0; }));
  }
}

TEST_CASE("a batch that throws fails its requests, not the server") {
  TestServer s;
  s.control.hold = true;
  auto other = std::async(std::launch::async, [&] { return s.chat("say x"); });
  REQUIRE(eventually([&] { return s.control.added == 1; }));
  HttpClient failing(s.port());
  failing.send(s.request("fail", R"("stream": true)"));
  REQUIRE(eventually([&] { return s.control.added == 2; }));
  s.control.hold = false;
  const HttpResult failed = parsed_response(failing.read_all());
  CHECK(failed.status == 500);
  CHECK_FALSE(contains(failed.body, "secret"));
  CHECK(failed.json()["error"]["type"] == "server_error");
  const int status = other.get().status;  // its batch may have been the same
  CHECK((status == 200 || status == 500));
  CHECK(s.chat("say again").json()["choices"][0]["message"]["content"] == "again");
  CHECK(s.control.batches == 2);
}

TEST_CASE("a request that the batch refuses, or without a token, fails alone") {
  TestServer s;
  s.control.hold = true;
  auto other = std::async(std::launch::async, [&] { return s.chat("say x"); });
  REQUIRE(eventually([&] { return s.control.added == 1; }));
  CHECK(s.chat("!").status == 500);
  const HttpResult empty = s.chat("");
  CHECK(empty.status == 400);
  CHECK(contains(empty.body, "no tokens"));
  s.control.hold = false;
  CHECK(other.get().status == 200);
  CHECK(s.control.batches == 1);
}

TEST_CASE("a request that takes too long is ended") {
  TestServer s({.seconds = 0.3});
  s.control.hold = true;
  const HttpResult whole = s.chat("loop"), stream = s.chat("loop", R"("stream": true)");
  for (const HttpResult& r : {whole, stream}) {
    CHECK(r.status == 503);
    CHECK(r.json()["error"]["code"] == "timeout");
  }
  CHECK(eventually([&] { return s.server->scheduler().running() == 0; }));
  s.control.hold = false;
  CHECK(eventually([&] { return s.chat("say x").status == 200; }));  // in 0.3 s, some time
}

TEST_CASE("the server ends with requests in flight and in the queue") {
  TestServer s({.max_tokens = 100000000, .slots = 100001000});
  HttpClient streaming(s.port()), half(s.port());
  streaming.send(s.request("loop", R"("stream": true)"));
  streaming.read_until("\"x\"");
  auto waiting = std::async(std::launch::async, [&] { return s.chat("loop"); });
  half.send("POST /v1/chat/completions HTTP/1.1\r\nHost: local");
  REQUIRE(eventually([&] { return s.server->scheduler().waiting() == 1; }));
  const int port = s.port();
  std::thread reader([&] { streaming.read_all(); });
  s.server.reset();
  reader.join();
  const auto events = parsed_response(streaming.read_all()).events();
  REQUIRE_FALSE(events.empty());
  CHECK(contains(events.back(), "shutting down"));
  CHECK(waiting.get().status == 503);
  CHECK_FALSE(HttpClient(port).connected());
}

TEST_CASE("a server that cannot listen says why") {
  const TestServer s;
  CHECK(contains(error_of([&] { TestServer({.port = s.port()}); }), "Address already in use"));
  CHECK(contains(error_of([&] { TestServer({.host = "host.invalid"}); }), "host.invalid"));
}

}  // namespace test_serve
