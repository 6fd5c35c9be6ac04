// SPDX-License-Identifier: MIT
// A model without weights for tests of the server. A token is a byte, and the prompt is the text of
// the last message, which says what the model answers:
//
//   "say TEXT"     TEXT, then the end
//   "noise"        random letters, without end
//   "loop"         the letter x, without end
//   "fail"         its step throws
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "phyx/serve/batch.hpp"
#include "phyx/serve/chat_model.hpp"

namespace gaze::test {

class FakeModel : public phyx::serve::ChatModel {
 public:
  static constexpr std::int32_t end = 256, word = 257;

  mutable std::atomic<int> encoded{0};  // prompts

  explicit FakeModel(bool sees = false) : sees_(sees) {}

  const std::string& name() const override { return name_; }
  bool sees() const override { return sees_; }
  Index context() const override { return 1000000000; }
  Index least_tokens(std::span<const phyx::serve::ChatMessage> messages) const override {
    return static_cast<Index>(messages.back().text().size() / 2);  // a bound that is not exact
  }
  phyx::serve::ChatPrompt encode(
      std::span<const phyx::serve::ChatMessage> messages) const override {
    ++encoded;
    models::Prompt out;
    const std::string text = messages.back().text();
    GAZE_CHECK(text.find("unreadable") == text.npos, "fake", "this text cannot be read");
    for (const auto& part : messages.back().parts)
      for (const std::uint8_t byte : part.picture) out.tokens.push_back(byte);
    for (const char c : text) out.tokens.push_back(static_cast<unsigned char>(c));
    return {std::move(out)};
  }
  const std::vector<std::int32_t>& ends() const override { return ends_; }
  std::string bytes(std::int32_t token) const override {
    return std::string(1, static_cast<char>(token));
  }

 private:
  std::string name_ = "fake";
  std::vector<std::int32_t> ends_ = {end};
  bool sees_;
};

/// What the batches of one server did, and what they shall do.
struct FakeControl {
  std::atomic<bool> hold{false};       // steps wait
  std::atomic<int> added{0}, most{0};  // requests, and most that ran at once
  std::atomic<int> batches{0};
  std::size_t seen = 0;  // values of attention with each token of a request that is observed
};

/// A batch that generates a token of every request in each step.
class FakeBatch : public phyx::serve::Batch {
 public:
  using Request = phyx::serve::BatchRequest;

  FakeBatch(FakeControl& control, Index slots) : control_(control), slots_(slots) {
    ++control_.batches;
  }

  Index slots() const override { return slots_; }
  bool fits(const Request& r) const override { return used_ + size(r) <= slots_; }
  bool ever_fits(const Request& r) const override { return size(r) <= slots_; }
  Index running() const override { return static_cast<Index>(running_.size()); }

  void add(Request r) override {
    GAZE_CHECK(r.prompt.tokens.front() != '!', "fake", "refused by the batch");
    ++control_.added;
    used_ += size(r);
    std::string answer;
    for (const std::int32_t t : r.prompt.tokens) answer += static_cast<char>(t);
    running_.push_back({std::move(r), answer, 0});
    control_.most = std::max(control_.most.load(), static_cast<int>(running()));
  }

  void step() override {
    // A model takes time; without it, an endless answer that nobody reads would fill the memory.
    std::this_thread::sleep_for(std::chrono::microseconds(control_.hold ? 1000 : 100));
    for (auto s = running_.begin(); s != running_.end();) {
      const bool cancelled = s->request.cancelled && s->request.cancelled();
      const bool ended = !cancelled && !control_.hold && next(*s);
      const bool full = s->count == s->request.sampling.max_tokens;
      if (!cancelled && !ended && !full && !s->stopped) {
        ++s;
        continue;
      }
      used_ -= size(s->request);
      const auto done = std::move(s->request.done);
      s = running_.erase(s);
      done(ended, nullptr);
    }
  }

 private:
  struct Sequence {
    Request request;
    std::string prompt;
    Index count = 0;
    bool stopped = false;
  };

  static Index size(const Request& r) {
    return static_cast<Index>(r.prompt.tokens.size()) + r.sampling.max_tokens;
  }

  /// Generates a token; returns whether it is the end.
  bool next(Sequence& s) const {
    if (s.prompt == "fail") throw std::runtime_error("a secret of the server");
    std::int32_t id = 'x';
    const std::size_t at = 4 + static_cast<std::size_t>(s.count);
    if (s.prompt.rfind("say ", 0) == 0)
      id = at < s.prompt.size() ? static_cast<unsigned char>(s.prompt[at]) : FakeModel::end;
    if (s.prompt == "noise")
      id = 'a' + static_cast<std::int32_t>(
                     26 * s.request.random.uniform(s.request.sample_id,
                                                   static_cast<std::uint64_t>(s.count)));
    GeneratedToken token{id, -0.5, {}, id == FakeModel::end};
    for (Index i = 0; i < s.request.top; ++i)
      token.top.push_back({id + static_cast<std::int32_t>(i), -0.5 - static_cast<double>(i)});
    if (s.request.observe) token.seen.assign(control_.seen, 0.25f);
    ++s.count;
    s.stopped = !s.request.use(token);
    return token.end;
  }

  FakeControl& control_;
  Index slots_, used_ = 0;
  std::list<Sequence> running_;
};

}  // namespace gaze::test
