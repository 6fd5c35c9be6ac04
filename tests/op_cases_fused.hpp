// SPDX-License-Identifier: MIT
// Gradient cases of the operations that fuse a whole layer: attention, linear_logprob, checkpoint.
#pragma once
#include "gaze/ops/attention.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/rows.hpp"
#include "gaze/ops/views.hpp"
#include "tests/op_case.hpp"

namespace gaze::test {

/// Layouts by name, and marks to watch with them.
inline std::shared_ptr<const TokenLayout> make_layout(const std::string& kind) {
  auto layout = std::make_shared<TokenLayout>();
  if (kind == "causal") {
    layout->add_sequence(5);
    layout->end_group();
    layout->add_sequence(3);
  } else if (kind == "bidirectional") {
    layout->add_bidirectional(4);
    layout->end_group();
    layout->add_bidirectional(3);
  } else if (kind == "prefix") {
    const Segment prompt = layout->add_sequence(5);
    layout->add_continuation(prompt, 3);
    layout->add_continuation(prompt, 1);
    layout->end_group();
    layout->add_continuation(layout->add_sequence(2), 2);
  } else {  // "long": more keys than a block of the softmax
    const Segment prompt = layout->add_sequence(70);
    layout->add_continuation(prompt, 3);
    layout->add_continuation(prompt, 2);
  }
  layout->end_group();
  return layout;
}

inline Tensor<float> make_marks(const TokenLayout& layout, Index columns) {
  auto marks = Tensor<float>::zeros({layout.slots, columns});
  for (const std::int32_t slot : layout.slot)
    for (Index m = 0; m < columns; ++m)
      marks.data()[slot * columns + m] = static_cast<float>((slot * (m + 1)) % 5) / 4.0f;
  return marks;
}

inline void add_attention_cases(OpCases& to) {
  struct Kind {
    const char *what, *layout;
    Index rows, heads, kv_heads, size, marks;
  };
  const Kind kinds[] = {{"causal", "causal", 8, 2, 2, 4, 0},
                        {"causal, grouped", "causal", 8, 4, 2, 4, 0},
                        {"causal, marks", "causal", 8, 2, 1, 4, 2},
                        {"bidirectional", "bidirectional", 7, 2, 2, 4, 0},
                        {"bidirectional, marks", "bidirectional", 7, 2, 2, 4, 1},
                        {"prefix", "prefix", 13, 2, 1, 4, 0},
                        {"prefix, marks", "prefix", 13, 4, 2, 4, 3},
                        {"long", "long", 75, 2, 1, 4, 1}};
  for (const Kind& k : kinds)
    add_case(to, "attention", k.what, {{k.rows, (k.heads + 2 * k.kv_heads) * k.size}},
             [k](const auto& x) {
               const auto layout = make_layout(k.layout);
               auto marks = decltype(beside(x, make_marks(*layout, 1)))();
               if (k.marks) marks = beside(x, make_marks(*layout, k.marks));
               const auto y = attention(x[0], {k.heads, k.kv_heads, k.size, 0.5}, layout, marks);
               if (!k.marks) return y.out;
               return concatenate(std::vector{y.out, y.marks}, 1);
             });
  add_case(to, "attention", "of a view", {{12, 8}}, [](const auto& x) {
    return attention(permute(x[0], {1, 0}), {1, 1, 4, 0.5}, make_layout("causal")).out;
  });
  add_case(to, "attention", "only the marks are used", {{8, 16}}, [](const auto& x) {
    const auto layout = make_layout("causal");
    return attention(x[0], {2, 1, 4, 0.5}, layout, beside(x, make_marks(*layout, 2))).marks;
  });
  add_case(to, "attention", "marks are not used", {{8, 16}}, [](const auto& x) {
    const auto layout = make_layout("causal");
    return attention(x[0], {2, 1, 4, 0.5}, layout, beside(x, make_marks(*layout, 2))).out;
  });
}

inline void add_logprob_cases(OpCases& to) {
  const auto both = [](const auto& y) {
    const Index n = y.logp.numel();
    return concatenate(std::vector{reshape(y.logp, {n, 1}), reshape(y.entropy, {n, 1})}, 1);
  };
  const auto plain = [both](double temperature) {
    return [=](const auto& x) {
      return both(
          linear_logprob(x[0], x[1], beside(x, indices({2, 0, -1, 6})), constant(x, temperature)));
    };
  };
  add_case(to, "linear_logprob", "plain", {{4, 3}, {7, 3}}, plain(1));
  add_case(to, "linear_logprob", "temperature", {{4, 3}, {7, 3}}, plain(0.5));
  add_case(to, "linear_logprob", "one token", {{4, 3}, {1, 3}}, [both](const auto& x) {
    return both(linear_logprob(x[0], x[1], beside(x, indices({0, 0, -1, 0}))));
  });
  add_case(to, "linear_logprob", "only logp", {{2, 3}, {5, 3}}, [](const auto& x) {
    return linear_logprob(x[0], x[1], beside(x, indices({4, 1}))).logp;
  });
  add_case(to, "linear_logprob", "only entropy", {{2, 3}, {5, 3}}, [](const auto& x) {
    return linear_logprob(x[0], x[1], beside(x, indices({4, -1})), constant(x, 2)).entropy;
  });
  add_case(to, "linear_logprob", "views", {{3, 2}, {3, 5}}, [both](const auto& x) {
    return both(linear_logprob(permute(x[0], {1, 0}), permute(x[1], {1, 0}),
                               beside(x, spread({2}, {4, 1}))));
  });
  add_case(to, "linear_logprob", "no rows", {{0, 3}, {5, 3}}, [both](const auto& x) {
    return both(linear_logprob(x[0], x[1], beside(x, indices({}))));
  });
  add_case(to, "linear_logprob", "more rows than a chunk", {{6, 2}, {3, 2}}, [both](const auto& x) {
    std::vector<std::int32_t> rows, targets;
    for (int i = 0; i < 2 * logprob_chunk + 3; ++i) {
      rows.push_back(i % 6);
      targets.push_back(i % 4 - 1);
    }
    return both(linear_logprob(gather_rows(x[0], beside(x, indices(rows))), x[1],
                               beside(x, indices(targets))));
  });
}

inline void add_checkpoint_cases(OpCases& to) {
  add_case(to, "checkpoint", "captured parameters", {{3, 4}, {5, 4}, {5}}, [](const auto& x) {
    const auto f = [w = x[1], b = x[2]](const auto& in) { return tanh(linear(in, w, b)); };
    return square(checkpoint(f, x[0]));
  });
  add_case(to, "checkpoint", "within a checkpoint", {{3, 3}, {3, 3}}, [](const auto& x) {
    const auto inner = [w = x[1]](const auto& in) { return sigmoid(matmul(in, w)); };
    const auto outer = [=](const auto& in) { return add(in, checkpoint(inner, inner(in))); };
    return checkpoint(outer, scale(x[0], constant(x, 2)));
  });
  add_case(to, "checkpoint", "with rotary inside", {{3, 4}, {4, 4}}, [](const auto& x) {
    const auto f = [w = x[1], theta = constant(x, 100), position = beside(x, indices({0, 3, 9}))](
                       const auto& in) { return rotary(matmul(in, w), 1, 4, theta, position); };
    return checkpoint(f, x[0]);
  });
}

}  // namespace gaze::test
