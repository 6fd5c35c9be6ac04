// SPDX-License-Identifier: MIT
// Along the rows of x [R, n] on the CPU: variance, the best element, softmax, logsumexp, cumsum.
// A row is summed in double in ascending order by one thread, so the bits never depend on threads.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gaze/core/parallel.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/kernels/pointwise.hpp"

namespace gaze::cpu {

namespace detail {

/// Rows of n elements that are worth a thread.
inline Index rows_grain(Index n) { return 16384 / (n + 1) + 1; }

/// Calls f(row) for every row of n elements, in parallel; rows may not share results.
template <class Function>
void for_each_row(Index rows, Index n, Function f) {
  parallel_for(rows, rows_grain(n), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) f(r);
  });
}

template <class T>
double row_mean(const T* x, Index n) {
  double total = 0;
  for (Index j = 0; j < n; ++j) total += static_cast<double>(x[j]);
  return total / static_cast<double>(n);
}

/// e^(x - top) of some rows, top being a row's maximum (0 where that is infinite), and the rows'
/// sums: what softmax and logsumexp are made of.
template <class T>
struct ShiftedExp {
  std::vector<T> top;
  std::vector<double> total;

  ShiftedExp(Index rows, Index n, const T* x, T* values)
      : top(static_cast<std::size_t>(rows)), total(top.size()) {
    for (Index r = 0; r < rows; ++r) {
      const T *const in = x + r * n, best = n ? *std::max_element(in, in + n) : T(0);
      const T shift = top[static_cast<std::size_t>(r)] = std::isfinite(best) ? best : T(0);
      for (Index j = 0; j < n; ++j) values[r * n + j] = in[j] - shift;
    }
    unary_forward(UnaryOp::exp, rows * n, static_cast<const T*>(values), values);
    for (Index r = 0; r < rows; ++r) {
      double& sum = total[static_cast<std::size_t>(r)];
      for (Index j = r * n; j < (r + 1) * n; ++j) sum += static_cast<double>(values[j]);
    }
  }
};

/// Calls f(first row, ShiftedExp) for blocks of rows, whose exponentials go to `values` [R, n], in
/// parallel.
template <class T, class Function>
void with_shifted_exp(Index rows, Index n, const T* x, T* values, Function f) {
  const Index step = rows_grain(n);
  parallel_for(rows, step, [&](Index begin, Index end) {
    for (; begin < end; begin += step)
      f(begin, ShiftedExp<T>(std::min(step, end - begin), n, x + begin * n, values + begin * n));
  });
}

}  // namespace detail

/// y[r] = inverse * sum (x - mean)^2; inverse is 1 / (n - correction). Two passes.
template <class T>
void variance_forward(Index rows, Index n, T inverse, const T* x, T* y) {
  detail::for_each_row(rows, n, [=](Index r) {
    const T* const row = x + r * n;
    const double center = detail::row_mean(row, n);
    double squares = 0;
    for (Index j = 0; j < n; ++j) {
      const double d = static_cast<double>(row[j]) - center;
      squares += d * d;
    }
    y[r] = static_cast<T>(squares * static_cast<double>(inverse));
  });
}

/// dx = 2 dy inverse (x - mean), written.
template <class T>
void variance_backward(Index rows, Index n, T inverse, const T* x, const T* dy, T* dx) {
  detail::for_each_row(rows, n, [=](Index r) {
    const T center = static_cast<T>(detail::row_mean(x + r * n, n));
    const T slope = 2 * inverse * dy[r];
    for (Index j = r * n; j < (r + 1) * n; ++j) dx[j] = slope * (x[j] - center);
  });
}

/// best[r] = where row r's greatest (or least) element is: the first of equals, or the first NaN.
/// n is at least 1.
template <class T>
void best_in_rows(Index rows, Index n, bool greatest, const T* x, std::int32_t* best) {
  detail::for_each_row(rows, n, [=](Index r) {
    const T* const row = x + r * n;
    Index at = 0;
    for (Index j = 1; j < n && row[at] == row[at]; ++j)
      if (scalar::displaces(row[j], row[at], greatest)) at = j;
    best[r] = static_cast<std::int32_t>(at);
  });
}

/// y[r] = log sum e^x, without overflow; -inf of no elements.
template <class T>
void logsumexp_forward(Index rows, Index n, const T* x, T* y) {
  const Index step = detail::rows_grain(n);
  parallel_for(rows, step, [=](Index begin, Index end) {
    std::vector<T> values(static_cast<std::size_t>(std::min(step, end - begin) * n));
    for (; begin < end; begin += step) {
      const Index count = std::min(step, end - begin);
      const detail::ShiftedExp<T> e(count, n, x + begin * n, values.data());
      for (Index r = 0; r < count; ++r) {
        const auto i = static_cast<std::size_t>(r);
        y[begin + r] = e.top[i] + static_cast<T>(std::log(e.total[i]));
      }
    }
  });
}

/// dx = dy softmax(x), written; a row of only -inf gets zeros.
template <class T>
void logsumexp_backward(Index rows, Index n, const T* x, const T* dy, T* dx) {
  detail::with_shifted_exp(rows, n, x, dx, [=](Index r, const detail::ShiftedExp<T>& e) {
    for (const double total : e.total) {
      const T slope = total == 0 ? T(0) : static_cast<T>(static_cast<double>(dy[r]) / total);
      for (Index j = r * n; j < (r + 1) * n; ++j) dx[j] *= slope;
      ++r;
    }
  });
}

/// y = e^x / sum e^x along each row, or with `log` x - log sum e^x. y may not be x.
template <class T>
void softmax_forward(bool log, Index rows, Index n, const T* x, T* y) {
  detail::with_shifted_exp(rows, n, x, y, [=](Index r, const detail::ShiftedExp<T>& e) {
    for (std::size_t i = 0; i < e.total.size(); ++i, ++r) {
      const double total = scalar::softmax_total(e.total[i]);
      if (log) {
        const T lse = static_cast<T>(std::log(total));
        for (Index j = r * n; j < (r + 1) * n; ++j) y[j] = x[j] - e.top[i] - lse;
      } else {
        const T inverse = static_cast<T>(1 / total);
        for (Index j = r * n; j < (r + 1) * n; ++j) y[j] *= inverse;
      }
    }
  });
}

/// dx = y (dy - sum dy y), or with `log` dx = dy - e^y sum dy; written.
template <class T>
void softmax_backward(bool log, Index rows, Index n, const T* y, const T* dy, T* dx) {
  detail::for_each_row(rows, n, [=](Index r) {
    const Index begin = r * n, end = begin + n;
    double sum = 0;
    if (log) {
      for (Index j = begin; j < end; ++j) sum += static_cast<double>(dy[j]);
      for (Index j = begin; j < end; ++j) dx[j] = dy[j] - std::exp(y[j]) * static_cast<T>(sum);
    } else {
      for (Index j = begin; j < end; ++j) sum += static_cast<double>(dy[j] * y[j]);
      for (Index j = begin; j < end; ++j) dx[j] = y[j] * (dy[j] - static_cast<T>(sum));
    }
  });
}

/// y[j] = x[0] + ... + x[j] along each row, or from the other end; summed in double.
template <class T>
void cumsum(Index rows, Index n, bool from_end, const T* x, T* y) {
  detail::for_each_row(rows, n, [=](Index r) {
    double total = 0;
    for (Index i = 0; i < n; ++i) {
      const Index j = r * n + (from_end ? n - 1 - i : i);
      y[j] = static_cast<T>(total += static_cast<double>(x[j]));
    }
  });
}

}  // namespace gaze::cpu
