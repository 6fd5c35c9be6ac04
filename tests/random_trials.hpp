// SPDX-License-Identifier: MIT
// Random trials of every differentiable operation: shapes, broadcasts, strides (slices of larger
// leaves with permuted dimensions), empty sizes, axes, indices, layouts and einsum equations are
// drawn. op_cases.hpp has the hand-written cases.
#pragma once
#include <map>

#include "tests/op_cases.hpp"

namespace gaze::test {

/// One trial: shapes of its leaves, and the function of them.
struct Trial {
  std::vector<Shape> leaves;
  Function<double> f;
  double low = -2, high = 2;
  bool views = false, empty = false;  // is any input a view, or empty?
};

using D = Tensor<double>;
using Drawn = Inputs<double>;

/// Draws everything from counted random numbers.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed, Purpose::test) {}

  Index below(Index n) {
    return static_cast<Index>(random_.below(static_cast<std::uint64_t>(n), 7, count_++));
  }
  Index from_to(Index low, Index high) { return low + below(high - low + 1); }
  bool once_in(Index n) { return below(n) == 0; }
  /// A size: 1 to `most`, now and then 0.
  Index size(Index most = 4) { return once_in(12) ? 0 : from_to(1, most); }
  Shape shape(int low_rank, int high_rank, Index most = 4) {
    Shape s = Shape::filled(static_cast<int>(from_to(low_rank, high_rank)), 1);
    for (int i = 0; i < s.rank(); ++i) s[i] = size(most);
    return s;
  }
  int axis(const Shape& s) { return static_cast<int>(below(s.rank())); }
  /// A random subset of the axes.
  Shape axes(const Shape& s) {
    Shape out = Shape::filled(s.rank(), 0);
    int n = 0;
    for (int i = 0; i < s.rank(); ++i)
      if (once_in(2)) out[n++] = once_in(2) ? i : i - s.rank();
    Shape some = Shape::filled(n, 0);
    std::copy_n(out.begin(), n, &some[0]);
    return some;
  }
  /// A permutation of n dimensions.
  std::vector<int> order(int n) {
    std::vector<int> out(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) out[static_cast<std::size_t>(i)] = i;
    shuffle(out, random_, count_++);
    return out;
  }
  std::vector<std::int32_t> indices(Index count, Index rows) {
    std::vector<std::int32_t> out;
    for (Index i = 0; i < count; ++i)
      out.push_back(static_cast<std::int32_t>(rows == 0 ? -1 : from_to(-1, rows - 1)));
    return out;
  }
  /// A mask of 0 and 1.
  Indices<Cpu> mask(const Shape& s) {
    Indices<Cpu> m(s);
    for (Index i = 0; i < s.numel(); ++i) m.data()[i] = static_cast<std::int32_t>(below(2));
    return m;
  }
  /// A shape that broadcasts to s: some sizes 1, some leading ones dropped.
  Shape stretching(const Shape& s) {
    const int drop = once_in(3) ? static_cast<int>(below(s.rank() + 1)) : 0;
    Shape out = Shape::filled(s.rank() - drop, 1);
    for (int i = 0; i < out.rank(); ++i)
      if (!once_in(3)) out[i] = s[i + drop];
    return out;
  }

 private:
  Philox random_;
  std::uint64_t count_ = 0;
};

/// Position of an input in its leaf: the whole leaf, or a slice with permuted dimensions.
struct Lie {
  Shape leaf, wanted, begin, order;
  bool plain = true;

  Lie(Draw& draw, const Shape& shape) : leaf(shape), wanted(shape) {
    plain = shape.rank() == 0 || draw.once_in(3);
    if (plain) return;
    begin = order = Shape::filled(shape.rank(), 0);
    const auto turned = draw.order(shape.rank());
    for (int j = 0; j < shape.rank(); ++j) {
      const int to = turned[static_cast<std::size_t>(j)];
      begin[j] = draw.below(2);
      leaf[j] = shape[to] + begin[j] + draw.below(2);
      order[to] = j;
    }
  }
  D operator()(D x) const {
    if (plain) return x;
    for (int i = 0; i < wanted.rank(); ++i) {
      const int j = static_cast<int>(order[i]);
      x = slice(x, j, begin[j], begin[j] + wanted[i]);
    }
    return permute(x, order);
  }
};

/// A trial of f with inputs of these shapes, each placed in its leaf at random.
inline Trial trial(Draw& draw, const std::vector<Shape>& shapes, Function<double> f,
                   double low = -2, double high = 2) {
  Trial t;
  std::vector<Lie> lies;
  for (const Shape& s : shapes) {
    lies.emplace_back(draw, s);
    t.leaves.push_back(lies.back().leaf);
    t.views |= !lies.back().plain;
    t.empty |= s.numel() == 0;
  }
  t.f = [lies, f = std::move(f)](const Drawn& x) {
    Drawn seen;
    for (std::size_t i = 0; i < lies.size(); ++i) seen.push_back(lies[i](x[i]));
    return f(seen);
  };
  t.low = low;
  t.high = high;
  return t;
}

using Maker = std::function<Trial(Draw&)>;
using Makers = std::map<std::string, Maker>;

/// Moves inputs off the places where a function has a kink: they are multiples of 1/4096.
inline D off_grid(const D& x) { return add(x, D::scalar(1.0 / 8192)); }

inline void add_elementwise_makers(Makers& to) {
  const auto binary = [&](const std::string& op, auto f, double low, double high) {
    to[op] = [=](Draw& d) {
      const Shape s = d.shape(0, 3);
      const bool first = d.once_in(2);
      const Shape a = first ? d.stretching(s) : s, b = first ? s : d.stretching(s);
      return trial(
          d, {a, b}, [=](const Drawn& x) { return f(x[0], x[1]); }, low, high);
    };
  };
  binary(
      "add", [](const D& a, const D& b) { return add(a, b); }, -2, 2);
  binary(
      "sub", [](const D& a, const D& b) { return sub(a, b); }, -2, 2);
  binary(
      "mul", [](const D& a, const D& b) { return mul(a, b); }, -2, 2);
  binary(
      "div", [](const D& a, const D& b) { return div(a, b); }, 0.5, 2);
  binary(
      "minimum", [](const D& a, const D& b) { return minimum(a, off_grid(b)); }, -2, 2);
  binary(
      "maximum", [](const D& a, const D& b) { return maximum(off_grid(a), b); }, -2, 2);
  const auto unary = [&](const std::string& op, auto f, double low, double high) {
    to[op] = [=](Draw& d) {
      return trial(
          d, {d.shape(0, 4)}, [=](const Drawn& x) { return f(x[0]); }, low, high);
    };
  };
  unary(
      "exp", [](const D& x) { return exp(x); }, -3, 3);
  unary(
      "log", [](const D& x) { return log(x); }, 0.25, 3);
  unary(
      "sqrt", [](const D& x) { return sqrt(x); }, 0.25, 3);
  unary(
      "rsqrt", [](const D& x) { return rsqrt(x); }, 0.25, 3);
  unary(
      "tanh", [](const D& x) { return tanh(x); }, -3, 3);
  unary(
      "sigmoid", [](const D& x) { return sigmoid(x); }, -5, 5);
  unary(
      "silu", [](const D& x) { return silu(x); }, -5, 5);
  unary(
      "gelu", [](const D& x) { return gelu(x); }, -4, 4);
  unary(
      "gelu_tanh", [](const D& x) { return gelu_tanh(x); }, -4, 4);
  unary(
      "gelu_exact", [](const D& x) { return gelu_exact(x); }, -4, 4);
  unary(
      "erf", [](const D& x) { return erf(x); }, -3, 3);
  unary(
      "square", [](const D& x) { return square(x); }, -2, 2);
  unary(
      "neg", [](const D& x) { return neg(x); }, -2, 2);
  unary(
      "scale", [](const D& x) { return scale(x, -1.5); }, -2, 2);
  unary(
      "relu", [](const D& x) { return relu(off_grid(x)); }, -2, 2);
  unary(
      "abs", [](const D& x) { return abs(off_grid(x)); }, -2, 2);
  unary(
      "clamp", [](const D& x) { return clamp(off_grid(x), -0.5, 1.25); }, -2, 2);
  unary(
      "contiguous", [](const D& x) { return contiguous(x); }, -2, 2);
  unary(
      "cast", [](const D& x) { return cast<double>(square(cast<double>(x))); }, -2, 2);
  to["pow"] = [](Draw& d) {
    const Shape s = d.shape(0, 3), b = d.stretching(s);
    const double p = 0.5 * static_cast<double>(d.from_to(-4, 6));
    if (d.once_in(2))
      return trial(
          d, {s}, [=](const Drawn& x) { return pow(x[0], p); }, 0.25, 2);
    return trial(
        d, {s, b}, [](const Drawn& x) { return pow(x[0], x[1]); }, 0.25, 2);
  };
  to["where"] = [](Draw& d) {
    const Shape s = d.shape(0, 3), a = d.stretching(s), b = d.stretching(s);
    const auto m = d.mask(d.once_in(2) ? s : d.stretching(s));
    return trial(d, {a, b}, [=](const Drawn& x) { return where(m, x[0], square(x[1])); });
  };
  to["masked_fill"] = [](Draw& d) {
    const Shape s = d.shape(0, 3);
    const auto m = d.mask(d.stretching(s));
    return trial(d, {s}, [=](const Drawn& x) { return masked_fill(x[0], m, -1.5); });
  };
}

inline void add_view_makers(Makers& to) {
  to["reshape"] = [](Draw& d) {
    const Shape s = d.shape(2, 4);
    Shape joined = Shape::filled(s.rank() - 1, 0);  // two neighbours become one
    const int at = static_cast<int>(d.below(joined.rank()));
    for (int i = 0; i < joined.rank(); ++i)
      joined[i] = i < at ? s[i] : i == at ? s[i] * s[i + 1] : s[i + 1];
    if (s.numel() > 0 && d.once_in(2)) joined[at] = -1;
    return trial(d, {s}, [=](const Drawn& x) { return reshape(x[0], joined); });
  };
  to["permute"] = [](Draw& d) {
    const Shape s = d.shape(1, 4);
    Shape order = s;
    const auto drawn = d.order(s.rank());
    std::copy(drawn.begin(), drawn.end(), &order[0]);
    return trial(d, {s}, [=](const Drawn& x) { return permute(x[0], order); });
  };
  to["slice"] = [](Draw& d) {
    const Shape s = d.shape(1, 4);
    const int axis = d.axis(s);
    const Index begin = d.from_to(0, s[axis]), end = d.from_to(begin, s[axis]);
    return trial(d, {s}, [=](const Drawn& x) { return slice(x[0], axis, begin, end); });
  };
  to["expand"] = [](Draw& d) {
    const Shape s = d.shape(0, 4), from = d.stretching(s);
    return trial(d, {from}, [=](const Drawn& x) { return expand(x[0], s); });
  };
  to["concatenate"] = [](Draw& d) {
    const Shape s = d.shape(1, 3);
    const int axis = d.axis(s);
    std::vector<Shape> parts(static_cast<std::size_t>(d.from_to(1, 4)), s);
    for (Shape& p : parts) p[axis] = d.size();
    return trial(d, parts, [=](const Drawn& x) { return concatenate(x, axis); });
  };
  to["stack"] = [](Draw& d) {
    const Shape s = d.shape(0, 3);
    const int axis = static_cast<int>(d.from_to(-s.rank() - 1, s.rank()));
    const std::vector<Shape> parts(static_cast<std::size_t>(d.from_to(1, 3)), s);
    return trial(d, parts, [=](const Drawn& x) { return stack(x, axis); });
  };
  to["repeat"] = [](Draw& d) {
    const Shape s = d.shape(0, 3);
    Shape times = Shape::filled(s.rank() + static_cast<int>(d.below(2)), 1);
    for (int i = 0; i < times.rank(); ++i) times[i] = d.size(3);
    return trial(d, {s}, [=](const Drawn& x) { return repeat(x[0], times); });
  };
  to["pad"] = [](Draw& d) {
    const Shape s = d.shape(0, 3);
    Shape before = s, after = s;
    for (int i = 0; i < s.rank(); ++i) before[i] = d.below(3), after[i] = d.below(3);
    return trial(d, {s}, [=](const Drawn& x) { return pad(x[0], before, after, 0.5); });
  };
}

inline void add_axis_makers(Makers& to) {
  const auto reduced = [&](const std::string& op, auto f) {
    to[op] = [=](Draw& d) {
      Shape s = d.shape(1, 4);
      const Shape axes = d.axes(s);
      for (const Index a : axes) {  // the mean or maximum of no elements is an error
        Index& n = s[static_cast<int>(a < 0 ? a + s.rank() : a)];
        n = std::max<Index>(n, 1);
      }
      return trial(d, {s}, [=](const Drawn& x) { return f(x[0], axes); });
    };
  };
  reduced("sum", [](const D& x, const Shape& axes) { return sum(x, axes); });
  reduced("mean", [](const D& x, const Shape& axes) { return mean(x, axes); });
  reduced("variance", [](const D& x, const Shape& axes) { return variance(x, axes); });
  reduced("max", [](const D& x, const Shape& axes) { return max(x, axes); });
  reduced("min", [](const D& x, const Shape& axes) { return min(x, axes); });
  reduced("logsumexp", [](const D& x, const Shape& axes) { return logsumexp(x, axes); });
  const auto along = [&](const std::string& op, auto f) {
    to[op] = [=](Draw& d) {
      const Shape s = d.shape(1, 4);
      const int axis = d.axis(s);
      return trial(d, {s}, [=](const Drawn& x) { return f(x[0], axis); });
    };
  };
  along("softmax", [](const D& x, int axis) { return softmax(x, axis); });
  along("log_softmax", [](const D& x, int axis) { return log_softmax(x, axis); });
  along("cumsum", [](const D& x, int axis) { return cumsum(x, axis); });
  to["sort"] = [](Draw& d) {
    const Shape s = d.shape(1, 3);
    const int axis = d.axis(s);
    const bool down = d.once_in(2);
    return trial(d, {s}, [=](const Drawn& x) { return sort(x[0], axis, down).values; });
  };
  to["topk"] = [](Draw& d) {
    const Shape s = d.shape(1, 3);
    const int axis = d.axis(s);
    const Index k = d.from_to(0, s[axis]);
    return trial(d, {s}, [=](const Drawn& x) { return topk(x[0], k, axis).values; });
  };
  to["gather"] = [](Draw& d) {
    const Shape s = d.shape(1, 3);
    const int axis = d.axis(s);
    Shape taken = s;
    taken[axis] = d.size();
    const auto index = spread(taken, d.indices(taken.numel(), s[axis]));
    return trial(d, {s}, [=](const Drawn& x) { return gather(x[0], axis, index); });
  };
  to["scatter_add"] = [](Draw& d) {
    const Shape s = d.shape(1, 3);
    const int axis = d.axis(s);
    const Index size = d.size();
    const auto index = spread(s, d.indices(s.numel(), size));
    return trial(d, {s}, [=](const Drawn& x) { return scatter_add(x[0], axis, index, size); });
  };
}

}  // namespace gaze::test
