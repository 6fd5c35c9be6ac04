// SPDX-License-Identifier: MIT
// Fused attention: against a naive softmax in double, finite differences, and the promises of
// "same bits": alone or in a tile, prefix or own keys, wherever the slots lie, at any thread count.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "gaze/cpu/attention.hpp"
#include "tests/restore.hpp"
#include "tests/test.hpp"

namespace {

using gaze::AttentionShape;
using gaze::Index;
using gaze::KeyRange;

std::vector<gaze::Isa> all_isas() {
  std::vector<gaze::Isa> found;
  for (gaze::Isa isa : {gaze::Isa::generic, gaze::Isa::avx2, gaze::Isa::avx512})
    if (gaze::supported(isa)) found.push_back(isa);
  return found;
}

template <class T>
struct Problem {
  AttentionShape shape;
  std::vector<KeyRange> ranges;
  std::vector<Index> groups{0};
  std::vector<T> q, keys, values;
  std::vector<float> marks;

  Index rows() const { return Index(ranges.size()); }
};

template <class T>
struct Result {
  std::vector<T> out, lse, mark_out;
};

template <class T>
struct Gradients {
  std::vector<T> dq, dkeys, dvalues;
};

template <class T>
std::vector<T> numbers(Index n, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& v : x) v = normal(random);
  return x;
}

/// Everything but the layout: random q, and a store where slots that no row sees hold NaN.
template <class T>
void fill(Problem<T>& p, unsigned seed) {
  std::mt19937 random(seed);
  const AttentionShape& s = p.shape;
  p.q = numbers<T>(p.rows() * s.heads * s.head_size, random);
  p.keys = numbers<T>(store_size(s), random);
  p.values = numbers<T>(store_size(s), random);
  p.marks = numbers<float>(s.slots * s.marks, random);
  std::vector<bool> seen(static_cast<std::size_t>(s.slots));
  for (const KeyRange& r : p.ranges)
    for (Index j = 0; j < key_count(r); ++j) seen[key_slot(r, j)] = true;
  for (Index slot = 0; slot < s.slots; ++slot) {
    if (seen[slot]) continue;
    for (Index kv = 0; kv < s.kv_heads; ++kv)
      for (Index d = 0; d < s.head_size; ++d)
        p.keys[key_offset(s, kv, slot, d)] = p.values[value_offset(s, kv, slot) + d] =
            std::numeric_limits<T>::quiet_NaN();
    for (Index m = 0; m < s.marks; ++m)
      p.marks[slot * s.marks + m] = std::numeric_limits<float>::quiet_NaN();
  }
}

/// One prefix, then `sequences` causal runs of own keys that share it.
template <class T = float>
Problem<T> shared_prefix(Index heads, Index kv_heads, Index head_size, Index marks, int prefix,
                         int own, int sequences, unsigned seed) {
  Problem<T> p;
  p.shape = {heads, kv_heads, head_size, marks, 1.0f / std::sqrt(float(head_size)), 0};
  int slot = (prefix + 15) / 16 * 16 + 32;
  for (int i = 0; i < sequences; ++i) {
    for (int t = prefix ? 0 : 1; t <= own; ++t)
      p.ranges.push_back({16, prefix, slot + prefix % 16, t});
    slot += (prefix % 16 + own + 15) / 16 * 16;
  }
  p.shape.slots = slot + 16;
  fill(p, seed);
  return p;
}

template <class T>
Problem<double> in_double(const Problem<T>& p) {
  return {p.shape,
          p.ranges,
          p.groups,
          {p.q.begin(), p.q.end()},
          {p.keys.begin(), p.keys.end()},
          {p.values.begin(), p.values.end()},
          p.marks};
}

template <class T>
gaze::args::AttentionInputs<T> inputs(const Problem<T>& p) {
  return {.shape = p.shape,
          .n = p.rows(),
          .q = p.q.data(),
          .q_stride = p.shape.heads * p.shape.head_size,
          .keys = p.keys.data(),
          .values = p.values.data(),
          .marks = p.marks.data(),
          .seen = p.ranges.data()};
}

template <class T>
Result<T> forward(const Problem<T>& p) {
  const AttentionShape& s = p.shape;
  Result<T> r;
  r.out.resize(p.rows() * s.heads * s.head_size);
  r.lse.resize(p.rows() * s.heads);
  r.mark_out.resize(p.rows() * s.heads * s.marks);
  gaze::cpu::attention_forward(gaze::args::AttentionForward<T>{
      .in = inputs(p), .out = r.out.data(), .lse = r.lse.data(), .mark_out = r.mark_out.data()});
  return r;
}

template <class T>
Gradients<T> backward(const Problem<T>& p, const Result<T>& r, const std::vector<T>& dout,
                      const std::vector<T>& dmark) {
  const T old = std::numeric_limits<T>::quiet_NaN();  // must be overwritten
  Gradients<T> g{std::vector<T>(p.q.size(), old), std::vector<T>(p.keys.size(), old),
                 std::vector<T>(p.keys.size(), old)};
  gaze::cpu::attention_backward(
      gaze::args::AttentionBackward<T>{.in = inputs(p),
                                       .group_begin = p.groups.data(),
                                       .groups = Index(p.groups.size()),
                                       .out = r.out.data(),
                                       .lse = r.lse.data(),
                                       .mark_out = r.mark_out.data(),
                                       .dout = dout.data(),
                                       .dmark_out = dmark.empty() ? nullptr : dmark.data(),
                                       .dq = g.dq.data(),
                                       .dkeys = g.dkeys.data(),
                                       .dvalues = g.dvalues.data()});
  return g;
}

/// |a - b| / |b| in the Euclidean norm.
template <class A, class B>
double distance(const std::vector<A>& a, const std::vector<B>& b) {
  REQUIRE(a.size() == b.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
    size += double(b[i]) * double(b[i]);
  }
  return difference == 0 ? 0 : std::sqrt(difference / size);
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
bool same_bits(const Result<T>& a, const Result<T>& b) {
  return same_bits(a.out, b.out) && same_bits(a.lse, b.lse) && same_bits(a.mark_out, b.mark_out);
}

/// Softmax from the definition, independent of the kernels' own helpers.
Result<double> naive(const Problem<double>& p) {
  const AttentionShape& s = p.shape;
  Result<double> r;
  for (Index row = 0; row < p.rows(); ++row)
    for (Index h = 0; h < s.heads; ++h) {
      const Index kv = h * s.kv_heads / s.heads;
      const KeyRange& range = p.ranges[row];
      std::vector<Index> slots;
      for (int j = 0; j < range.prefix_len; ++j) slots.push_back(range.prefix_begin + j);
      for (int j = 0; j < range.own_len; ++j) slots.push_back(range.own_begin + j);
      std::vector<double> out(s.head_size), mark(s.marks);
      double total = 0;
      for (Index slot : slots) {
        double score = 0;
        for (Index d = 0; d < s.head_size; ++d)
          score += p.q[(row * s.heads + h) * s.head_size + d] *
                   p.keys[((kv * s.slots + slot) / 16 * s.head_size + d) * 16 + slot % 16];
        const double weight = std::exp(score * s.scale);
        total += weight;
        for (Index d = 0; d < s.head_size; ++d)
          out[d] += weight * p.values[(kv * s.slots + slot) * s.head_size + d];
        for (Index m = 0; m < s.marks; ++m) mark[m] += weight * p.marks[slot * s.marks + m];
      }
      for (double x : out) r.out.push_back(x / total);
      for (double x : mark) r.mark_out.push_back(x / total);
      r.lse.push_back(std::log(total));
    }
  return r;
}

std::vector<Problem<float>> layouts() {
  std::vector<Problem<float>> all;
  unsigned seed = 1;
  for (int prefix : {0, 1, 15, 16, 17, 63, 64, 65, 100})
    for (int own : {1, 16, 49, 130}) {
      const Index sizes[] = {8, 32, 64, 72, 128, 5};
      const Index kv = 1 + seed % 2, heads = kv * (1 + seed % 3);
      all.push_back(
          shared_prefix(heads, kv, sizes[seed % 6], seed % 4, prefix, own, 1 + seed % 3, seed));
      ++seed;
    }
  return all;
}

}  // namespace

TEST_CASE("attention agrees with the definition, in double and on every instruction set",
          "[attention]") {
  gaze::test::Restore restore;
  for (const Problem<float>& p : layouts()) {
    const Problem<double> q = in_double(p);
    const Result<double> truth = naive(q), reference = forward(q);
    CAPTURE(p.shape.head_size, p.shape.heads, p.shape.marks, p.ranges.back().prefix_len,
            p.ranges.back().own_len);
    CHECK(distance(reference.out, truth.out) < 1e-12);
    CHECK(distance(reference.lse, truth.lse) < 1e-12);
    CHECK(distance(reference.mark_out, truth.mark_out) < 1e-12);
    for (gaze::Isa isa : all_isas()) {
      gaze::set_isa(isa);
      CAPTURE(gaze::name(isa));
      const Result<float> r = forward(p);
      CHECK(distance(r.out, truth.out) < 1e-6);
      CHECK(distance(r.lse, truth.lse) < 1e-6);
      CHECK(distance(r.mark_out, truth.mark_out) < 1e-6);
    }
  }
}

TEST_CASE("attention's gradients agree with finite differences in double", "[attention]") {
  Problem<double> p = shared_prefix<double>(4, 2, 5, 2, 18, 3, 2, 7);
  std::mt19937 random(3);
  const Result<double> r = forward(p);
  const auto dout = numbers<double>(Index(r.out.size()), random);
  const auto dmark = numbers<double>(Index(r.mark_out.size()), random);
  const Gradients<double> g = backward(p, r, dout, dmark);
  const auto loss = [&] {
    const Result<double> at = naive(p);
    double sum = 0;
    for (std::size_t i = 0; i < dout.size(); ++i) sum += dout[i] * at.out[i];
    for (std::size_t i = 0; i < dmark.size(); ++i) sum += dmark[i] * at.mark_out[i];
    return sum;
  };
  const auto slope = [&](double& x) {
    const double old = x, step = 1e-5;
    x = old + step;
    const double up = loss();
    x = old - step;
    const double down = loss();
    x = old;
    return (up - down) / (2 * step);
  };
  std::vector<double> dq, dkeys, dvalues;
  for (double& x : p.q) dq.push_back(slope(x));
  const AttentionShape& s = p.shape;
  for (Index kv = 0; kv < s.kv_heads; ++kv)
    for (Index slot = 0; slot < s.slots; ++slot)
      for (Index d = 0; d < s.head_size; ++d) {
        double& k = p.keys[key_offset(s, kv, slot, d)];
        double& v = p.values[value_offset(s, kv, slot) + d];
        dkeys.push_back(std::isnan(k) ? 0 : slope(k));
        dvalues.push_back(std::isnan(v) ? 0 : slope(v));
      }
  CHECK(distance(g.dq, dq) < 1e-8);
  CHECK(distance(g.dkeys, dkeys) < 1e-8);
  CHECK(distance(g.dvalues, dvalues) < 1e-8);
}

TEST_CASE("attention's float gradients agree with double on every instruction set", "[attention]") {
  gaze::test::Restore restore;
  for (const Problem<float>& p : layouts()) {
    const Problem<double> q = in_double(p);
    const Result<double> truth = forward(q);
    std::mt19937 random(5);
    const auto dout = numbers<float>(Index(truth.out.size()), random);
    const auto dmark = numbers<float>(Index(truth.mark_out.size()), random);
    const Gradients<double> g =
        backward<double>(q, truth, {dout.begin(), dout.end()}, {dmark.begin(), dmark.end()});
    CAPTURE(p.shape.head_size, p.shape.heads, p.shape.marks, p.ranges.back().prefix_len,
            p.ranges.back().own_len);
    for (gaze::Isa isa : all_isas()) {
      gaze::set_isa(isa);
      CAPTURE(gaze::name(isa));
      const Gradients<float> f = backward(p, forward(p), dout, dmark);
      CHECK(distance(f.dvalues, g.dvalues) < 1e-6);
      if (key_count(p.ranges.back()) == 1) continue;  // one key: dS is 0 but for rounding
      CHECK(distance(f.dq, g.dq) < 3e-6);
      CHECK(distance(f.dkeys, g.dkeys) < 3e-6);
    }
  }
}

TEST_CASE("an attention row has the same bits alone and among others", "[attention]") {
  gaze::test::Restore restore;
  for (gaze::Isa isa : all_isas()) {
    gaze::set_isa(isa);
    for (const Problem<float>& p : layouts()) {
      const Result<float> whole = forward(p);
      const Index wide = p.shape.heads * p.shape.head_size;
      for (Index row = 0; row < p.rows(); row += 1 + p.rows() / 9) {
        Problem<float> one = p;
        one.ranges = {p.ranges[row]};
        one.q.assign(p.q.begin() + row * wide, p.q.begin() + (row + 1) * wide);
        const Result<float> alone = forward(one);
        CHECK(std::memcmp(&alone.out[0], &whole.out[row * wide], wide * sizeof(float)) == 0);
        CHECK(std::memcmp(&alone.lse[0], &whole.lse[row * p.shape.heads],
                          p.shape.heads * sizeof(float)) == 0);
        CHECK(std::equal(alone.mark_out.begin(), alone.mark_out.end(),
                         whole.mark_out.begin() + row * p.shape.heads * p.shape.marks));
      }
    }
  }
}

TEST_CASE("an attention row's bits do not depend on where its keys lie", "[attention]") {
  gaze::test::Restore restore;
  for (gaze::Isa isa : all_isas()) {
    gaze::set_isa(isa);
    for (int prefix : {1, 15, 16, 17, 63, 64, 65, 100}) {
      const Problem<float> shared = shared_prefix(4, 2, 32, 2, prefix, 70, 1, 9);
      // The same keys, all of them a row's own, from slot 16 * (3 + prefix % 5) on.
      Problem<float> own = shared;
      const AttentionShape& s = shared.shape;
      own.shape.slots += 16 * 20;
      for (KeyRange& r : own.ranges) r = {0, 0, 16 * (3 + prefix % 5), std::int32_t(key_count(r))};
      fill(own, 10);
      own.q = shared.q;
      const KeyRange from = shared.ranges.back(), to = own.ranges.back();
      for (Index j = 0; j < key_count(to); ++j) {
        const Index a = key_slot(from, j), b = key_slot(to, j);
        for (Index kv = 0; kv < s.kv_heads; ++kv)
          for (Index d = 0; d < s.head_size; ++d) {
            own.keys[key_offset(own.shape, kv, b, d)] = shared.keys[key_offset(s, kv, a, d)];
            own.values[value_offset(own.shape, kv, b) + d] =
                shared.values[value_offset(s, kv, a) + d];
          }
        for (Index m = 0; m < s.marks; ++m)
          own.marks[b * s.marks + m] = shared.marks[a * s.marks + m];
      }
      CAPTURE(gaze::name(isa), prefix);
      CHECK(same_bits(forward(shared), forward(own)));
    }
  }
}

TEST_CASE("attention and its gradients have the same bits at any thread count", "[attention]") {
  gaze::test::Restore restore;
  Problem<float> p = shared_prefix(4, 2, 32, 1, 60, 60, 6, 21);
  // Twice: a second group of rows in slots of its own.
  const Index half = p.rows(), slots = p.shape.slots;
  p.groups = {0, half};
  for (Index r = 0; r < half; ++r) {
    KeyRange range = p.ranges[r];
    range.prefix_begin += std::int32_t(slots);
    range.own_begin += std::int32_t(slots);
    p.ranges.push_back(range);
  }
  p.shape.slots = 2 * slots;
  fill(p, 22);
  std::mt19937 random(23);
  const auto dout = numbers<float>(Index(p.q.size()), random);
  const auto dmark = numbers<float>(p.rows() * p.shape.heads, random);
  for (gaze::Isa isa : all_isas()) {
    gaze::set_isa(isa);
    gaze::set_threads(1);
    const Result<float> r = forward(p);
    const Gradients<float> g = backward(p, r, dout, dmark);
    for (int threads : {2, 4}) {
      gaze::set_threads(threads);
      CAPTURE(gaze::name(isa), threads);
      CHECK(same_bits(r, forward(p)));
      const Gradients<float> again = backward(p, r, dout, dmark);
      CHECK(same_bits(g.dq, again.dq));
      CHECK(same_bits(g.dkeys, again.dkeys));
      CHECK(same_bits(g.dvalues, again.dvalues));
    }
  }
}

TEST_CASE("attention keeps its accuracy where scores are large", "[attention]") {
  gaze::test::Restore restore;
  Problem<float> p = shared_prefix(2, 1, 64, 1, 100, 130, 1, 31);
  p.shape.scale = 20;  // scores of some hundreds: exp overflows without the running maximum
  const Result<double> truth = forward(in_double(p));
  for (gaze::Isa isa : all_isas()) {
    gaze::set_isa(isa);
    CAPTURE(gaze::name(isa));
    const Result<float> r = forward(p);
    CHECK(distance(r.out, truth.out) < 1e-4);
    CHECK(distance(r.lse, truth.lse) < 1e-6);
    CHECK(distance(r.mark_out, truth.mark_out) < 1e-4);
  }
}

TEST_CASE("rows go into the key-value store and come back", "[attention]") {
  const AttentionShape shape{4, 2, 6, 0, 1.0f, 48};
  std::mt19937 random(1);
  const Index rows = 5, stride = 2 * 6 + 3;
  const std::vector<std::int32_t> slot = {3, 40, 16, 15, 0};
  const auto x = numbers<float>(rows * stride, random);
  std::vector<float> keys(store_size(shape)), values(store_size(shape)), back(x.size(), 7.0f);
  const auto stored = [&](std::vector<float>& store) {
    return gaze::args::StoreRows<float>{.shape = shape,
                                        .n = rows,
                                        .x = x.data(),
                                        .stride = stride,
                                        .slot = slot.data(),
                                        .store = store.data()};
  };
  gaze::cpu::store_keys(stored(keys));
  gaze::cpu::store_values(stored(values));
  gaze::cpu::load_rows(gaze::args::LoadRows<float>{.shape = shape,
                                                   .n = rows,
                                                   .store = values.data(),
                                                   .slot = slot.data(),
                                                   .y = back.data(),
                                                   .stride = stride});
  for (Index row = 0; row < rows; ++row)
    for (Index i = 0; i < stride; ++i) {
      CHECK(back[row * stride + i] == (i < 12 ? x[row * stride + i] : 7.0f));
      if (i < 12)
        CHECK(keys[((i / 6 * 3 + slot[row] / 16) * 6 + i % 6) * 16 + slot[row] % 16] ==
              x[row * stride + i]);
    }
}

TEST_CASE("attention refuses rows without keys and ranges outside the store", "[attention]") {
  Problem<float> p = shared_prefix(2, 1, 8, 0, 20, 4, 1, 1);
  CHECK_NOTHROW(forward(p));
  const KeyRange good = p.ranges[0];
  const KeyRange bad[] = {{16, 0, 48, 0}, {16, 20, 52, 500}, {16, 20, 53, 1},
                          {8, 20, 52, 1}, {16, -1, 52, 2},   {1024, 20, 52, 0}};
  for (const KeyRange& range : bad) {
    p.ranges[1] = range;
    CHECK_THROWS_AS(forward(p), gaze::Error);
  }
  p.ranges[1] = good;
  p.shape.slots -= 1;
  CHECK_THROWS_AS(forward(p), gaze::Error);
  p.shape.slots += 1;
  p.shape.heads = 3;
  p.shape.kv_heads = 2;
  CHECK_THROWS_AS(forward(p), gaze::Error);
}

TEST_CASE("attention_backward refuses groups that share slots or miss rows", "[attention]") {
  Problem<float> p = shared_prefix(2, 1, 8, 0, 20, 4, 2, 1);  // two sequences, one prefix
  const Result<float> r = forward(p);
  CHECK_NOTHROW(backward(p, r, r.out, {}));
  p.groups = {0, p.rows() / 2};
  CHECK_THROWS_AS(backward(p, r, r.out, {}), gaze::Error);
  p.groups = {1};
  CHECK_THROWS_AS(backward(p, r, r.out, {}), gaze::Error);
  p.groups = {0, p.rows() + 1};
  CHECK_THROWS_AS(backward(p, r, r.out, {}), gaze::Error);
  p.groups = {};
  CHECK_THROWS_AS(backward(p, r, r.out, {}), gaze::Error);
}
