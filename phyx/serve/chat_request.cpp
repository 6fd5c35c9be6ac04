// SPDX-License-Identifier: MIT
// Parsing and refusals. Source of fields and ranges: OpenAI's API reference, "Create chat
// completion".
#include "phyx/serve/chat_request.hpp"

#include <limits>

#include "gaze/generate/sampling.hpp"
#include "gaze/io/base64.hpp"
#include "phyx/serve/api_error.hpp"
#include "phyx/serve/request_fields.hpp"

namespace gaze::phyx::serve {

namespace {

using io::Json;

constexpr std::size_t max_json_values = 100000;

/// Bounds the values of a document before it is parsed: a value of two bytes takes some hundred in
/// memory.
void check_size(std::string_view body) {
  std::size_t values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (in_string && body[i] == '\\')
      ++i;
    else if (body[i] == '"')
      in_string = !in_string;
    else if (!in_string && (body[i] == ',' || body[i] == '[' || body[i] == '{'))
      ++values;
  }
  if (values > max_json_values) refuse("body", "more than ", max_json_values, " JSON values");
}

Json parse_body(std::string_view body) {
  check_size(body);
  try {
    return io::parse_json(body, "body");
  } catch (const Error& e) {
    throw ApiError(400, e.what(), "", "invalid_json");
  }
}

/// What follows "data:image/png;base64," or its JPEG twin.
std::string_view base64_part(std::string_view url, const std::string& name) {
  if (url.substr(0, 5) != "data:")
    refuse(name, "must be a data: URL; this server fetches nothing from elsewhere");
  for (const std::string_view type : {"png", "jpeg", "jpg"}) {
    const std::string head = "data:image/" + std::string(type) + ";base64,";
    if (url.substr(0, head.size()) == head) return url.substr(head.size());
  }
  refuse(name, "must begin with data:image/png;base64, or data:image/jpeg;base64,");
}

std::vector<std::uint8_t> parse_picture(const Json& image, const std::string& path, bool allowed) {
  if (!allowed) refuse(path, "the model reads text only");
  RequestFields fields(image, path);
  fields.ignore({"detail"});  // pictures are always read as the model reads them
  const std::string url = fields.text("url");
  fields.finish();
  const std::string name = fields.name("url");
  std::vector<std::uint8_t> bytes;
  try {
    bytes = io::base64_decode(base64_part(url, name));
  } catch (const ApiError&) {
    throw;
  } catch (const Error& e) {
    refuse(name, e.what());
  }
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (start.substr(0, 8) != "\x89PNG\r\n\x1a\n" && start.substr(0, 3) != "\xff\xd8\xff")
    refuse(name, "neither PNG nor JPEG");
  return bytes;
}

ContentPart parse_part(const Json& part, const std::string& path, bool pictures) {
  RequestFields fields(part, path);
  const std::string type = fields.text("type");
  ContentPart out;
  if (type == "text")
    out.text = fields.text("text");
  else if (type == "image_url")
    out.picture = parse_picture(fields.at("image_url"), fields.name("image_url"), pictures);
  else
    refuse(fields.name("type"), "must be text or image_url, got ", printable(type, kShownBytes));
  fields.finish();
  return out;
}

std::vector<ContentPart> parse_content(const Json& content, const std::string& path,
                                       bool pictures) {
  if (content.is_string()) return {ContentPart{content.get<std::string>()}};
  if (!content.is_array() || content.empty())
    refuse(path, "must be a string or a list of parts, got ", shown(content));
  std::vector<ContentPart> out;
  for (std::size_t i = 0; i < content.size(); ++i)
    out.push_back(parse_part(content[i], path + "[" + std::to_string(i) + "]", pictures));
  return out;
}

ChatMessage parse_message(const Json& message, const std::string& path, bool pictures) {
  RequestFields fields(message, path);
  ChatMessage out{fields.text("role"), {}};
  if (out.role == "developer") out.role = "system";  // its newer name
  if (out.role != "system" && out.role != "user" && out.role != "assistant")
    refuse(fields.name("role"), "must be system, user or assistant, got ",
           printable(out.role, kShownBytes));
  out.parts = parse_content(fields.at("content"), fields.name("content"), pictures);
  for (const ContentPart& part : out.parts)
    if (!part.picture.empty() && out.role != "user")
      refuse(fields.name("content"), "only a user's message may contain pictures");
  // An assistant's message as this API answers it is accepted; nothing else than text is.
  for (const char* list : {"tool_calls", "annotations"}) fields.unsupported(list, "[[]]");
  for (const char* other : {"name", "refusal", "audio", "function_call"}) fields.unsupported(other);
  fields.unsupported("type", R"(["text"])");  // of some versions of lm-evaluation-harness
  fields.finish();
  return out;
}

std::vector<ChatMessage> parse_messages(const Json& messages, const RequestLimits& limits) {
  if (!messages.is_array() || messages.empty())
    refuse("messages", "must be a list of at least one message, got ", shown(messages));
  if (messages.size() > limits.messages)
    refuse("messages", messages.size(), " are more than the ", limits.messages, " allowed");
  std::vector<ChatMessage> out;
  for (std::size_t i = 0; i < messages.size(); ++i)
    out.push_back(
        parse_message(messages[i], "messages[" + std::to_string(i) + "]", limits.pictures));
  return out;
}

std::vector<std::string> parse_stops(const Json* stop) {
  if (!stop) return {};
  const Json list = stop->is_array() ? *stop : Json::array({*stop});
  if (list.size() > kMaxStops) refuse("stop", list.size(), " strings, at most ", kMaxStops);
  std::vector<std::string> out;
  for (const Json& text : list) {
    if (!text.is_string() || text.get_ref<const std::string&>().empty())
      refuse("stop", "must be a non-empty string, or a list of them, got ", shown(text));
    out.push_back(text.get<std::string>());
    if (out.back().size() > kMaxStopBytes)
      refuse("stop", "a string of ", out.back().size(), " bytes, at most ", kMaxStopBytes);
  }
  return out;
}

void parse_sampling(RequestFields& fields, ChatRequest& out) {
  out.temperature = fields.number("temperature", 0, 2, 1);
  if (out.temperature > 0 && out.temperature < min_temperature)
    refuse("temperature", "must be 0, which is greedy, or at least ", min_temperature, ", got ",
           out.temperature);
  out.top_p = fields.number("top_p", 0, 1, 1);
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  if (const auto seed = fields.whole("seed", -largest - 1, largest))
    out.seed = static_cast<std::uint64_t>(*seed);
  out.choices = static_cast<int>(fields.whole("n", 1, kMaxChoices).value_or(1));
  const auto newer = fields.whole("max_completion_tokens", 1, std::numeric_limits<int>::max());
  const auto older = fields.whole("max_tokens", 1, std::numeric_limits<int>::max());
  if (newer && older && *newer != *older)
    refuse("max_tokens", "differs from max_completion_tokens, its newer name");
  if (newer || older) out.max_tokens = newer ? *newer : *older;
  out.logprobs = fields.flag("logprobs", false);
  out.top_logprobs = static_cast<int>(fields.whole("top_logprobs", 0, kMaxTopLogprobs).value_or(0));
  if (out.top_logprobs > 0 && !out.logprobs) refuse("top_logprobs", "needs logprobs to be true");
}

void parse_streaming(RequestFields& fields, ChatRequest& out) {
  out.stream = fields.flag("stream", false);
  const Json* options = fields.find("stream_options");
  if (!options) return;
  if (!out.stream) refuse("stream_options", "needs stream to be true");
  RequestFields inner(*options, "stream_options");
  out.include_usage = inner.flag("include_usage", false);
  inner.ignore({"include_obfuscation"});
  inner.finish();
}

void parse_attention(RequestFields& fields, const RequestLimits& limits, ChatRequest& out) {
  out.attention = fields.flag("gaze_attention", false);
  if (!out.attention) return;
  if (!limits.pictures) refuse("gaze_attention", "the model reads text only");
  if (out.choices != 1) refuse("gaze_attention", "needs n to be 1");
}

void refuse_unsupported(RequestFields& fields) {
  for (const char* penalty : {"presence_penalty", "frequency_penalty"})
    fields.unsupported(penalty, "[0]");
  for (const char* choice : {"tool_choice", "function_call"})
    fields.unsupported(choice, R"(["none", "auto"])");
  for (const char* list : {"tools", "functions"}) fields.unsupported(list, "[[]]");
  fields.unsupported("logit_bias", "[{}]");
  fields.unsupported("response_format", R"([{"type": "text"}])");
  fields.unsupported("modalities", R"([["text"]])");
  for (const char* other : {"audio", "prediction", "reasoning_effort", "verbosity",
                            "web_search_options", "top_k", "min_p", "repetition_penalty"})
    fields.unsupported(other);
}

}  // namespace

ChatRequest parse_chat_request(std::string_view body, const RequestLimits& limits) {
  const Json document = parse_body(body);
  RequestFields fields(document, "");
  ChatRequest out;
  out.model = fields.text("model");
  out.messages = parse_messages(fields.at("messages"), limits);
  out.stops = parse_stops(fields.find("stop"));
  parse_sampling(fields, out);
  parse_streaming(fields, out);
  parse_attention(fields, limits, out);
  refuse_unsupported(fields);
  fields.ignore({"user", "metadata", "store", "service_tier", "parallel_tool_calls",
                 "safety_identifier", "prompt_cache_key", "prompt_cache_retention"});
  fields.finish();
  return out;
}

}  // namespace gaze::phyx::serve
