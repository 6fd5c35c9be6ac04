// SPDX-License-Identifier: MIT
#include "phyx/judge_http.hpp"

#include <httplib.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

namespace gaze::phyx {

namespace {

constexpr std::size_t largest_reply = std::size_t{4} << 20;  // bytes
constexpr int most_tokens = 128;                             // as in the official protocol

/// What came of one try.
struct Answer {
  enum class Kind { text, retry, refused, wrong_address };
  Kind kind = Kind::retry;
  std::string text;  // the reply, or what went wrong
  double wait = 0;   // seconds that the server asks for
};

std::string excerpt(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c == '\n' || c == '\r' ? ' ' : c;
  return out;
}

/// The text of choices[0].message.content; nothing where the reply is of another shape.
std::optional<std::string> content_of(const std::string& body) {
  const io::Json reply = io::Json::parse(body, nullptr, false);
  const io::Json::json_pointer place("/choices/0/message/content");
  if (!reply.is_object() || !reply.contains(place) || !reply.at(place).is_string())
    return std::nullopt;
  return reply.at(place).get<std::string>();
}

double seconds_of(const std::string& text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && value > 0 ? value : 0;
}

/// What a status and a body mean.
Answer answer_of(int status, const std::string& body, const std::string& retry_after) {
  using Kind = Answer::Kind;
  if (status == 200) {
    if (const auto text = content_of(body)) return {Kind::text, *text, 0};
    return {Kind::retry, "a reply without choices[0].message.content: " + excerpt(body), 0};
  }
  const std::string said = "status " + std::to_string(status) + ": " + excerpt(body);
  if (status == 408 || status == 429 || status >= 500)
    return {Kind::retry, said, seconds_of(retry_after)};
  const bool wrong = status == 401 || status == 403 || status == 404;
  return {wrong ? Kind::wrong_address : Kind::refused, said, 0};
}

void set_timeouts(httplib::Client& client, const JudgeServer& s) {
  const auto milliseconds = [](double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  };
  client.set_connection_timeout(milliseconds(s.connect_seconds));
  client.set_read_timeout(milliseconds(s.reply_seconds));
  client.set_write_timeout(milliseconds(s.reply_seconds));
}

/// The calls of one judge, over one connection that is kept.
class Asker {
 public:
  Asker(const JudgeServer& server, std::function<bool()> stop)
      : server_(server),
        address_(server_address(server.url)),
        stop_(std::move(stop)),
        client_(address_.origin) {
    GAZE_CHECK(!server.model.empty(), "judge", "no model named");
    GAZE_CHECK(server.tries > 0 && server.give_up_after > 0, "judge", "tries ", server.tries,
               ", give up after ", server.give_up_after);
    GAZE_CHECK(client_.is_valid(), "judge", server.url, ": this address cannot be used");
    client_.set_keep_alive(true);
    set_timeouts(client_, server);
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
               " calls in a row have failed; the last one: ", answer.text);
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
    httplib::Request request;
    request.method = "POST";
    request.path = address_.path;
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    if (!server_.key.empty()) request.headers.emplace("Authorization", "Bearer " + server_.key);
    request.body = body;
    std::string reply;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t,
                                   std::uint64_t) {
      reply.append(data, size);
      return reply.size() <= largest_reply;
    };
    const auto result = client_.send(request);
    if (!result) return {Answer::Kind::retry, "no reply: " + httplib::to_string(result.error()), 0};
    return answer_of(result->status, reply, result->get_header_value("Retry-After"));
  }

  /// In slices, so that a stop is noticed.
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
  httplib::Client client_;
  int failed_ = 0;  // calls in a row
};

}  // namespace

ServerAddress server_address(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::string kind = url.substr(0, scheme == url.npos ? 0 : scheme);
  GAZE_CHECK(kind == "http" || kind == "https", "judge", "'", url,
             "' does not start with http:// or https://");
  const std::size_t slash = std::min(url.find('/', scheme + 3), url.size());
  GAZE_CHECK(slash > scheme + 3 && url.find_first_of(" @?#") == url.npos, "judge", "'", url,
             "' is not an address like https://host/v1");
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
