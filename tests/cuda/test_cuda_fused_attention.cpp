// SPDX-License-Identifier: MIT
// Fused attention on tensor cores: against the CPU's plain loops in double, on the values rounded
// to T. Relative errors are |out - ref| / |ref| in the Euclidean norm.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "cuda/flash/fused_attention.hpp"
#include "tests/cuda/device.hpp"
#include "tests/cuda/on_device.hpp"
#ifdef GAZE_CUDA_EMULATED
#include "cuda/emulator/emulated_copies.hpp"
#include "cuda/emulator/emulator.hpp"
#endif

namespace test_cuda_fused_attention {
namespace {

using namespace gaze;
using namespace gaze::test;

template <class T>
constexpr double tolerance = std::is_same_v<T, float> ? 1e-5 : 5e-3;

struct Sizes {
  Index heads, kv_heads, head_size, marks;
};

/// One attention with all its inputs, in double; keys as rows. Unseen slots contain NaN.
struct Problem {
  AttentionShape shape;
  TokenLayout layout;
  std::vector<double> q, keys, values, dout, dmark;
  std::vector<float> marks;

  Index queries() const { return layout.rows() * shape.heads; }
  /// The CPU's key store of `keys`.
  std::vector<double> stored_keys() const {
    std::vector<double> to(keys.size());
    const AttentionShape& s = shape;
    for (Index kv = 0; kv < s.kv_heads; ++kv)
      for (Index slot = 0; slot < s.slots; ++slot)
        for (Index d = 0; d < s.head_size; ++d)
          to[std::size_t(key_offset(s, kv, slot, d))] =
              keys[std::size_t(value_offset(s, kv, slot) + d)];
    return to;
  }
};

template <class T>
Problem problem(const Sizes& sizes, TokenLayout layout, unsigned seed) {
  std::mt19937 random(seed);
  Problem p;
  p.layout = std::move(layout);
  p.layout.slots += 16;  // that no row sees
  p.shape = {sizes.heads,
             sizes.kv_heads,
             sizes.head_size,
             sizes.marks,
             1.0f / std::sqrt(float(sizes.head_size)),
             p.layout.slots};
  const AttentionShape& s = p.shape;
  p.q = numbers<T>(p.queries() * s.head_size, random);
  p.keys = numbers<T>(store_size(s), random);
  p.values = numbers<T>(store_size(s), random);
  p.dout = numbers<float>(p.queries() * s.head_size, random);
  p.dmark = numbers<float>(p.queries() * s.marks, random);
  for (const double x : numbers<T>(s.slots * s.marks, random)) p.marks.push_back(float(x));
  std::vector<bool> seen(std::size_t(s.slots));
  for (const KeyRange& r : p.layout.keys)
    for (Index j = 0; j < key_count(r); ++j) seen[std::size_t(key_slot(r, j))] = true;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (Index slot = 0; slot < s.slots; ++slot) {
    if (seen[std::size_t(slot)]) continue;
    for (Index kv = 0; kv < s.kv_heads; ++kv)
      for (Index d = 0; d < s.head_size; ++d)
        p.keys[std::size_t(value_offset(s, kv, slot) + d)] =
            p.values[std::size_t(value_offset(s, kv, slot) + d)] = nan;
    for (Index m = 0; m < s.marks; ++m) p.marks[std::size_t(slot * s.marks + m)] = float(nan);
  }
  return p;
}

struct Reference {
  std::vector<double> out, lse, mark_out, dq, dkeys, dvalues;
};

Reference reference(const Problem& p) {
  const AttentionShape& s = p.shape;
  const Index n = p.layout.rows();
  Reference r;
  r.out.resize(p.q.size());
  r.lse.resize(std::size_t(p.queries()));
  r.mark_out.resize(std::size_t(p.queries() * s.marks));
  r.dq.resize(p.q.size());
  r.dkeys.resize(p.keys.size());
  r.dvalues.resize(p.keys.size());
  const auto keys = p.stored_keys();
  double* const mark_out = s.marks ? r.mark_out.data() : nullptr;
  const args::AttentionInputs<double> in{.shape = s,
                                         .n = n,
                                         .q = p.q.data(),
                                         .q_stride = s.heads * s.head_size,
                                         .keys = keys.data(),
                                         .values = p.values.data(),
                                         .marks = p.marks.data(),
                                         .seen = p.layout.keys.data()};
  cpu::attention_forward(args::AttentionForward<double>{
      .in = in, .out = r.out.data(), .lse = r.lse.data(), .mark_out = mark_out});
  cpu::attention_backward(
      args::AttentionBackward<double>{.in = in,
                                      .group_begin = p.layout.groups.data(),
                                      .groups = p.layout.group_count(),
                                      .out = r.out.data(),
                                      .lse = r.lse.data(),
                                      .mark_out = mark_out,
                                      .dout = p.dout.data(),
                                      .dmark_out = s.marks ? p.dmark.data() : nullptr,
                                      .dq = r.dq.data(),
                                      .dkeys = r.dkeys.data(),
                                      .dvalues = r.dvalues.data()});
  return r;
}

struct Result {
  std::vector<float> out, mark_out, lse, dq, dkeys, dvalues;
  friend bool operator==(const Result& a, const Result& b) {
    return same_bits(a.out, b.out) && same_bits(a.mark_out, b.mark_out) &&
           same_bits(a.lse, b.lse) && same_bits(a.dq, b.dq) && same_bits(a.dkeys, b.dkeys) &&
           same_bits(a.dvalues, b.dvalues);
  }
};

/// q lies in rows of qkv, as in a model. The plan is made for own ranges that are `room` shorter.
template <class T>
Result run(const Problem& p, cuda::AttentionUse use, std::int32_t room = 0) {
  const AttentionShape& s = p.shape;
  const Index n = p.layout.rows(), width = s.heads * s.head_size;
  const Index stride = width + 2 * s.kv_heads * s.head_size;
  std::vector<T> qkv(std::size_t(n * stride), T(std::numeric_limits<float>::quiet_NaN()));
  for (Index r = 0; r < n; ++r)
    for (Index c = 0; c < width; ++c)
      qkv[std::size_t(r * stride + c)] = T(float(p.q[std::size_t(r * width + c)]));
  const OnDevice<T> q(qkv), keys(rounded<T>(p.keys)), values(rounded<T>(p.values));
  const OnDevice<KeyRange> ranges(p.layout.keys);
  const OnDevice<float> marks(p.marks), dout(rounded<float>(p.dout)),
      dmark(rounded<float>(p.dmark));
  const OnDevice<float> out(n * width), mark_out(p.queries() * s.marks), lse(p.queries()),
      dq(n * width), dkeys(store_size(s)), dvalues(store_size(s));
  auto planned = p.layout.keys;
  for (KeyRange& range : planned) range.own_len -= room;
  const cuda::FusedAttention<T> attention(s, n, planned.data(), use, room);
  const bool marked = s.marks > 0;
  const args::AttentionInputs<T> in{.shape = s,
                                    .n = n,
                                    .q = q.data(),
                                    .q_stride = stride,
                                    .keys = keys.data(),
                                    .values = values.data(),
                                    .marks = marks.data(),
                                    .seen = ranges.data()};
  attention.forward({.in = in,
                     .out = out.data(),
                     .lse = lse.data(),
                     .mark_out = marked ? mark_out.data() : nullptr});
  if (use.gradients)
    attention.backward({.in = in,
                        .group_begin = nullptr,
                        .groups = 0,
                        .out = out.data(),
                        .lse = lse.data(),
                        .mark_out = mark_out.data(),
                        .dout = dout.data(),
                        .dmark_out = marked ? dmark.data() : nullptr,
                        .dq = dq.data(),
                        .dkeys = dkeys.data(),
                        .dvalues = dvalues.data()});
  return {out.host(), mark_out.host(), lse.host(), dq.host(), dkeys.host(), dvalues.host()};
}

template <class T>
void check_forward(const Result& y, const Reference& r) {
  for (const double error :
       {distance(y.out, r.out), distance(y.mark_out, r.mark_out), distance(y.lse, r.lse)})
    CHECK(error < tolerance<T>);
}
template <class T>
void check(const Problem& p, cuda::AttentionUse use) {
  const Reference r = reference(p);
  const Result y = run<T>(p, use);
  check_forward<T>(y, r);
  if (!use.gradients) return;
  for (const double error :
       {distance(y.dq, r.dq), distance(y.dkeys, r.dkeys), distance(y.dvalues, r.dvalues)})
    CHECK(error < tolerance<T>);
}

TokenLayout causal(std::initializer_list<int> lengths) {
  TokenLayout l;
  for (const int n : lengths) {
    l.add_sequence(n);
    l.end_group();
  }
  return l;
}
TokenLayout bidirectional(std::initializer_list<int> lengths) {
  TokenLayout l;
  for (const int n : lengths) l.add_bidirectional(n);
  l.end_group();
  return l;
}
TokenLayout grouped(int prompt, std::initializer_list<int> completions) {
  TokenLayout l;
  l.add_sequence(3);
  l.end_group();
  const auto p = l.add_sequence(prompt);
  for (const int n : completions) l.add_continuation(p, n);
  l.end_group();
  return l;
}
/// One decoding step of completions that share a prompt; their lengths differ.
TokenLayout decoding(int prompt, int sequences, int longest) {
  TokenLayout l;
  const Index prefix = l.reserve(prompt, 0);
  for (int i = 0; i < sequences; ++i) {
    const int step = (i * 7 + longest - 1) % longest;
    l.add_step(prefix, prompt, l.reserve(longest, prompt), step);
  }
  return l;
}

constexpr cuda::AttentionUse kTraining{true, false}, kDecoding{false, true};

}  // namespace

TEMPLATE_TEST_CASE("fused attention supports every head size, with and without marks", "", float,
                   bf16) {
  GAZE_NEEDS_DEVICE();
  for (const Index D : {16, 32, 64, 72, 128})
    for (const Index marks : {0, 3})
      check<TestType>(problem<TestType>({4, 2, D, marks}, grouped(21, {9, 1}), unsigned(D)),
                      kTraining);
}

TEMPLATE_TEST_CASE("fused attention is right at every prefix seam", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  for (const int prompt : {1, 15, 16, 31, 32, 33, 64, 65})
    check<TestType>(problem<TestType>({2, 1, 32, 1}, grouped(prompt, {5, 2, 33}), unsigned(prompt)),
                    kTraining);
}

TEMPLATE_TEST_CASE("fused attention supports ragged lengths and grouped heads, full and causal", "",
                   float, bf16) {
  GAZE_NEEDS_DEVICE();
  check<TestType>(problem<TestType>({3, 3, 32, 0}, bidirectional({1, 64, 17}), 1), kTraining);
  check<TestType>(problem<TestType>({6, 2, 32, 2}, causal({70, 1, 2, 40}), 2), kTraining);
  check<TestType>(problem<TestType>({7, 1, 64, 16}, causal({1}), 3), kTraining);
  check<TestType>(problem<TestType>({70, 1, 32, 0}, causal({5}), 4), kTraining);  // two parts
}

TEMPLATE_TEST_CASE("fused attention decodes with and without a split over keys", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  for (const Index D : {32, 72, 128}) {
    const auto p = problem<TestType>({4, 2, D, 20}, decoding(300, 5, 40), unsigned(D));
    const Reference r = reference(p);
    check_forward<TestType>(run<TestType>(p, kDecoding), r);
    check_forward<TestType>(run<TestType>(p, {}), r);
  }
  check<TestType>(problem<TestType>({2, 2, 32, 0}, decoding(0, 3, 20), 5), kDecoding);
  check<TestType>(problem<TestType>({64, 1, 32, 3}, decoding(260, 2, 9), 6), kDecoding);
}

TEMPLATE_TEST_CASE("in fused attention, a row's bits do not depend on the other rows", "", float,
                   bf16) {
  GAZE_NEEDS_DEVICE();
  const auto all = problem<TestType>({4, 2, 32, 2}, grouped(40, {30, 6}), 7);
  const auto together = run<TestType>(all, {});
  const std::size_t row_size = 4 * 32;
  for (const std::size_t row : {0, 10, 42, 43, 60, 78}) {
    Problem one = all;  // as in a decoding step: the store is unchanged
    one.layout.position = {all.layout.position[row]};
    one.layout.slot = {all.layout.slot[row]};
    one.layout.keys = {all.layout.keys[row]};
    one.q.assign(all.q.begin() + std::ptrdiff_t(row * row_size),
                 all.q.begin() + std::ptrdiff_t((row + 1) * row_size));
    const auto alone = run<TestType>(one, {});
    CHECK(std::memcmp(alone.out.data(), together.out.data() + row * row_size,
                      row_size * sizeof(float)) == 0);
    CHECK(std::memcmp(alone.lse.data(), together.lse.data() + row * 4, 4 * sizeof(float)) == 0);
  }
}

TEMPLATE_TEST_CASE("in fused attention, ranges may grow after planning", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  TokenLayout l;
  const Index prefix = l.reserve(20, 0);
  for (int i = 0; i < 3; ++i) l.add_step(prefix, 20, l.reserve(60, 20), 40);
  const auto p = problem<TestType>({4, 2, 32, 2}, std::move(l), 9);
  const auto fresh = run<TestType>(p, {});
  for (const std::int32_t room : {1, 9, 40}) CHECK(run<TestType>(p, {}, room) == fresh);
  check_forward<TestType>(run<TestType>(p, kDecoding, 40), reference(p));
}

TEMPLATE_TEST_CASE("fused attention repeats bit for bit", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  const auto p = problem<TestType>({4, 2, 32, 2}, grouped(40, {30, 6}), 8);
  const auto first = run<TestType>(p, kTraining);
  CHECK(run<TestType>(p, kTraining) == first);
#ifdef GAZE_CUDA_EMULATED
  // For any order of threads, and asynchronous copies that finish early or late.
  for (const bool late : {false, true})
    for (const std::uint64_t order : {0, 1, 17}) {
      cuda::emulator::late_copies = late;
      cuda::emulator::set_order(order);
      CHECK(run<TestType>(p, kTraining) == first);
      cuda::emulator::set_order(0);
      cuda::emulator::late_copies = false;
    }
#endif
}

TEST_CASE("fused attention reports unsupported cases") {
  GAZE_NEEDS_DEVICE();
  using cuda::FusedAttention;
  CHECK(FusedAttention<bf16>::possible({4, 2, 72, 0, 1, 16}, kTraining));
  CHECK(FusedAttention<float>::possible({4, 2, 36, 0, 1, 16}, kTraining));
  CHECK_FALSE(FusedAttention<bf16>::possible({4, 2, 36, 0, 1, 16}, kTraining));
  CHECK_FALSE(FusedAttention<float>::possible({4, 2, 132, 0, 1, 16}, kTraining));
  CHECK_FALSE(FusedAttention<float>::possible({4, 2, 32, 17, 1, 16}, kTraining));
  CHECK(FusedAttention<float>::possible({4, 2, 32, 17, 1, 16}, kDecoding));
}

}  // namespace test_cuda_fused_attention
