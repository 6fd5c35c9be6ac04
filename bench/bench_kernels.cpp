// SPDX-License-Identifier: MIT
// The kernels beside the matrix product, on one thread. Those bound by arithmetic stand against
// the measured multiply-add peak, those bound by memory against a measured copy of as many bytes.
#include "bench/common.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/ops/attention.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/logprob.hpp"

namespace {

using gaze::Cpu;
using gaze::Index;
using K = gaze::Kernels<Cpu>;
namespace args = gaze::args;
using Floats = gaze::Tensor<float, Cpu>;

/// Normal values that differ from stream to stream.
Floats random_values(const gaze::Shape& shape, std::uint64_t stream, double scale = 1) {
  const gaze::Philox random(11, gaze::Purpose::test);
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(scale * random.normal(stream, i));
  return Floats::from(shape, values);
}

// ---- attention --------------------------------------------------------------------------------

struct AttentionCase {
  std::string name;
  Index heads, kv_heads, head_size;
  Index sequences, prefix, group, length;  // group continuations of a prefix; 0: one sequence
  bool causal;
  Index marks = 0;
};

/// The cases of models, then causal attention over the sizes that bench/peers/compare.py times in
/// PyTorch too, each without and with one mark column.
std::vector<AttentionCase> attention_cases() {
  std::vector<AttentionCase> cases = {
      {"vit_64_d32", 3, 3, 32, 32, 0, 1, 64, false},       // 32 images of the tiny preset
      {"group_60+60_d32", 4, 2, 32, 12, 60, 8, 60, true},  // a GRPO update: 12 prompts x 8
      {"causal_grouped_1024_d64", 12, 4, 64, 1, 0, 1, 1024, true},
  };
  for (Index t : {256, 1024})
    for (Index d : {32, 64, 72})
      for (Index marks : {0, 1})
        cases.push_back(
            {"causal_" + std::to_string(t) + "_d" + std::to_string(d) + (marks ? "_mark" : ""), 8,
             8, d, 1024 / t, 0, 1, t, true, marks});
  return cases;
}

gaze::TokenLayout layout_of(const AttentionCase& c) {
  gaze::TokenLayout layout;
  for (Index s = 0; s < c.sequences; ++s) {
    if (c.prefix > 0) {
      const auto prefix = layout.add_sequence(c.prefix);
      for (Index g = 0; g < c.group; ++g) layout.add_continuation(prefix, c.length);
    } else if (c.causal) {
      layout.add_sequence(c.length);
    } else {
      layout.add_bidirectional(c.length);
    }
    layout.end_group();
  }
  return layout;
}

/// One attention on random rows [N, q | k | v]: forward with the store's filling, backward with
/// the reading of its gradients.
class Attention {
 public:
  explicit Attention(const AttentionCase& c)
      : layout_(layout_of(c)),
        sizes_{c.heads, c.kv_heads, c.head_size, 1},
        shape_{c.heads,      c.kv_heads, c.head_size, c.marks, 1 / std::sqrt(float(c.head_size)),
               layout_.slots},
        n_(layout_.rows()),
        columns_(sizes_.columns()),
        q_(c.heads * c.head_size),
        kv_(c.kv_heads * c.head_size),
        qkv_(random_values({n_, columns_}, 1)),
        dout_(random_values({n_, q_}, 2)),
        marks_(random_values({layout_.slots, 1}, 3)),
        dmark_(random_values({n_, c.heads}, 4)),
        store_(sizes_, layout_.slots),
        out_({n_, q_}),
        lse_({n_, c.heads}),
        mark_out_({n_, c.heads}),
        dqkv_({n_, columns_}),
        dq_({n_, q_}),
        dkeys_(store_.values.shape()),
        dvalues_(store_.values.shape()) {}

  void forward() {
    args::StoreRows<float> stored{.shape = shape_,
                                  .n = n_,
                                  .x = qkv_.data() + q_,
                                  .stride = columns_,
                                  .slot = layout_.slot.data(),
                                  .store = store_.keys.data()};
    K::store_keys(stored);
    stored.x += kv_;
    stored.store = store_.values.data();
    K::store_values(stored);
    K::attention_forward(
        args::AttentionForward<float>{.in = inputs(),
                                      .out = out_.data(),
                                      .lse = lse_.data(),
                                      .mark_out = shape_.marks ? mark_out_.data() : nullptr});
  }

  void backward() {
    K::attention_backward(args::AttentionBackward<float>{.in = inputs(),
                                                         .group_begin = layout_.groups.data(),
                                                         .groups = layout_.group_count(),
                                                         .out = out_.data(),
                                                         .lse = lse_.data(),
                                                         .mark_out = marks(mark_out_),
                                                         .dout = dout_.data(),
                                                         .dmark_out = marks(dmark_),
                                                         .dq = dq_.data(),
                                                         .dkeys = dkeys_.data(),
                                                         .dvalues = dvalues_.data()});
    args::LoadRows<float> loaded{.shape = shape_,
                                 .n = n_,
                                 .store = dkeys_.data(),
                                 .slot = layout_.slot.data(),
                                 .y = dqkv_.data() + q_,
                                 .stride = columns_};
    K::load_rows(loaded);
    loaded.store = dvalues_.data();
    loaded.y += kv_;
    K::load_rows(loaded);
  }

 private:
  args::AttentionInputs<float> inputs() const {
    return {.shape = shape_,
            .n = n_,
            .q = qkv_.data(),
            .q_stride = columns_,
            .keys = store_.keys.data(),
            .values = store_.values.data(),
            .marks = marks(marks_),
            .seen = layout_.keys.data()};
  }
  const float* marks(const Floats& x) const { return shape_.marks ? x.data() : nullptr; }

  const gaze::TokenLayout layout_;
  const gaze::AttentionSizes sizes_;
  const gaze::AttentionShape shape_;
  const Index n_, columns_, q_, kv_;
  const Floats qkv_, dout_, marks_, dmark_;
  gaze::KeysAndValues<float, Cpu> store_;
  Floats out_, lse_, mark_out_, dqkv_, dq_, dkeys_, dvalues_;
};

enum class Pass { forward, backward, both };

void attention(benchmark::State& state, const AttentionCase& c, Pass pass) {
  Attention work(c);
  const auto run = [&] {
    if (pass != Pass::backward) work.forward();
    if (pass != Pass::forward) work.backward();
  };
  work.forward();
  const Index before = gaze::arithmetic();
  run();
  bench::against_peak(state, double(gaze::arithmetic() - before), run);
}

// ---- rows ------------------------------------------------------------------------------------

void rms_norm(benchmark::State& state, bool derivative) {
  const Index n = state.range(0), c = state.range(1);
  const auto x = random_values({n, c}, 1), dy = random_values({n, c}, 2);
  const auto weight = Floats::full({c}, 1);
  Floats y({n, c}), dx({n, c}), inverse({n}), dweight = Floats::zeros({c});
  const auto forward = [&] {
    K::rms_norm_forward(args::RmsNormForward<float>{.n = n,
                                                    .c = c,
                                                    .x = x.data(),
                                                    .weight = weight.data(),
                                                    .eps = 1e-5f,
                                                    .y = y.data(),
                                                    .inv_rms = inverse.data()});
  };
  forward();
  bench::against_copy(state, 4.0 * double(n * c) * (derivative ? 3 : 2), [&] {
    if (!derivative) return forward();
    K::rms_norm_backward(args::RmsNormBackward<float>{.n = n,
                                                      .c = c,
                                                      .x = x.data(),
                                                      .weight = weight.data(),
                                                      .inv_rms = inverse.data(),
                                                      .dy = dy.data(),
                                                      .dx = dx.data(),
                                                      .dweight = dweight.data()});
  });
}

void layer_norm(benchmark::State& state, bool derivative) {
  const Index n = state.range(0), c = state.range(1);
  const auto x = random_values({n, c}, 1), dy = random_values({n, c}, 2);
  const auto weight = Floats::full({c}, 1), bias = Floats::zeros({c});
  Floats y({n, c}), dx({n, c}), mean({n}), inverse({n});
  Floats dweight = Floats::zeros({c}), dbias = Floats::zeros({c});
  const auto forward = [&] {
    K::layer_norm_forward(args::LayerNormForward<float>{.n = n,
                                                        .c = c,
                                                        .x = x.data(),
                                                        .weight = weight.data(),
                                                        .bias = bias.data(),
                                                        .eps = 1e-5f,
                                                        .y = y.data(),
                                                        .mean = mean.data(),
                                                        .inv_std = inverse.data()});
  };
  forward();
  bench::against_copy(state, 4.0 * double(n * c) * (derivative ? 3 : 2), [&] {
    if (!derivative) return forward();
    K::layer_norm_backward(args::LayerNormBackward<float>{.n = n,
                                                          .c = c,
                                                          .x = x.data(),
                                                          .weight = weight.data(),
                                                          .mean = mean.data(),
                                                          .inv_std = inverse.data(),
                                                          .dy = dy.data(),
                                                          .dx = dx.data(),
                                                          .dweight = dweight.data(),
                                                          .dbias = dbias.data()});
  });
}

void rotary(benchmark::State& state) {
  const Index n = state.range(0), heads = state.range(1), head_size = 32;
  const Index stride = (heads + 2) * head_size;  // two value heads do not turn
  auto x = random_values({n, stride}, 1);
  std::vector<std::int32_t> position(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) position[static_cast<std::size_t>(i)] = std::int32_t(i % 100);
  bench::against_copy(state, 8.0 * double(n * heads * head_size), [&] {
    K::rotary(args::Rotary<float>{.n = n,
                                  .heads = heads,
                                  .head_size = head_size,
                                  .stride = stride,
                                  .position = position.data(),
                                  .theta = 10000.0f,
                                  .x = x.data()});
  });
}

void swiglu(benchmark::State& state, bool derivative) {
  const Index n = state.range(0), c = state.range(1);
  const auto x = random_values({n, 2 * c}, 1), dy = random_values({n, c}, 2);
  Floats y({n, c}), dx({n, 2 * c});
  bench::against_copy(state, 4.0 * double(n * c) * (derivative ? 5 : 3), [&] {
    if (derivative)
      K::swiglu_backward(n, c, x.data(), dy.data(), dx.data());
    else
      K::swiglu_forward(n, c, x.data(), y.data());
  });
}

// ---- elementwise, loss, optimiser -------------------------------------------------------------

void binary(benchmark::State& state, bool product) {
  const Index n = state.range(0);
  const auto a = random_values({n}, 1), b = random_values({n}, 2);
  Floats y({n});
  bench::against_copy(state, 12.0 * double(n), [&] {
    product ? K::mul(n, a.data(), b.data(), y.data()) : K::add(n, a.data(), b.data(), y.data());
  });
}

void unary(benchmark::State& state, gaze::UnaryOp op, bool derivative) {
  const Index n = state.range(0);
  const auto x = random_values({n}, 1), dy = random_values({n}, 2);
  Floats y({n}), dx({n});
  const auto forward = [&] {
    K::unary_forward(args::UnaryForward<float>{.op = op, .n = n, .x = x.data(), .y = y.data()});
  };
  forward();
  bench::against_copy(state, 4.0 * double(n) * (derivative ? 3 : 2), [&] {
    if (!derivative) return forward();
    K::unary_backward(args::UnaryBackward<float>{
        .op = op, .n = n, .x = x.data(), .y = y.data(), .dy = dy.data(), .dx = dx.data()});
  });
}

/// Forward and backward, as in a training step: four products of [n,v] x c in all (one is computed
/// again in backward instead of being stored).
void linear_logprob(benchmark::State& state) {
  const Index n = state.range(0), c = state.range(1), v = state.range(2);
  auto x = random_values({n, c}, 1), w = random_values({v, c}, 2, 0.04);
  std::vector<std::int32_t> targets(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i)
    targets[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i * 7919 % v);
  const auto target = gaze::Indices<Cpu>::from({n}, targets);
  const auto ones = Floats::full({n}, 1);
  x.requires_grad();
  w.requires_grad();
  const auto step = [&] {
    gaze::backward(gaze::linear_logprob(x, w, target).logp, ones);
    x.node()->clear();
    w.node()->clear();
  };
  const Index before = gaze::arithmetic();
  step();
  bench::against_peak(state, double(gaze::arithmetic() - before), step);
}

void adamw(benchmark::State& state) {
  const Index n = state.range(0);
  auto values = random_values({n}, 1, 0.1), gradient = random_values({n}, 2, 0.01);
  Floats first = Floats::zeros({n}), second = Floats::zeros({n});
  const gaze::AdamWStep<float> settings{1e-4f, 0.9f, 0.98f, 1e-8f, 0.01f};
  const auto step = [&] {
    K::adamw_step(args::AdamW<float>{.n = n,
                                     .param = values.data(),
                                     .grad = gradient.data(),
                                     .m = first.data(),
                                     .v = second.data(),
                                     .settings = settings,
                                     .bias_correction1 = 0.5f,
                                     .bias_correction2 = 0.5f,
                                     .grad_scale = 1.0f});
  };
  bench::against_copy(state, 28.0 * double(n), step, 16.0 * double(n));  // reads 4, writes 3 of 4
}

template <class Function, class... Args>
benchmark::internal::Benchmark* add(const std::string& name, Function function, Args... args) {
  return benchmark::RegisterBenchmark(name.c_str(), function, args...)
      ->Unit(benchmark::kMicrosecond)
      ->MinTime(0.1);
}

void add_rows() {
  using gaze::UnaryOp;
  for (const bool derivative : {false, true}) {
    const std::string end = derivative ? "/backward" : "/forward";
    for (const auto& c : attention_cases())
      add("attention/" + c.name + end, attention, c, derivative ? Pass::backward : Pass::forward);
    add("rows/rms_norm" + end, rms_norm, derivative)->Args({3000, 128})->Args({512, 768});
    add("rows/layer_norm" + end, layer_norm, derivative)->Args({2048, 96})->Args({512, 512});
    add("rows/swiglu" + end, swiglu, derivative)->Args({3000, 344})->Args({512, 2048});
    add("elementwise/exp" + end, unary, UnaryOp::exp, derivative)->Arg(1 << 18);
    add("elementwise/gelu" + end, unary, UnaryOp::gelu, derivative)->Arg(1 << 18);
  }
  for (const auto& c : attention_cases())
    add("attention/" + c.name + "/both", attention, c, Pass::both);
  add("rows/rotary", rotary)->Args({3000, 6});
  add("elementwise/add", binary, false)->Arg(1 << 18);
  add("elementwise/mul", binary, true)->Arg(1 << 18);
  add("linear_logprob", linear_logprob)->ArgNames({"n", "c", "v"})->Args({3000, 128, 1000});
  add("adamw", adamw)->Arg(1 << 21)->Arg(1 << 24);
}

}  // namespace

int main(int argc, char** argv) {
  add_rows();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
