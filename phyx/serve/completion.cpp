// SPDX-License-Identifier: MIT
// Submitting requests, and the channel between the scheduler's thread and the client's.
#include "phyx/serve/completion.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <random>
#include <utility>

#include "phyx/serve/api_error.hpp"

namespace gaze::phyx::serve {

/// Pieces on their way. It has room for whole answers, whose length is bounded, so the scheduler
/// never waits for a client.
struct Completion::Channel {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Piece> pieces;
  std::size_t map_bytes = 0;  // of these pieces
  std::atomic<bool> cancelled{false};

  /// Throws ApiError if a client reads so slowly that too many maps wait for it.
  void push(Piece piece) {
    const std::lock_guard lock(mutex);
    const std::size_t bytes = bytes_of_maps(piece);
    if (bytes > kHeldMapBytes - map_bytes)
      throw ApiError(503, "the client reads its stream too slowly");
    map_bytes += bytes;
    pieces.push_back(std::move(piece));
    arrived.notify_one();
  }
  std::optional<Piece> pop(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex);
    if (!arrived.wait_for(lock, wait, [this] { return !pieces.empty(); })) return std::nullopt;
    std::optional<Piece> piece(std::move(pieces.front()));
    pieces.pop_front();
    map_bytes -= bytes_of_maps(*piece);
    return piece;
  }
  static std::size_t bytes_of_maps(const Piece& piece) {
    std::size_t out = 0;
    for (const TokenMaps& m : piece.attention) out += m.maps.size();
    return out;
  }
};

namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

SamplingSettings settings_of(const ChatRequest& request) {
  SamplingSettings s;
  s.greedy = request.temperature == 0;
  if (!s.greedy) s.temperature = request.temperature;
  // The smallest set of tokens has at least one, so 0 asks for the likeliest alone.
  s.top_p = std::max(request.top_p, std::numeric_limits<double>::min());
  return s;
}

/// The length of an answer that follows a prompt of so many tokens, or of `at_least` so many.
/// Throws ApiError if there is no room for it.
Index answer_length(const ChatRequest& request, Index prompt, bool at_least,
                    const CompletionLimits& limits, Index context) {
  const Index room = context - prompt;
  const auto too_long = [&](Index answer) {
    return ApiError(400,
                    concat("messages: a prompt of ", at_least ? "at least " : "", prompt,
                           " tokens and an answer of ", answer, " do not fit into the ", context,
                           " tokens of the model's context"),
                    "messages", "context_length_exceeded");
  };
  if (!request.max_tokens) {
    if (room < 1) throw too_long(1);
    return std::min({limits.default_tokens, limits.max_tokens, room});
  }
  if (*request.max_tokens > limits.max_tokens)
    refuse("max_tokens", *request.max_tokens, " is more than the ", limits.max_tokens, " allowed");
  if (*request.max_tokens > room) throw too_long(*request.max_tokens);
  return *request.max_tokens;
}

/// What a function of the model returns for the messages.
auto of_messages(const auto& read) {
  try {
    return read();
  } catch (...) {
    throw as_api_error(std::current_exception(), true);
  }
}

ChatPrompt encoded(const ChatModel& model, const ChatRequest& request) {
  ChatPrompt out = of_messages([&] { return model.encode(request.messages); });
  if (out.prompt.tokens.empty()) refuse("messages", "the prompt has no tokens");
  return out;
}

/// How a request's attention becomes maps; null if it did not ask for them. Throws ApiError if
/// there is nothing to see, or too much.
std::shared_ptr<const AttentionMaps> maps_of(const ChatRequest& request, const ChatPrompt& prompt,
                                             Index answer, Index slots) {
  if (!request.attention) return nullptr;
  const std::string field = "gaze_attention";
  if (prompt.pictures.empty()) refuse(field, "the prompt has no picture");
  Index tokens = 0;
  for (const PromptPicture& p : prompt.pictures) tokens += p.grid.tokens();
  if (tokens > most_marks / slots)
    refuse(field, "observing ", tokens, " image tokens takes too much memory in a server with ",
           slots, " --cache-tokens");
  const auto length = static_cast<std::size_t>(answer);
  const std::size_t most = request.stream ? kTokenMapBytes : kHeldMapBytes / length;
  auto maps = std::make_shared<AttentionMaps>(prompt, std::min(kTokenMapBytes, most));
  if (!request.stream && maps->token_bytes() > most)
    refuse("max_tokens", "maps of ", answer, " tokens have more than ", kHeldMapBytes,
           " bytes; ask for fewer, or with stream");
  return maps;
}

struct Work {
  BatchRequest request;
  std::shared_ptr<const AttentionMaps> maps;
};

/// The request without its functions. Throws ApiError; a prompt that no encoding makes fit is not
/// encoded.
Work make_work(const ChatModel& model, const ChatRequest& request, const CompletionLimits& limits,
               Index slots) {
  const Index context = std::min(model.context(), slots);
  const Index least = of_messages([&] { return model.least_tokens(request.messages); });
  answer_length(request, least, true, limits, context);
  ChatPrompt prompt = encoded(model, request);
  BatchRequest r;
  r.sampling = settings_of(request);
  r.sampling.max_tokens = answer_length(request, static_cast<Index>(prompt.prompt.tokens.size()),
                                        false, limits, context);
  r.random = Philox(request.seed ? *request.seed : random_seed(), Purpose::sampling);
  r.ends = model.ends();
  r.logp = request.logprobs;
  r.top = request.top_logprobs;
  r.observe = request.attention;
  auto maps = maps_of(request, prompt, r.sampling.max_tokens, slots);
  r.prompt = std::move(prompt.prompt);
  return {std::move(r), std::move(maps)};
}

}  // namespace

Completion::Completion(const ChatModel& model, const ChatRequest& request,
                       const CompletionLimits& limits, Scheduler& scheduler)
    : channel_(std::make_shared<Channel>()),
      unfinished_(request.choices),
      deadline_(std::chrono::steady_clock::now() +
                std::chrono::milliseconds(static_cast<std::int64_t>(limits.seconds * 1000))) {
  auto [r, maps] = make_work(model, request, limits, scheduler.slots());
  maps_ = std::move(maps);
  prompt_tokens_ = r.prompt.tokens.size();
  r.cancelled = [channel = channel_] { return channel->cancelled.load(); };
  std::vector<BatchRequest> group;
  for (int i = 0; i < request.choices; ++i) {
    const auto choice = std::make_shared<Choice>(model, request.stops, i);
    r.sample_id = static_cast<std::uint64_t>(i);
    r.use = [channel = channel_, choice, maps = maps_](const GeneratedToken& token) {
      Piece piece = choice->add(token);
      if (maps && !token.end) piece.attention.push_back((*maps)(token));
      if (!piece.text.empty() || !piece.tokens.empty() || !piece.attention.empty())
        channel->push(std::move(piece));
      return !choice->stopped();
    };
    r.done = [channel = channel_, choice](bool ended, std::exception_ptr error) {
      channel->push(choice->finish(ended, std::move(error)));
    };
    group.push_back(r);
  }
  scheduler.submit(std::move(group));
}

Completion::~Completion() { channel_->cancelled = true; }

std::optional<Piece> Completion::next(const std::function<bool()>& connected) {
  while (unfinished_ > 0 && connected()) {
    if (std::chrono::steady_clock::now() > deadline_)
      throw ApiError(503, "the answer takes longer than the server allows", "", "timeout");
    auto piece = channel_->pop(std::chrono::milliseconds(50));
    if (!piece) continue;
    if (piece->error) throw as_api_error(piece->error, false);
    if (!piece->finish.empty()) --unfinished_;
    return piece;
  }
  return std::nullopt;
}

}  // namespace gaze::phyx::serve
