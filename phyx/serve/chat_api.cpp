// SPDX-License-Identifier: MIT
// Handlers: whole answers, streams, and the list of models.
#include "phyx/serve/chat_api.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "phyx/serve/api_error.hpp"
#include "phyx/serve/chat_json.hpp"
#include "phyx/serve/page.hpp"

namespace gaze::phyx::serve {

namespace {

using io::OrderedJson;
using Connected = std::function<bool()>;

HttpAnswer error_answer(const ApiError& error) {
  HttpAnswer out{.status = error.status(), .body = error.json()};
  if (error.status() == 429 || error.status() == 503) out.headers = {{"Retry-After", "1"}};
  return out;
}

HttpAnswer json_answer(const OrderedJson& value) {
  return {.body = io::dump_json(value, "an answer")};
}

/// The handler's answer, or its exception as an error.
template <class Handle>
HttpAnswer guarded(const Handle& handle) {
  try {
    return handle();
  } catch (...) {
    return error_answer(as_api_error(std::current_exception(), false));
  }
}

HttpAnswer whole_answer(const ChatModel& model, const ChatRequest& request, Completion& completion,
                        const Connected& connected) {
  std::vector<Piece> choices(static_cast<std::size_t>(request.choices));
  Usage usage{completion.prompt_tokens(), 0};
  int finished = 0;
  while (auto piece = completion.next(connected)) {
    Piece& choice = choices[static_cast<std::size_t>(piece->index)];
    choice.index = piece->index;
    choice.text += piece->text;
    if (request.logprobs)
      std::move(piece->tokens.begin(), piece->tokens.end(), std::back_inserter(choice.tokens));
    std::move(piece->attention.begin(), piece->attention.end(),
              std::back_inserter(choice.attention));
    usage.completion += piece->generated;
    if (piece->finish.empty()) continue;
    choice.finish = piece->finish;
    ++finished;
  }
  if (finished < request.choices) return {.status = 499};  // nobody reads it
  return {.body = completion_json(AnswerHead::make(model.name()), model, choices, request.logprobs,
                                  completion.attention(), usage)};
}

/// A server-sent event.
std::string event(const std::string& data) { return "data: " + data + "\n\n"; }

/// Sends the pieces; false if the client is gone.
bool send_pieces(const ChatRequest& request, Completion& completion, Piece piece,
                 const ChunkWriter& chunks, const Connected& connected, const Send& send) {
  Usage usage{completion.prompt_tokens(), 0};
  for (int i = 0; i < request.choices; ++i)
    if (!send(event(chunks.role(i, completion.attention())))) return false;
  int finished = 0;
  for (std::optional<Piece> next = std::move(piece); next; next = completion.next(connected)) {
    for (const std::string& chunk : chunks.piece(*next))
      if (!send(event(chunk))) return false;
    usage.completion += next->generated;
    finished += next->finish.empty() ? 0 : 1;
  }
  if (finished < request.choices) return false;
  if (request.include_usage && !send(event(chunks.usage(usage)))) return false;
  return send(event("[DONE]"));
}

/// Waits for the first piece, so that what fails before is an error with its status.
HttpAnswer streamed_answer(const ChatModel& model, const ChatRequest& request,
                           std::shared_ptr<Completion> completion, const Connected& connected) {
  auto first = completion->next(connected);
  if (!first) return {.status = 499};
  const ChunkWriter chunks(AnswerHead::make(model.name()), model, request.logprobs,
                           request.include_usage);
  HttpAnswer out{.type = "text/event-stream", .headers = {{"Cache-Control", "no-cache"}}};
  out.stream = [=, first = std::move(*first)](const Send& send) {
    try {
      send_pieces(request, *completion, first, chunks, connected, send);
    } catch (...) {
      send(event(as_api_error(std::current_exception(), false).json()));
    }
  };
  return out;
}

}  // namespace

ChatApi::ChatApi(const ChatModel& model, Scheduler& scheduler, const ApiLimits& limits)
    : model_(model),
      scheduler_(scheduler),
      limits_(limits),
      created_(AnswerHead::make("").created) {}

std::string ChatApi::describe_error(int status, const std::string& message) {
  return ApiError(status, message).json();
}

std::vector<Route> ChatApi::routes() {
  const auto get = [](std::string path, auto handle) {
    return Route{"GET", std::move(path), [handle](const HttpRequest& in, const Connected&) {
                   return guarded([&] { return handle(in); });
                 }};
  };
  const std::string models = "/v1/models";
  return {{"POST", "/v1/chat/completions",
           [this](const HttpRequest& in, const Connected& connected) {
             return guarded([&] { return complete(in, connected); });
           }},
          get(models, [this](const HttpRequest&) { return this->models(); }),
          get(models + "/*",
              [this, models](const HttpRequest& in) {
                return model(in.path.substr(models.size() + 1));
              }),
          get("/", [](const HttpRequest&) { return page_answer(page_html()); }),
          get("/health", [this](const HttpRequest&) { return health(); })};
}

HttpAnswer ChatApi::complete(const HttpRequest& in, const Connected& connected) const {
  const ChatRequest request =
      parse_chat_request(in.body, {.messages = limits_.messages, .pictures = model_.sees()});
  if (request.model != model_.name()) return model(request.model);
  auto completion = std::make_shared<Completion>(model_, request, limits_.completion, scheduler_);
  if (request.stream) return streamed_answer(model_, request, std::move(completion), connected);
  return whole_answer(model_, request, *completion, connected);
}

HttpAnswer ChatApi::models() const {
  OrderedJson list = OrderedJson::array();
  list.push_back(OrderedJson::parse(model(model_.name()).body));
  OrderedJson out;
  out["object"] = "list";
  out["data"] = std::move(list);
  return json_answer(out);
}

HttpAnswer ChatApi::model(const std::string& id) const {
  if (id != model_.name())
    throw ApiError(
        404, "no model named " + printable(id, kShownBytes) + "; this server has " + model_.name(),
        "model", "model_not_found");
  return json_answer({{"id", id},
                      {"object", "model"},
                      {"created", created_},
                      {"owned_by", "gaze"},
                      {"gaze", {{"sees", model_.sees()}}}});
}

HttpAnswer ChatApi::health() const {
  return json_answer(
      {{"status", "ok"}, {"running", scheduler_.running()}, {"waiting", scheduler_.waiting()}});
}

}  // namespace gaze::phyx::serve
