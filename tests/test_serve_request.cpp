// SPDX-License-Identifier: MIT
// Parsing of chat requests, stop strings, whole characters, and the rule of Host and Origin.
#include "gaze/io/base64.hpp"
#include "gaze/io/json.hpp"
#include "phyx/serve/access.hpp"
#include "phyx/serve/api_error.hpp"
#include "phyx/serve/chat_request.hpp"
#include "phyx/serve/choice.hpp"
#include "phyx/serve/stop_strings.hpp"
#include "tests/fake_chat.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_serve_request {
namespace {

using namespace gaze;
using namespace gaze::phyx::serve;
using gaze::test::contains;
using gaze::test::repeated;

const std::string user = R"([{"role": "user", "content": "hi"}])";

/// A request with one field more, or with other messages.
std::string with(const std::string& fields, const std::string& messages = user) {
  return R"({"model": "m", "messages": )" + messages + (fields.empty() ? "" : ", " + fields) + "}";
}

ChatRequest parse(const std::string& body, bool pictures = true) {
  return parse_chat_request(body, {.messages = 5, .pictures = pictures});
}

/// The error of a request: its message, after a check of status and field.
std::string refusal(const std::string& body, const std::string& field, bool pictures = true) {
  INFO(body.substr(0, 300));
  try {
    parse(body, pictures);
  } catch (const ApiError& e) {
    CHECK(e.status() == 400);
    const io::Json error = io::parse_json(e.json(), "error").at("error");
    CHECK(error.at("type") == "invalid_request_error");
    if (field.empty())
      CHECK(error.at("param").is_null());
    else
      CHECK(error.at("param") == field);
    return error.at("message");
  }
  FAIL_CHECK("accepted");
  return "";
}

std::string message(const std::string& rest) { return "[{" + rest + "}]"; }

std::string picture_url(const std::string& bytes, const std::string& type = "image/png") {
  return "data:" + type + ";base64," +
         io::base64_encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::string picture_message(const std::string& url, const std::string& role = "user") {
  return message(R"("role": ")" + role +
                 R"(", "content": [{"type": "text", "text": "what is"}, {"type": "image_url", )"
                 R"("image_url": {"url": ")" +
                 url + R"(", "detail": "low"}}, {"type": "text", "text": "?"}])");
}

const std::string png = "\x89PNG\r\n\x1a\nrest";

/// Pieces of `text` of `size` bytes, through stop strings; what came out, joined.
std::string cut(const std::vector<std::string>& stops, const std::string& text, std::size_t size) {
  StopStrings s(stops);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += size) out += s.push(text.substr(at, size));
  return out + s.finish() + (s.found() ? "|" : "");
}

/// Pieces of an answer of these bytes, a token each.
std::vector<Piece> pieces_of(const std::string& bytes, const std::vector<std::string>& stops) {
  static const test::FakeModel model;
  Choice choice(model, stops, 3);
  std::vector<Piece> out;
  for (const char c : bytes) {
    out.push_back(choice.add({static_cast<unsigned char>(c), -1, {}, false}));
    if (choice.stopped()) break;
  }
  out.push_back(choice.finish(false, nullptr));
  return out;
}

}  // namespace

TEST_CASE("a chat request has OpenAI's defaults") {
  const ChatRequest r = parse(with(""));
  CHECK(r.model == "m");
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].role == "user");
  CHECK(r.messages[0].text() == "hi");
  CHECK_FALSE(r.stream);
  CHECK(r.stops.empty());
  CHECK_FALSE(r.seed);
  CHECK(r.temperature == 1);
  CHECK(r.top_p == 1);
  CHECK_FALSE(r.max_tokens);
  CHECK(r.choices == 1);
  CHECK_FALSE(r.logprobs);
}

TEST_CASE("every supported field of a chat request is read") {
  const ChatRequest r = parse(with(R"(
      "stream": true, "stream_options": {"include_usage": true}, "stop": ["a", "b"], "seed": -1,
      "temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "n": 8, "logprobs": true,
      "top_logprobs": 20)"));
  CHECK(r.stream);
  CHECK(r.include_usage);
  CHECK(r.stops == std::vector<std::string>{"a", "b"});
  CHECK(r.seed == ~std::uint64_t{0});
  CHECK(r.temperature == 0.5);
  CHECK(r.top_p == 0.9);
  CHECK(r.max_tokens == 7);
  CHECK(r.choices == 8);
  CHECK(r.logprobs);
  CHECK(r.top_logprobs == 20);
  CHECK(parse(with(R"("stop": "x")")).stops == std::vector<std::string>{"x"});
  CHECK(parse(with(R"("max_completion_tokens": 9)")).max_tokens == 9);
  CHECK(parse(with(R"("temperature": 0, "top_p": 0)")).top_p == 0);
}

TEST_CASE("fields without effect and fields that are null are ignored") {
  CHECK_NOTHROW(parse(with(R"(
      "user": "u", "metadata": {"a": "b"}, "store": true, "service_tier": "auto", "stop": null,
      "seed": null, "n": null, "stream": null, "stream_options": null, "functions": null,
      "presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {}, "tools": [],
      "tool_choice": "none", "response_format": {"type": "text"}, "modalities": ["text"],
      "safety_identifier": "s", "prompt_cache_key": "k", "top_k": null)")));
}

TEST_CASE("unsupported fields are refused by name") {
  for (const char* field :
       {R"("presence_penalty": 0.1)", R"("frequency_penalty": -1)", R"("logit_bias": {"5": 1})",
        R"("tools": [{"type": "function"}])", R"("tool_choice": "required")",
        R"("functions": [{}])", R"("response_format": {"type": "json_object"})",
        R"("modalities": ["text", "audio"])", R"("audio": {})", R"("top_k": 5)",
        R"("reasoning_effort": "low")", R"("repetition_penalty": 1.1)", R"("best_of": 2)"}) {
    const std::string name = std::string(field).substr(1, std::string(field).find('"', 1) - 1);
    CHECK(contains(refusal(with(field), name), name));
  }
  CHECK(contains(refusal(with(R"("temprature": 1)"), "temprature"), "not a known field"));
}

TEST_CASE("fields of a wrong type or range are refused by name") {
  for (const auto& [field, values] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"n", {"0", "9", "1.5", "\"1\"", "true", "18446744073709551615", "[]", "{}"}},
           {"temperature", {"-0.1", "2.1", "\"1\"", "1e-7", "true"}},
           {"top_p", {"-0.1", "1.1", "[]"}},
           {"seed", {"1.5", "\"1\"", "9223372036854775808", "-9223372036854775809"}},
           {"max_tokens", {"0", "-1", "2147483648", "1.0"}},
           {"logprobs", {"1", "\"true\""}},
           {"top_logprobs", {"1", "21", "-1"}},  // 1: without logprobs
           {"stream", {"1", "\"true\"", "{}"}},
           {"stream_options", {"{}"}},  // without stream
           {"stop", {"1", "\"\"", "[1]", "[\"\"]", R"(["1", "2", "3", "4", "5"])", "{}"}}})
    for (const std::string& value : values) {
      CHECK(contains(refusal(with("\"" + field + "\": " + value), field), field + ": "));
    }
  refusal(with(R"("stop": ")" + repeated("x", 1001) + "\""), "stop");
  refusal(with(R"("max_tokens": 1, "max_completion_tokens": 2)"), "max_tokens");
  refusal(with(R"("stream": true, "stream_options": {"include_usage": 1})"),
          "stream_options.include_usage");
  refusal(with(R"("stream": true, "stream_options": {"x": 1})"), "stream_options.x");
  refusal(R"({"messages": )" + user + "}", "model");
  refusal(R"({"model": 1, "messages": )" + user + "}", "model");
}

TEST_CASE("messages are read with their roles and parts") {
  const ChatRequest r =
      parse(with("", R"([{"role": "developer", "content": "a"}, {"role": "user", "content": "b"},
                   {"role": "assistant", "content": "c", "refusal": null, "tool_calls": [],
                    "annotations": []},
                   {"role": "user", "content": [{"type": "text", "text": "d"},
                                                {"type": "text", "text": "e"}]}])"));
  REQUIRE(r.messages.size() == 4);
  CHECK(r.messages[0].role == "system");
  CHECK(r.messages[2].role == "assistant");
  CHECK(r.messages[3].text() == "de");
}

TEST_CASE("messages of a wrong form are refused with their place") {
  const std::string m = "messages[0].";
  refusal(R"({"model": "m"})", "messages");
  for (const char* list : {"[]", "{}", "\"hi\"", "1"}) refusal(with("", list), "messages");
  refusal(with("", "[" + repeated(user.substr(1, user.size() - 2) + ",", 5) + user.substr(1)),
          "messages");
  refusal(with("", "[1]"), "messages[0]");
  refusal(with("", message(R"("content": "x")")), m + "role");
  for (const char* role : {"tool", "function", "User", ""})
    refusal(with("", message(R"("role": ")" + std::string(role) + R"(", "content": "x")")),
            m + "role");
  for (const char* content : {"1", "[]", "{}", "null", "true"})
    refusal(with("", message(R"("role": "user", "content": )" + std::string(content))),
            m + "content");
  refusal(with("", message(R"("role": "user", "content": ["x"])")), m + "content[0]");
  refusal(with("", message(R"("role": "user", "content": [{"type": "file"}])")),
          m + "content[0].type");
  refusal(with("", message(R"("role": "user", "content": [{"type": "text", "text": 1}])")),
          m + "content[0].text");
  refusal(with("", message(R"("role": "user", "content": "x", "name": "Ann")")), m + "name");
  refusal(with("", message(R"("role": "user", "content": "x", "tool_calls": [1])")),
          m + "tool_calls");
  refusal(with("", message(R"("role": "user", "content": "x", "weight": 1)")), m + "weight");
  CHECK_NOTHROW(parse(with("", message(R"("role": "user", "content": "x", "type": "text")"))));
  refusal(with("", message(R"("role": "user", "content": "x", "type": "item")")), m + "type");
}

TEST_CASE("pictures are the bytes of a data URL") {
  const ChatRequest r = parse(with("", picture_message(picture_url(png))));
  REQUIRE(r.messages[0].parts.size() == 3);
  const auto& bytes = r.messages[0].parts[1].picture;
  CHECK(std::string(bytes.begin(), bytes.end()) == png);
  CHECK(r.messages[0].text() == "what is?");
  CHECK_NOTHROW(parse(with("", picture_message(picture_url("\xff\xd8\xff", "image/jpeg")))));

  const std::string image = "messages[0].content[1].image_url", url = image + ".url";
  CHECK(contains(refusal(with("", picture_message(picture_url(png))), image, false), "text only"));
  for (const char* bad :
       {"http://example.com/a.png", "file:///etc/passwd", "", "data:image/gif;base64,AAAA",
        "data:image/png,AAAA", "data:image/png;base64,A?==", "data:image/png;base64,",
        "data:image/png;base64,AAAA"})
    refusal(with("", picture_message(bad)), url);
  refusal(with("", picture_message(picture_url(png), "system")), "messages[0].content");
}

TEST_CASE("a body that is not JSON, or hostile JSON, is refused") {
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("\xff\xfe"), std::string("{\"a\": \"\xc3(\"}"),
        with("") + "x", std::string("{\"a\": \"\\ud800\"}"), with("", "[" + user),
        std::string(100000, '['), repeated("{\"a\":", 1000), std::string("{\"model\": 1\0}", 13),
        std::string("{\"n\": 1, \"n\": 2}")})
    refusal(body, "");
  refusal("[]", "body");
  refusal("null", "body");
  CHECK(contains(refusal("[" + repeated("[],", 200000) + "[]]", "body"), "JSON values"));
  CHECK_NOTHROW(parse(
      with("", message(R"("role": "user", "content": ")" + repeated("[{,\\\"", 100000) + "\""))));
}

TEST_CASE("an error message from a request is one bounded, printable line") {
  const std::string hostile = "\\u001b[2J" + repeated("x", 10000);
  const std::string said = refusal(
      with("", message(R"("role": ")" + hostile + R"(", "content": "x")")), "messages[0].role");
  CHECK(said.size() < 2000);
  CHECK_FALSE(contains(said, "\x1b"));
}

TEST_CASE("text is cut before the stop string that is complete first, at any borders") {
  for (std::size_t size = 1; size <= 12; ++size) {
    INFO(size);
    CHECK(cut({}, "abc", size) == "abc");
    CHECK(cut({"END"}, "the END of it", size) == "the |");
    CHECK(cut({"END"}, "the EN", size) == "the EN");
    CHECK(cut({"END"}, "EEND", size) == "E|");
    CHECK(cut({"aab"}, "aaaab", size) == "aa|");
    CHECK(cut({"abcd", "bc"}, "xabcd", size) == "xa|");  // bc is complete first
    CHECK(cut({"c", "abc"}, "xabc", size) == "x|");      // both at once: the longer
    CHECK(cut({"\n\n", "b"}, "a\nb", size) == "a\n|");
    CHECK(cut({"a"}, "a", size) == "|");
  }
}

TEST_CASE("only what may begin a stop string is held back") {
  StopStrings s({"\n\n", "stop"});
  CHECK(s.push("yes\n") == "yes");
  CHECK(s.push("no st") == "\nno ");
  CHECK(s.push("ay") == "stay");
  CHECK(s.push("sto") == "");
  CHECK(s.push("ps") == "");
  CHECK(s.found());
  CHECK(s.push("more") == "");
  CHECK(s.finish() == "");
}

TEST_CASE("a choice's pieces are whole characters with their tokens") {
  const std::string text = "h\xC3\xA9\xF0\x9F\x98\x80!";
  std::string joined;
  std::size_t tokens = 0;
  for (const Piece& p : pieces_of(text, {})) {
    CHECK(p.index == 3);
    CHECK(is_utf8(p.text));
    joined += p.text;
    tokens += p.tokens.size();
    CHECK(p.finish == (p.generated > 0 ? "length" : ""));
  }
  CHECK(joined == text);
  CHECK(tokens == text.size());

  const auto broken = pieces_of("a\xE2\x82", {});
  CHECK(broken.back().text == "\xEF\xBF\xBD");
  CHECK(broken.back().tokens.size() == 2);
}

TEST_CASE("a choice stops at a stop string and gives out the tokens before it") {
  std::string joined;
  std::size_t tokens = 0;
  const auto pieces = pieces_of("one, two, three", {" two"});
  for (const Piece& p : pieces) {
    joined += p.text;
    tokens += p.tokens.size();
  }
  CHECK(joined == "one,");
  CHECK(tokens == 4);
  CHECK(pieces.back().finish == "stop");
  CHECK(pieces.back().generated == 8);
}

TEST_CASE("Host must name a local server, and Origin must be its own") {
  const AccessRule local{true, {"my.box"}};
  for (const char* host : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8080", "127.1.2.3",
                           "[::1]", "[::1]:8080", "my.box", "My.Box:1"}) {
    INFO(host);
    CHECK(local.allows_host(host));
  }
  for (const char* host :
       {"", ":80", "example.com", "localhost.example.com", "127.0.0.1.example.com", "127.1",
        "192.168.0.1", "[2001:db8::1]", "[::1", "[::1]x", "localhost:x", "localhost:123456",
        "localhost:80:80", "localhost.", "x@localhost", "[localhost]x", "127.0.0.1, example.com"}) {
    INFO(host);
    CHECK_FALSE(local.allows_host(host));
  }
  const AccessRule open{false, {}};
  for (const char* host : {"192.168.0.1:8080", "[2001:db8::1]:80", "localhost"})
    CHECK(open.allows_host(host));
  CHECK_FALSE(open.allows_host("example.com"));

  CHECK(AccessRule::is_own_origin("http://localhost:8080", "localhost:8080"));
  CHECK(AccessRule::is_own_origin("https://my.box", "MY.box"));
  for (const char* origin : {"null", "", "http://localhost:3000", "http://localhost",
                             "http://example.com", "localhost:8080", "file://"})
    CHECK_FALSE(AccessRule::is_own_origin(origin, "localhost:8080"));
  CHECK(is_loopback("::1"));
  CHECK(is_loopback("localhost"));
  CHECK_FALSE(is_loopback("0.0.0.0"));
  CHECK_FALSE(is_loopback("127.0.0.1.example.com"));
}

}  // namespace test_serve_request
