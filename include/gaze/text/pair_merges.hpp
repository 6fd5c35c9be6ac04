// SPDX-License-Identifier: MIT
// Byte-pair encoding of one word (Sennrich et al. 2016, arXiv:1508.07909): of all adjacent pairs of
// tokens, the one whose merge has the lowest rank is replaced by the merged token, the leftmost
// first, until no pair has a merge.
//
// The tokens are a linked list in an array, and the pairs a heap, so a word of n bytes takes
// O(n log n) steps. A pair that a neighbour's merge has changed stays in the heap until it comes
// up; it is stale if the rank stored with its left token is another one by then.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "gaze/core/language.hpp"

namespace gaze::text {

/// `left` and `right` side by side become `merged`.
struct Merge {
  std::int32_t left, right, merged;
};

/// The merges of a vocabulary, ordered by rank. const members may be called from several threads.
class PairMerges {
 public:
  /// The tokens of a word, as a linked list, and memory for its pairs.
  class Word {
   public:
    void clear() { symbols_.clear(); }  ///< no tokens
    void add(std::int32_t token) {
      symbols_.push_back({token, 0, 0, kNone});
    }                                                     ///< Appends a token.
    void reserve(std::size_t n) { symbols_.reserve(n); }  ///< Makes room for n tokens.
    std::size_t size() const { return symbols_.size(); }  ///< the number of tokens

   private:
    friend class PairMerges;
    struct Symbol {
      std::int32_t token;
      std::uint32_t previous, next;  ///< indices, or kNone
      std::uint32_t rank;            ///< of the merge with the next symbol, or kNone
    };
    std::vector<Symbol> symbols_;
    std::vector<std::uint64_t> heap_;  ///< rank << 32 | index of the left symbol
  };

  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  PairMerges() = default;
  /// `by_rank`: at most 2^32 - 2 merges of tokens 0 to vocabulary - 1, each pair once.
  PairMerges(const std::vector<Merge>& by_rank, std::size_t vocabulary);

  /// The rank of a pair's merge, or kNone.
  std::uint32_t rank(std::int32_t left, std::int32_t right) const;
  /// Merges a word of at most 2^32 - 2 tokens and appends the result to `out`.
  void encode(Word& word, std::vector<std::int32_t>& out) const;

 private:
  struct Pair {
    std::int32_t right;
    std::uint32_t rank;
  };

  void link(Word& word) const;
  void update(Word& word, std::uint32_t at) const;
  void merge(Word& word, std::uint32_t at) const;

  std::vector<std::int32_t> merged_;  ///< by rank
  std::vector<Pair> pairs_;           ///< by left token, then by right token
  std::vector<std::uint32_t>
      first_;  ///< by left token: index of its first pair; one more at the end
};

inline PairMerges::PairMerges(const std::vector<Merge>& by_rank, std::size_t vocabulary)
    : merged_(by_rank.size()), pairs_(by_rank.size()), first_(vocabulary + 1, 0) {
  for (const Merge& merge : by_rank) ++first_[static_cast<std::size_t>(merge.left) + 1];
  for (std::size_t i = 0; i < vocabulary; ++i) first_[i + 1] += first_[i];
  std::vector<std::uint32_t> next(first_);
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
    const Merge& merge = by_rank[rank];
    pairs_[next[static_cast<std::size_t>(merge.left)]++] = {merge.right,
                                                            static_cast<std::uint32_t>(rank)};
    merged_[rank] = merge.merged;
  }
  for (std::size_t i = 0; i < vocabulary; ++i)
    std::sort(pairs_.begin() + first_[i], pairs_.begin() + first_[i + 1],
              [](const Pair& a, const Pair& b) { return a.right < b.right; });
}

inline std::uint32_t PairMerges::rank(std::int32_t left, std::int32_t right) const {
  const auto* const begin = pairs_.data() + first_[static_cast<std::size_t>(left)];
  const auto* const end = pairs_.data() + first_[static_cast<std::size_t>(left) + 1];
  const auto* const found = std::lower_bound(
      begin, end, right, [](const Pair& pair, std::int32_t token) { return pair.right < token; });
  return found != end && found->right == right ? found->rank : kNone;
}

inline void PairMerges::encode(Word& word, std::vector<std::int32_t>& out) const {
  if (word.size() == 0) return;
  link(word);
  while (!word.heap_.empty()) {
    std::pop_heap(word.heap_.begin(), word.heap_.end(), std::greater<>());
    const std::uint64_t top = word.heap_.back();
    word.heap_.pop_back();
    const auto at = static_cast<std::uint32_t>(top);
    if (word.symbols_[at].rank == top >> 32) merge(word, at);
  }
  for (std::uint32_t at = 0; at != kNone; at = word.symbols_[at].next)
    out.push_back(word.symbols_[at].token);
}

/// Links neighbours and collects the pairs that have a merge.
inline void PairMerges::link(Word& word) const {
  auto& symbols = word.symbols_;
  const auto count = static_cast<std::uint32_t>(symbols.size());
  word.heap_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    symbols[i].previous = i == 0 ? kNone : i - 1;
    symbols[i].next = i + 1 == count ? kNone : i + 1;
    if (i + 1 < count) symbols[i].rank = rank(symbols[i].token, symbols[i + 1].token);
    if (symbols[i].rank != kNone) word.heap_.push_back(std::uint64_t{symbols[i].rank} << 32 | i);
  }
  std::make_heap(word.heap_.begin(), word.heap_.end(), std::greater<>());
}

/// Looks up the pair of the symbol at `at` and the next one, one of which has changed.
inline void PairMerges::update(Word& word, std::uint32_t at) const {
  auto& symbol = word.symbols_[at];
  symbol.rank = symbol.next == kNone ? kNone : rank(symbol.token, word.symbols_[symbol.next].token);
  if (symbol.rank == kNone) return;
  word.heap_.push_back(std::uint64_t{symbol.rank} << 32 | at);
  std::push_heap(word.heap_.begin(), word.heap_.end(), std::greater<>());
}

/// Merges the symbol at `at` with the next one, which leaves the list.
inline void PairMerges::merge(Word& word, std::uint32_t at) const {
  auto& symbol = word.symbols_[at];
  auto& right = word.symbols_[symbol.next];
  symbol.token = merged_[symbol.rank];
  symbol.next = right.next;
  right.rank = kNone;
  if (symbol.next != kNone) word.symbols_[symbol.next].previous = at;
  update(word, at);
  if (symbol.previous != kNone) update(word, symbol.previous);
}

}  // namespace gaze::text
