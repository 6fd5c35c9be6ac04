// SPDX-License-Identifier: MIT
// The tables that assign the GPU's attention to blocks: every row and every key once.
#include <map>
#include <vector>

#include "cuda/flash/attention_plan.hpp"
#include "gaze/ops/token_layout.hpp"
#include "tests/test.hpp"

namespace test_cuda_plan {
namespace {

using namespace gaze::cuda;
using gaze::Index;
using gaze::KeyRange;
using gaze::TokenLayout;

TokenLayout shared_prompt(int prompt, int completions, int longest) {
  TokenLayout l;
  for (int group = 0; group < 2; ++group) {
    const auto p = l.add_sequence(prompt);
    for (int g = 0; g < completions; ++g) l.add_continuation(p, 1 + (7 * g + group) % longest);
    l.end_group();
  }
  return l;
}

/// One decoding step of `sequences` completions of one prompt.
TokenLayout decoding(int prompt, int sequences, int step) {
  TokenLayout l;
  const Index prefix = l.reserve(prompt, 0);
  for (int i = 0; i < sequences; ++i) l.add_step(prefix, prompt, l.reserve(step + 1, prompt), step);
  return l;
}

std::vector<TokenLayout> layouts() {
  std::vector<TokenLayout> all;
  for (int n : {1, 15, 16, 17, 63, 64, 65, 200}) {
    all.emplace_back().add_sequence(n);
    all.emplace_back().add_bidirectional(n);
    all.push_back(shared_prompt(n, 3, 20));
    all.push_back(decoding(n, 5, n % 40));
  }
  auto& mixed = all.emplace_back();
  for (int n : {3, 64, 1}) mixed.add_bidirectional(n);
  const auto p = mixed.add_sequence(70);
  mixed.add_continuation(p, 130);
  all.emplace_back();  // no rows
  return all;
}

/// Rows in an order that no layout of ours has: two sequences interleaved.
std::vector<KeyRange> interleaved() {
  std::vector<KeyRange> r;
  for (int i = 1; i < 20; ++i) r.push_back({0, 16, i % 2 ? 16 : 64, (i + 1) / 2});
  return r;
}

/// Does every row meet each of its keys exactly once, whichever tiles and segments it is in? The
/// plan is made before own ranges grew by up to `room`.
void check_forward(const std::vector<KeyRange>& ranges, int tile_rows, int split, int room = 0) {
  const Index rows = Index(ranges.size());
  auto planned = ranges;
  for (KeyRange& range : planned) range.own_len = std::max(0, range.own_len - room);
  const ForwardPlan plan = forward_plan(planned.data(), rows, tile_rows, split, room);
  std::vector<std::map<Index, int>> met(ranges.size());
  std::vector<int> whole(ranges.size()), pieces(ranges.size());
  Index last = std::numeric_limits<Index>::max();
  for (const QueryTile& t : plan.tiles) {
    REQUIRE(t.rows >= 1);
    REQUIRE(t.rows <= tile_rows);
    REQUIRE(t.segment < t.segment_end);
    Index keys = 0;
    for (int i = t.segment; i < t.segment_end; ++i) {
      const KeySegment& s = plan.segments[std::size_t(i)];
      REQUIRE(s.length > 0);
      keys += s.length;
      for (int r = t.row; r < t.row + t.rows; ++r)
        for (int j = 0; j < visible_keys(ranges[std::size_t(r)], s); ++j)
          ++met[std::size_t(r)][s.slot + j];
    }
    if (split > 0) CHECK(keys <= split);
    CHECK(keys <= last);
    last = keys;
    for (int r = t.row; r < t.row + t.rows; ++r) ++(t.partial < 0 ? whole : pieces)[std::size_t(r)];
  }
  for (Index r = 0; r < rows; ++r) {
    const KeyRange& range = ranges[std::size_t(r)];
    CHECK(Index(met[std::size_t(r)].size()) == key_count(range));
    for (Index p = 0; p < key_count(range); ++p)
      CHECK(met[std::size_t(r)][key_slot(range, p)] == 1);
    CHECK(whole[std::size_t(r)] + (pieces[std::size_t(r)] > 0) == 1);
  }
  int combined = 0;
  for (const CombinedTile& c : plan.combined) {
    CHECK(c.partial == combined);
    CHECK(c.partial_end - c.partial >= 2);
    combined = c.partial_end;
    for (int r = c.row; r < c.row + c.rows; ++r)
      CHECK(pieces[std::size_t(r)] == c.partial_end - c.partial);
  }
  CHECK(combined == plan.partials);
}

void check_backward(const std::vector<KeyRange>& ranges, Index slots, int tile_slots,
                    int chunk_rows) {
  const Index rows = Index(ranges.size());
  const BackwardPlan plan = backward_plan(ranges.data(), rows, slots, tile_slots, chunk_rows);
  CHECK(Index(plan.tiles.size()) == (slots + tile_slots - 1) / tile_slots);
  std::map<int, int> tiles;
  for (const KeyTile& t : plan.tiles) {
    ++tiles[t.slot];
    CHECK(t.slot % tile_slots == 0);
    std::map<int, bool> listed;
    for (int c = t.chunk; c < t.chunk_end; ++c) {
      if (c > t.chunk) CHECK(plan.chunks[std::size_t(c)] > plan.chunks[std::size_t(c - 1)]);
      listed[plan.chunks[std::size_t(c)]] = true;
    }
    for (Index chunk = 0; chunk * chunk_rows < rows; ++chunk) {
      bool seen = false;
      for (Index r = chunk * chunk_rows; r < std::min(rows, (chunk + 1) * chunk_rows); ++r)
        for (int j = 0; j < tile_slots; ++j) seen |= sees_slot(ranges[std::size_t(r)], t.slot + j);
      CHECK(seen == listed.contains(int(chunk)));
    }
  }
  for (const auto& [slot, count] : tiles) CHECK(count == 1);
}

}  // namespace

TEST_CASE("each row meets each of its keys once") {
  for (const TokenLayout& l : layouts())
    for (int tile_rows : {1, 2, 21, 64})
      for (int split : {0, 64, 256})
        for (int room : {0, 9}) check_forward(l.keys, tile_rows, split, room);
  for (int split : {0, 64}) check_forward(interleaved(), 8, split);
}

TEST_CASE("all rows of a tile share one prefix segment") {
  const TokenLayout l = decoding(100, 8, 10);
  const ForwardPlan plan = forward_plan(l.keys.data(), l.rows(), 16);
  REQUIRE(plan.tiles.size() == 1);
  CHECK(plan.segments.size() == 1 + 8);
  CHECK(detail::keys_of(plan, plan.tiles[0]) == 100 + 8 * 11);
}

TEST_CASE("without a split, a row's pieces do not depend on the rows beside it") {
  const TokenLayout l = shared_prompt(100, 4, 30);
  const ForwardPlan all = forward_plan(l.keys.data(), l.rows(), 32);
  const auto pieces = [&](const ForwardPlan& plan, int row, const KeyRange& range) {
    std::vector<std::pair<int, int>> seen;
    for (const QueryTile& t : plan.tiles)
      for (int s = t.segment; row >= t.row && row < t.row + t.rows && s < t.segment_end; ++s)
        if (const int n = visible_keys(range, plan.segments[std::size_t(s)]))
          seen.push_back({plan.segments[std::size_t(s)].slot, n});
    return seen;
  };
  for (int r = 0; r < l.rows(); ++r) {
    const KeyRange& range = l.keys[std::size_t(r)];
    CHECK(pieces(all, r, range) == pieces(forward_plan(&range, 1, 32), 0, range));
  }
}

TEST_CASE("every slot has a key tile with the chunks that see it") {
  for (const TokenLayout& l : layouts())
    for (int chunk_rows : {1, 5, 32, 64})
      check_backward(l.keys, l.slots, chunk_rows % 2 ? 32 : 64, chunk_rows);
}

TEST_CASE("heads of a group fill a tile before rows do") {
  for (int queries : {16, 32, 64})
    for (int kv : {1, 2, 8})
      for (int group : {1, 2, 3, 4, 7, 16, 17, 64, 100}) {
        const QueryShape q = query_shape(Index{kv} * group, kv, queries);
        CHECK(q.heads * q.rows <= queries);
        CHECK(q.rows >= 1);
        CHECK(q.parts * q.heads >= group);
        CHECK((q.parts - 1) * q.heads < group);
      }
}

TEST_CASE("attention is split only where the GPU would otherwise be idle") {
  CHECK(split_length(100000, 300, 264, 64) == 0);
  CHECK(split_length(0, 0, 264, 64) == 0);
  CHECK(split_length(64 * 100, 4, 10, 64) == 640);
  CHECK(split_length(1000, 4, 264, 64) == 256);
  for (Index keys : {1, 63, 64, 65, 5000, 70000}) CHECK(split_length(keys, 3, 200, 32) % 32 == 0);
}

TEST_CASE("a plan refuses sizes that overflow its tables") {
  CHECK_THROWS_WITH(backward_plan(nullptr, 0, Index{1} << 32, 64, 64),
                    Catch::Contains("[gaze::attention] the number of slots is 4294967296"));
}

}  // namespace test_cuda_plan
