// SPDX-License-Identifier: MIT
// Continuous batching (Yu et al. 2022, Orca): requests come and go while others are generated.
//
//   ContinuousBatch batch(policy, 4096);           // keys and values of 4096 tokens
//   batch.add({.prompt = prompt, .ends = {end}, .use = print});
//   while (batch.running() > 0) batch.step();      // one token of every request
//
// All requests share one store of keys and values. A request takes a block of slots for its prompt
// and its longest answer, so one that has been added is always finished. Each step is one forward
// of one row per answer and a piece of the prompts that wait; rows whose attention is observed have
// a forward of their own. By the engine's contract a row's bits do not depend on the others on the
// processor, so a request gives the same tokens alone and among others.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/generate/choice.hpp"
#include "gaze/ops/rows.hpp"

namespace gaze {

/// A token of the vocabulary with its log-probability.
struct Alternative {
  std::int32_t token;
  double logp;
};

/// A chosen token. Log-probabilities are the model's own, at temperature 1; 0 if not asked for.
struct GeneratedToken {
  std::int32_t id;
  double logp;
  std::vector<Alternative> top;  // the likeliest, best first, as many as asked for
  bool end;                      // one of the request's end tokens
  /// Attention of the row that predicted it on the prompt's image tokens [layer][head][image
  /// token]; empty if not asked for.
  std::vector<float> seen = {};
};

/// `use` is called with each token, and stops its request by returning false. `done` is called
/// once, after the last token, with whether an end token was reached, or with an error.
/// `cancelled`, if set, is asked before each step.
template <class Prompt>
struct GenerationRequest {
  Prompt prompt = {};
  SamplingSettings sampling = {};
  Philox random{0, Purpose::sampling};
  std::uint64_t sample_id = 0;  // of the random numbers, as in rollout()
  std::vector<std::int32_t> ends = {};
  bool logp = false;     // log-probabilities are wanted
  Index top = 0;         // alternatives wanted with each token, with theirs
  bool observe = false;  // the attention on image tokens is wanted
  std::function<bool(const GeneratedToken&)> use = {};
  std::function<void(bool ended, std::exception_ptr)> done = {};
  std::function<bool()> cancelled = {};
};

namespace detail {

/// Free blocks of slots, first fit. Sizes are multiples of kKeyLanes.
class SlotBlocks {
 public:
  explicit SlotBlocks(Index slots) { free_[0] = slots; }

  bool has(Index size) const { return find(size) != free_.end(); }

  Index take(Index size) {
    const auto block = find(size);
    const auto [first, length] = *block;
    free_.erase(block);
    if (length > size) free_[first + size] = length - size;
    return first;
  }

  void give_back(Index first, Index size) {
    auto block = free_.emplace(first, size).first;
    const auto next = std::next(block);
    if (next != free_.end() && first + size == next->first) {
      block->second += next->second;
      free_.erase(next);
    }
    if (block == free_.begin()) return;
    const auto before = std::prev(block);
    if (before->first + before->second != first) return;
    before->second += block->second;
    free_.erase(block);
  }

 private:
  std::map<Index, Index>::const_iterator find(Index size) const {
    return std::find_if(free_.begin(), free_.end(), [&](auto& b) { return b.second >= size; });
  }

  std::map<Index, Index> free_;  // length by first slot
};

/// The log-sum-exp of a row of logits.
template <class T>
double log_sum_exp(std::span<const T> row) {
  const double most = static_cast<double>(*std::max_element(row.begin(), row.end()));
  return most + std::log(std::accumulate(row.begin(), row.end(), 0.0, [&](double sum, T x) {
           return sum + std::exp(static_cast<double>(x) - most);
         }));
}

/// A row's `count` largest logits minus `lse`, the first on a tie.
template <class T>
std::vector<Alternative> likeliest(std::span<const T> row, Index count, double lse) {
  if (count == 0) return {};
  std::vector<std::int32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  const auto n = std::min(static_cast<std::size_t>(count), row.size());
  const auto at = [&](std::int32_t i) { return row[static_cast<std::size_t>(i)]; };
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(),
      [&](std::int32_t a, std::int32_t b) { return at(a) > at(b) || (at(a) == at(b) && a < b); });
  std::vector<Alternative> out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back({order[i], static_cast<double>(at(order[i])) - lse});
  return out;
}

}  // namespace detail

/// Rows of prompts that a ContinuousBatch computes in a step, unless it is told otherwise.
inline constexpr Index most_prompt_rows = 256;

/// Most marks of a batch (slots x image tokens of an observed prompt), 1 GiB of memory.
inline constexpr Index most_marks = Index{1} << 28;

/// One thread uses it. The policy must outlive it.
template <class Policy>
class ContinuousBatch {
 public:
  using Request = GenerationRequest<typename Policy::Prompt>;  ///< What add() takes.

  /// Room for `slots` tokens of prompts and answers, rounded up to whole lanes of keys. At most
  /// `prompt_rows` rows of prompts are computed in a step, so that long ones do not hold up the
  /// answers of others; a prompt with a picture is always computed as a whole.
  explicit ContinuousBatch(const Policy& policy, Index slots, Index prompt_rows = most_prompt_rows)
      : policy_(policy),
        slots_(whole_lanes(slots)),
        prompt_rows_(prompt_rows),
        state_(policy.open(slots_)),
        free_(slots_) {
    GAZE_CHECK(prompt_rows > 0, "ContinuousBatch", prompt_rows, " rows of prompts in a step");
  }

  Index slots() const { return slots_; }  ///< the size of the key-value store, in tokens
  /// Requests that are being answered.
  Index running() const { return static_cast<Index>(running_.size()); }

  /// Whether a request finds room now, and whether it does in an empty batch.
  bool fits(const Request& r) const { return free_.has(slots_of(r)); }
  /// Whether a request would find room in an empty batch.
  bool ever_fits(const Request& r) const { return slots_of(r) <= slots_; }

  /// Starts a request. Throws Error if it does not fit, or for an empty prompt and bad settings,
  /// or if it shall be observed and its prompt needs too many marks or ends with a picture.
  void add(Request r) {
    r.sampling.check();
    GAZE_CHECK(!r.prompt.tokens.empty(), "generate", "the prompt is empty");
    GAZE_CHECK(fits(r), "generate", "a prompt of ", r.prompt.tokens.size(), " tokens and ",
               r.sampling.max_tokens, " more do not fit; ", slots_, " slots in all, ", running(),
               " requests are running");
    Sequence s;
    if (r.observe) s.watched = policy_.image_tokens(r.prompt);
    GAZE_CHECK(s.watched <= most_marks / slots_, "generate", "observing ", s.watched,
               " image tokens among ", slots_, " slots; the limit is ", most_marks, " marks");
    s.size = slots_of(r);
    s.slot = free_.take(s.size);
    marks_changed_ = marks_changed_ || s.watched > 0;
    s.tokens = r.prompt.tokens;
    s.request = std::move(r);
    running_.push_back(std::move(s));
  }

  /// The next token of every request whose prompt has been computed: one forward, and another for
  /// the rows that are observed, so that only they have marks. An error of one request (logits that
  /// are not finite) ends that request; any other is thrown and ends all.
  void step() {
    drop([](Sequence& s) { return s.request.cancelled && s.request.cancelled(); });
    update_marks();
    Forward plain, observed;
    Index room = prompt_rows_;
    for (Sequence& s : running_) {
      const Index rows = rows_now(s, room);
      if (rows == 0) continue;
      const bool last = s.computed + rows == static_cast<Index>(s.tokens.size());
      (last && s.watched > 0 ? observed : plain).add(s, rows);
    }
    run(plain, false);
    run(observed, true);
    drop([](const Sequence& s) { return s.finished; });
    update_marks();
  }

 private:
  struct Sequence {
    Request request;
    std::vector<std::int32_t> tokens;  // the prompt's, then the answer's
    Index slot = 0, size = 0;          // its block
    Index computed = 0;                // tokens whose keys are in the store
    Index watched = 0;                 // image tokens whose attention is observed
    bool finished = false;
  };

  /// Parts of sequences that are computed together.
  struct Forward {
    std::vector<typename Policy::Part> parts;
    std::vector<bool> wanted;
    std::vector<Sequence*> waiting;  // for row i of the logits

    void add(Sequence& s, Index rows) {
      const auto left = std::span(std::as_const(s.tokens)).subspan(std::size_t(s.computed));
      const bool picture = s.computed == 0 && s.request.prompt.sees();
      parts.push_back({left.first(std::size_t(rows)), s.computed, s.slot,
                       picture ? &s.request.prompt : nullptr});
      s.computed += rows;
      wanted.push_back(s.computed == static_cast<Index>(s.tokens.size()));
      if (wanted.back()) waiting.push_back(&s);
    }
  };

  /// A sequence's next token, or why it has none.
  struct Chosen {
    GeneratedToken token;
    std::exception_ptr error;
  };

  static Index whole_lanes(Index slots) {
    return checked_sum("ContinuousBatch", slots, kKeyLanes - 1) / kKeyLanes * kKeyLanes;
  }

  /// The last token of an answer is not fed again, but rounding up hides it.
  static Index slots_of(const Request& r) {
    return whole_lanes(
        checked_sum("generate", static_cast<Index>(r.prompt.tokens.size()), r.sampling.max_tokens));
  }

  /// Computes them and adds the tokens that they predict.
  void run(const Forward& forward, bool observed) {
    if (forward.parts.empty()) return;
    const auto step = policy_.advance(state_, forward.parts, forward.wanted, observed);
    auto chosen = choose_all(forward.waiting, step.logits);
    const std::size_t width = chosen.empty() ? 0 : step.seen.size() / chosen.size();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (observed)
        chosen[i].token.seen = own_columns(std::span(step.seen).subspan(i * width, width),
                                           forward.waiting[i]->watched);
      take(*forward.waiting[i], chosen[i]);
    }
  }

  /// The first `columns` of each row of the marks' columns.
  std::vector<float> own_columns(std::span<const float> seen, Index columns) const {
    std::vector<float> out;
    const auto all = static_cast<std::size_t>(state_.marks.size(1));
    for (std::size_t row = 0; row < seen.size(); row += all)
      out.insert(out.end(), seen.begin() + std::ptrdiff_t(row),
                 seen.begin() + std::ptrdiff_t(row) + columns);
    return out;
  }

  /// Marks of the observed sequences, after one came or went.
  void update_marks() {
    if (!std::exchange(marks_changed_, false)) return;
    std::vector<std::pair<const typename Policy::Prompt*, Index>> observed;
    for (const Sequence& s : running_)
      if (s.watched > 0) observed.emplace_back(&s.request.prompt, s.slot);
    policy_.observe(state_, observed);
  }

  /// Rows of a sequence in this step; `room` is what is left for prompts. The last row of an
  /// observed prompt is a part of its own.
  Index rows_now(const Sequence& s, Index& room) const {
    const Index apart = s.watched > 0 ? 1 : 0;
    const Index left = static_cast<Index>(s.tokens.size()) - s.computed - apart;
    if (s.computed + apart >= static_cast<Index>(s.request.prompt.tokens.size()))
      return left + apart;
    if (s.request.prompt.sees()) {
      const bool first = room == prompt_rows_;
      if (!first && left > room) return 0;
      room = std::max(Index{0}, room - left);
      return left;
    }
    const Index rows = std::min(left, room);
    room -= rows;
    return rows;
  }

  /// The next token of sequence i from row i of the logits, for all of them. No row depends on
  /// another, so threads share them.
  template <class T, class Device>
  static std::vector<Chosen> choose_all(const std::vector<Sequence*>& waiting,
                                        const Tensor<T, Device>& logits) {
    std::vector<Chosen> out(waiting.size());
    const auto range = [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        out[std::size_t(i)] = choose_next(*waiting[std::size_t(i)], logits, i);
    };
    const auto n = static_cast<Index>(waiting.size());
    if constexpr (std::is_same_v<Device, Cpu>)
      parallel_for(n, 1, range);
    else
      range(0, n);  // one thread gives a device its work
    return out;
  }

  template <class T, class Device>
  static Chosen choose_next(const Sequence& s, const Tensor<T, Device>& logits, Index row) {
    const Request& r = s.request;
    try {
      const auto own =
          gather_rows(logits, Indices<Device>::from({1}, {static_cast<std::int32_t>(row)}));
      std::vector<std::int32_t> token;
      std::vector<T> logp;
      detail::choose(
          own, r.sampling, r.random, std::span(&r.sample_id, 1), position(s),
          [&](std::size_t) { return s.tokens; }, token, logp);
      const bool end = std::find(r.ends.begin(), r.ends.end(), token[0]) != r.ends.end();
      return {described(own.host(), token[0], r, end), nullptr};
    } catch (const std::exception&) {
      return {{}, std::current_exception()};
    }
  }

  /// Of the next token in the answer.
  static std::uint64_t position(const Sequence& s) {
    return static_cast<std::uint64_t>(s.tokens.size() - s.request.prompt.tokens.size());
  }

  /// Adds a chosen token to its sequence and tells the request.
  static void take(Sequence& s, const Chosen& next) {
    if (next.error) return finish(s, false, next.error);
    s.tokens.push_back(next.token.id);
    bool stopped = false;
    try {
      if (s.request.use) stopped = !s.request.use(next.token);
    } catch (const std::exception&) {
      return finish(s, false, std::current_exception());
    }
    const bool full = static_cast<Index>(position(s)) == s.request.sampling.max_tokens;
    if (next.token.end || stopped || full) finish(s, next.token.end, nullptr);
  }

  template <class T>
  static GeneratedToken described(const Tensor<T, Cpu>& logits, std::int32_t token,
                                  const Request& r, bool end) {
    if (!r.logp && r.top == 0) return {token, 0, {}, end};
    const std::span<const T> row(logits.data(), static_cast<std::size_t>(logits.numel()));
    const double lse = detail::log_sum_exp(row);
    return {token, static_cast<double>(row[static_cast<std::size_t>(token)]) - lse,
            detail::likeliest(row, r.top, lse), end};
  }

  static void finish(Sequence& s, bool ended, std::exception_ptr error) {
    s.finished = true;
    if (s.request.done) s.request.done(ended, std::move(error));
  }

  /// Removes sequences and frees their slots; those that were not finished are now.
  void drop(const auto& which) {
    for (auto s = running_.begin(); s != running_.end();) {
      if (!which(*s)) {
        ++s;
        continue;
      }
      free_.give_back(s->slot, s->size);
      marks_changed_ = marks_changed_ || s->watched > 0;
      if (!s->finished) finish(*s, false, nullptr);
      s = running_.erase(s);
    }
  }

  const Policy& policy_;
  Index slots_, prompt_rows_;
  typename Policy::State state_;
  detail::SlotBlocks free_;
  bool marks_changed_ = false;
  std::list<Sequence> running_;  // oldest first
};

}  // namespace gaze
