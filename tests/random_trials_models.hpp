// SPDX-License-Identifier: MIT
// Random trials of products, einsum, convolution, rows, attention and the graph itself (see
// random_trials.hpp), and the list of all.
#pragma once
#include "tests/random_trials.hpp"

namespace gaze::test {

/// Operands and result of a random einsum: letters with sizes, each operand some of them.
inline Trial einsum_trial(Draw& d) {
  const std::string letters = "ijkl";
  std::array<Index, 4> sizes;
  for (Index& n : sizes) n = d.size(3);
  std::vector<Shape> shapes;
  std::string equation, all;
  const Index operands = d.from_to(1, 3);
  for (Index o = 0; o < operands; ++o) {
    Shape s = Shape::filled(static_cast<int>(d.from_to(1, 3)), 0);
    if (o > 0) equation += ",";
    for (int i = 0; i < s.rank(); ++i) {
      const auto l = static_cast<std::size_t>(d.below(4));
      equation += letters[l];
      if (all.find(letters[l]) == std::string::npos) all += letters[l];
      s[i] = sizes[l];
    }
    shapes.push_back(s);
  }
  equation += "->";
  for (const int i : d.order(static_cast<int>(all.size())))
    if (d.once_in(2)) equation += all[static_cast<std::size_t>(i)];
  return trial(d, shapes, [=](const Drawn& x) { return einsum(equation, x); });
}

inline Trial matmul_trial(Draw& d) {
  const Index m = d.size(), n = d.size(), k = d.size();
  const bool ta = d.once_in(2), tb = d.once_in(2);
  const Shape batch = d.shape(0, 2, 3);
  const bool first = d.once_in(2);
  const auto with = [](const Shape& of, Index rows, Index columns) {
    Shape s = Shape::filled(of.rank() + 2, rows);
    std::copy(of.begin(), of.end(), &s[0]);
    s[of.rank() + 1] = columns;
    return s;
  };
  const Shape a = with(first ? d.stretching(batch) : batch, ta ? k : m, ta ? m : k);
  const Shape b = with(first ? batch : d.stretching(batch), tb ? n : k, tb ? k : n);
  return trial(d, {a, b}, [=](const Drawn& x) { return matmul(x[0], x[1], ta, tb); });
}

inline Trial linear_trial(Draw& d) {
  const Index n = d.size(), c = d.size(), o = d.size();
  switch (d.below(3)) {
    case 0:
      return trial(d, {{n, c}, {o, c}}, [](const Drawn& x) { return linear(x[0], x[1]); });
    case 1:
      return trial(d, {{n, c}, {o, c}, {o}},
                   [](const Drawn& x) { return linear(x[0], x[1], x[2]); });
    default:
      return trial(d, {{n, c}, {o, c}, {n, o}},
                   [](const Drawn& x) { return linear(x[0], x[1], {}, x[2]); });
  }
}

inline Window random_window(Draw& d) {
  const Index h = d.from_to(1, 3), w = d.from_to(1, 3);
  return {h, w, d.from_to(1, 3), d.from_to(1, 3), d.below(h), d.below(w)};
}

/// Random groups: images, and prompts with continuations.
inline std::shared_ptr<const TokenLayout> random_layout(Draw& d) {
  auto layout = std::make_shared<TokenLayout>();
  for (Index groups = d.from_to(1, 3); groups > 0; --groups) {
    if (d.once_in(3)) {
      layout->add_bidirectional(d.from_to(1, 6));
    } else {
      const Segment prompt =
          layout->add_sequence(d.once_in(4) ? d.from_to(60, 70) : d.from_to(1, 6));
      for (Index more = d.below(4); more > 0; --more)
        layout->add_continuation(prompt, d.from_to(1, 5));
    }
    layout->end_group();
  }
  return layout;
}

inline Trial attention_trial(Draw& d) {
  const auto layout = random_layout(d);
  const Index kv = d.from_to(1, 2), heads = kv * d.from_to(1, 2);
  const AttentionSizes sizes{heads, kv, 2 * d.from_to(1, 3), 0.4};
  const Tensor<float> marks = d.once_in(2) ? make_marks(*layout, d.from_to(1, 3)) : Tensor<float>();
  return trial(d, {{layout->rows(), sizes.columns()}}, [=](const Drawn& x) {
    const auto y = attention(x[0], sizes, layout, marks);
    return y.marks.defined() ? concatenate(std::vector{y.out, y.marks}, 1) : y.out;
  });
}

inline void add_product_makers(Makers& to) {
  to["matmul"] = matmul_trial;
  to["linear"] = linear_trial;
  to["gelu_mlp"] = [](Draw& d) {
    const Index n = d.size(), c = d.size(), m = d.size(), o = d.size();
    return trial(d, {{n, c}, {m, c}, {m}, {o, m}, {o}},
                 [](const Drawn& x) { return gelu_mlp(x[0], x[1], x[2], x[3], x[4]); });
  };
  to["einsum"] = einsum_trial;
  to["attention"] = attention_trial;
  to["unfold"] = [](Draw& d) {
    const Window w = random_window(d);
    const Shape s{d.size(2), d.from_to(1, 2), d.from_to(w.kernel_h, 5), d.from_to(w.kernel_w, 5)};
    return trial(d, {s}, [=](const Drawn& x) { return unfold(x[0], w); });
  };
  to["conv2d"] = [](Draw& d) {
    const Window w = random_window(d);
    const Index in = d.from_to(1, 2), out = d.from_to(1, 3);
    const Shape s{d.size(2), in, d.from_to(w.kernel_h, 5), d.from_to(w.kernel_w, 5)};
    return trial(d, {s, {out, in, w.kernel_h, w.kernel_w}, {out}},
                 [=](const Drawn& x) { return conv2d(x[0], x[1], x[2], w); });
  };
}

inline void add_row_makers(Makers& to) {
  to["rms_norm"] = [](Draw& d) {
    const Index n = d.size(6), c = d.from_to(1, 6);
    return trial(d, {{n, c}, {c}}, [](const Drawn& x) { return rms_norm(x[0], x[1], 0.1); });
  };
  to["layer_norm"] = [](Draw& d) {
    const Index n = d.size(6), c = d.from_to(1, 6);
    return trial(d, {{n, c}, {c}, {c}},
                 [](const Drawn& x) { return layer_norm(x[0], x[1], x[2], 0.1); });
  };
  to["gather_rows"] = [](Draw& d) {
    const Index rows = d.size(), c = d.size(), n = d.size(6);
    const auto index = spread({n}, d.indices(n, rows));
    return trial(d, {{rows, c}}, [=](const Drawn& x) { return gather_rows(x[0], index); });
  };
  to["scatter_add_rows"] = [](Draw& d) {
    const Index rows = d.size(), c = d.size(), n = d.size(6);
    const auto index = spread({n}, d.indices(n, rows));
    return trial(d, {{n, c}}, [=](const Drawn& x) { return scatter_add_rows(x[0], index, rows); });
  };
  to["embedding"] = [](Draw& d) {
    const Index rows = d.size(), c = d.size();
    const Shape ids = d.shape(0, 3, 3);
    const auto index = spread(ids, d.indices(ids.numel(), rows));
    return trial(d, {{rows, c}}, [=](const Drawn& x) { return embedding(x[0], index); });
  };
  to["rotary"] = [](Draw& d) {
    const Index n = d.size(5), heads = d.from_to(1, 3), size = 2 * d.from_to(1, 3);
    const Index more = d.below(4);
    std::vector<std::int32_t> places;
    for (Index i = 0; i < n; ++i) places.push_back(static_cast<std::int32_t>(d.below(50)));
    const auto position = spread({n}, places);
    return trial(d, {{n, heads * size + more}},
                 [=](const Drawn& x) { return rotary(fresh(x[0]), heads, size, 100.0, position); });
  };
  to["swiglu"] = [](Draw& d) {
    return trial(d, {{d.size(), 2 * d.size()}}, [](const Drawn& x) { return swiglu(x[0]); });
  };
  to["linear_logprob"] = [](Draw& d) {
    const Index n = d.size(5), c = d.size(), v = d.from_to(1, 6);
    const auto target = spread({n}, d.indices(n, v));
    const double temperature = 0.5 * static_cast<double>(d.from_to(1, 4));
    return trial(d, {{n, c}, {v, c}}, [=](const Drawn& x) {
      const auto y = linear_logprob(x[0], x[1], target, temperature);
      return concatenate(std::vector{y.logp, y.entropy}, 0);
    });
  };
  to["cross_entropy"] = [](Draw& d) {
    const Index n = d.from_to(1, 5), v = d.from_to(1, 6);
    auto drawn = d.indices(n, v);
    drawn.front() = 0;  // the mean of no target is an error
    const auto target = spread({n}, drawn);
    return trial(d, {{n, v}}, [=](const Drawn& x) { return cross_entropy(x[0], target); });
  };
  to["checkpoint"] = [](Draw& d) {
    const Index n = d.size(), c = d.size(), o = d.size();
    return trial(d, {{n, c}, {o, c}}, [](const Drawn& x) {
      const auto f = [w = x[1]](const D& in) { return tanh(linear(in, w)); };
      return square(checkpoint(f, x[0]));
    });
  };
}

/// Makers of trials by operation.
inline const Makers& random_trials() {
  static const Makers makers = [] {
    Makers m;
    add_elementwise_makers(m);
    add_view_makers(m);
    add_axis_makers(m);
    add_product_makers(m);
    add_row_makers(m);
    return m;
  }();
  return makers;
}

}  // namespace gaze::test
