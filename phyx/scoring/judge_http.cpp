// SPDX-License-Identifier: MIT
// Requests of a judge, interpretation of replies, retries.
#include "phyx/scoring/judge_http.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/json.hpp"
#include "phyx/scoring/http_post.hpp"

namespace gaze::phyx {

namespace {

constexpr int most_tokens = 128;  // as in the official protocol

/// Result of one attempt.
struct Answer {
  enum class Kind { text, retry, refused, wrong_address };
  Kind kind = Kind::retry;
  std::string text;  // the reply, or the error
  double wait = 0;   // seconds, from Retry-After
};

double seconds_of(const std::string& text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && value > 0 ? value : 0;
}

/// Interprets a reply.
Answer answer_of(const HttpReply& reply) {
  using Kind = Answer::Kind;
  const int status = reply.status;
  if (status == 0) return {Kind::retry, "no reply: " + printable(reply.failure, 200), 0};
  const std::string excerpt = printable(reply.body, 200);
  if (status == 200) {
    if (const auto text = judge_text(reply.body)) return {Kind::text, *text, 0};
    return {Kind::retry, "a reply without choices[0].message.content: " + excerpt, 0};
  }
  const std::string said = "status " + std::to_string(status) + ": " + excerpt;
  if (status == 408 || status == 429 || status >= 500)
    return {Kind::retry, said, seconds_of(reply.retry_after)};
  const bool wrong = status == 401 || status == 403 || status == 404;
  return {wrong ? Kind::wrong_address : Kind::refused, said, 0};
}

/// Whether the text is printable ASCII without spaces, so it cannot break a header.
bool plain_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

/// The calls of one judge, over one persistent connection.
class Asker {
 public:
  Asker(const JudgeServer& server, std::function<bool()> stop)
      : server_(server), address_(server_address(server.url)), stop_(std::move(stop)) {
    GAZE_CHECK(!server.model.empty(), "judge", "no model named");
    GAZE_CHECK(server.tries > 0 && server.give_up_after > 0, "judge", "tries ", server.tries,
               ", give up after ", server.give_up_after);
    GAZE_CHECK(HttpPoster::usable(address_.origin + address_.path), "judge", server.url,
               ": not a usable address");
    // Error messages must not contain the key.
    GAZE_CHECK(plain_ascii(server.key), "judge",
               "the key contains a space, a control character or a non-ASCII character; it was "
               "not sent");
    for (const double seconds :
         {server.connect_seconds, server.reply_seconds, server.first_wait, server.longest_wait})
      GAZE_CHECK(std::isfinite(seconds) && seconds >= 0, "judge", "invalid time: ", seconds,
                 " seconds");
    limits_.connect_seconds = server.connect_seconds;
    limits_.seconds = server.reply_seconds;
  }

  std::string ask(const std::string& prompt, double temperature) {
    const std::string body = request(prompt, temperature);
    double wait = server_.first_wait;
    Answer answer;
    for (int i = 0; i < server_.tries && !stopped(); ++i) {
      if (i > 0) {
        pause(std::min(std::max(wait, answer.wait), server_.longest_wait));
        wait *= 2;
        if (stopped()) break;
      }
      answer = post(body);
      GAZE_CHECK(answer.kind != Answer::Kind::wrong_address, "judge", server_.url, ": ",
                 answer.text);
      if (answer.kind == Answer::Kind::refused) break;
      if (answer.kind != Answer::Kind::text) continue;
      failed_ = 0;
      return answer.text;
    }
    if (stopped()) return judge_failed;
    ++failed_;
    GAZE_CHECK(failed_ < server_.give_up_after, "judge", server_.url, ": ", failed_,
               " consecutive calls have failed; the last one: ", answer.text);
    return judge_failed;
  }

 private:
  bool stopped() const { return stop_ && stop_(); }

  std::string request(const std::string& prompt, double temperature) const {
    const io::OrderedJson body = {
        {"model", server_.model},
        {"messages", io::OrderedJson::array({{{"role", "user"}, {"content", prompt}}})},
        {"temperature", temperature},
        {"max_tokens", most_tokens}};
    return body.dump(-1, ' ', false, io::OrderedJson::error_handler_t::replace);
  }

  Answer post(const std::string& body) {
    std::vector<std::string> headers = {"Content-Type: application/json",
                                        "Accept: application/json"};
    if (!server_.key.empty()) headers.push_back("Authorization: Bearer " + server_.key);
    return answer_of(poster_.post(address_.origin + address_.path, headers, body, limits_, stop_));
  }

  /// Sleeps in slices, so that a stop is noticed.
  void pause(double seconds) const {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end && !stopped())
      std::this_thread::sleep_for(std::chrono::duration<double>(
          std::min(0.1, std::chrono::duration<double>(end - Clock::now()).count())));
  }

  JudgeServer server_;
  ServerAddress address_;
  std::function<bool()> stop_;
  HttpLimits limits_;
  HttpPoster poster_;
  int failed_ = 0;  // consecutive calls
};

}  // namespace

std::optional<std::string> judge_text(const std::string& body) {
  constexpr std::size_t longest = 64u << 10;  // bytes; 128 tokens are far fewer
  try {
    const io::Json reply = io::parse_json(body, "the reply");
    const io::Json::json_pointer place("/choices/0/message/content");
    if (!reply.is_object() || !reply.contains(place) || !reply.at(place).is_string())
      return std::nullopt;
    auto text = reply.at(place).get<std::string>();
    if (text.size() > longest) return std::nullopt;
    return text;
  } catch (const Error&) {
    return std::nullopt;  // not JSON, or nested without end
  }
}

ServerAddress server_address(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::string kind = url.substr(0, scheme == url.npos ? 0 : scheme);
  GAZE_CHECK(kind == "http" || kind == "https", "judge", "'", url,
             "' does not start with http:// or https://");
  const std::size_t slash = std::min(url.find('/', scheme + 3), url.size());
  GAZE_CHECK(slash > scheme + 3 && plain_ascii(url) && url.find_first_of("@?#") == url.npos,
             "judge", "'", url, "' is not an address like https://host/v1");
  std::string path = url.substr(slash);
  while (path.ends_with('/')) path.pop_back();
  constexpr const char* end = "/chat/completions";
  if (path.empty()) path = "/v1";
  if (!path.ends_with(end)) path += end;
  return {url.substr(0, slash), path};
}

Judge http_judge(const JudgeServer& server, std::function<bool()> stop) {
  const auto asker = std::make_shared<Asker>(server, std::move(stop));
  return [asker](const std::string& prompt, double temperature) {
    return asker->ask(prompt, temperature);
  };
}

}  // namespace gaze::phyx
