// SPDX-License-Identifier: MIT
// Sums on the CPU, and reductions and scans along the rows of x [R, n]: variance, softmax,
// logsumexp, cumsum. Sums go over fixed pieces, or over a row in double, in ascending order, so the
// bits never depend on threads.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/loops.hpp"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cpu {

namespace reference {

template <class T>
T sum_piece(Index n, const T* x) {
  T total = 0;
  for (Index i = 0; i < n; ++i) total += x[i];
  return total;
}

template <class T>
T sum_squares_piece(Index n, const T* x) {
  T total = 0;
  for (Index i = 0; i < n; ++i) total += x[i] * x[i];
  return total;
}

}  // namespace reference

namespace detail {

/// The sum of piece(begin, count) over fixed pieces of 4096 elements, in ascending order.
template <class Piece>
double sum_pieces(Index n, Piece&& piece) {
  constexpr Index size = 4096;
  thread_local std::vector<double> values;
  values.assign(static_cast<std::size_t>((n + size - 1) / size), 0.0);
  double* const first = values.data();  // the calling thread's vector, in every thread
  const Index pieces = static_cast<Index>(values.size());
  parallel_for(pieces, element_grain / size, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p)
      first[p] = static_cast<double>(piece(p * size, std::min(size, n - p * size)));
  });
  double total = 0;
  for (Index p = 0; p < pieces; ++p) total += first[p];
  return total;
}

template <class T>
double row_mean(const T* x, Index n) {
  double total = 0;
  for (Index j = 0; j < n; ++j) total += static_cast<double>(x[j]);
  return total / static_cast<double>(n);
}

/// e^(x - row_max) of some rows and its sums, row_max being 0 where the maximum is infinite: the
/// common part of softmax and logsumexp.
template <class T>
struct ShiftedExp {
  std::vector<T> row_max;
  std::vector<double> total;

  ShiftedExp(Index rows, Index n, const T* x, T* values)
      : row_max(static_cast<std::size_t>(rows)), total(row_max.size()) {
    for (Index r = 0; r < rows; ++r) {
      const T *const in = x + r * n, max = n ? *std::max_element(in, in + n) : T(0);
      const T shift = row_max[static_cast<std::size_t>(r)] = std::isfinite(max) ? max : T(0);
      for (Index j = 0; j < n; ++j) values[r * n + j] = in[j] - shift;
    }
    unary_forward(
        args::UnaryForward<T>{.op = UnaryOp::exp, .n = rows * n, .x = values, .y = values});
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
  const Index step = row_grain(n);
  parallel_for(rows, step, [&](Index begin, Index end) {
    for (; begin < end; begin += step)
      f(begin, ShiftedExp<T>(std::min(step, end - begin), n, x + begin * n, values + begin * n));
  });
}

}  // namespace detail

/// The sum of all elements; pieces of 4096 in T, their sum in double.
template <class T>
double sum(Index n, const T* x) {
  return detail::sum_pieces(
      n, [&](Index i, Index count) { return GAZE_PICK(sum_piece, count, x + i); });
}

/// The sum of all squares, in the order of sum().
template <class T>
double sum_squares(Index n, const T* x) {
  return detail::sum_pieces(
      n, [&](Index i, Index count) { return GAZE_PICK(sum_squares_piece, count, x + i); });
}

/// y[0] = sum(x).
template <class T>
void sum_to(Index n, const T* x, T* y) {
  *y = static_cast<T>(sum(n, x));
}

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

/// Writes dx = 2 dy inverse (x - mean).
template <class T>
void variance_backward(Index rows, Index n, T inverse, const T* x, const T* dy, T* dx) {
  detail::for_each_row(rows, n, [=](Index r) {
    const T center = static_cast<T>(detail::row_mean(x + r * n, n));
    const T factor = 2 * inverse * dy[r];
    for (Index j = r * n; j < (r + 1) * n; ++j) dx[j] = factor * (x[j] - center);
  });
}

/// y[r] = log sum e^x, without overflow; -inf of no elements.
template <class T>
void logsumexp_forward(Index rows, Index n, const T* x, T* y) {
  const Index step = detail::row_grain(n);
  parallel_for(rows, step, [=](Index begin, Index end) {
    std::vector<T> values(static_cast<std::size_t>(std::min(step, end - begin) * n));
    for (; begin < end; begin += step) {
      const Index count = std::min(step, end - begin);
      const detail::ShiftedExp<T> e(count, n, x + begin * n, values.data());
      for (Index r = 0; r < count; ++r) {
        const auto i = static_cast<std::size_t>(r);
        y[begin + r] = e.row_max[i] + static_cast<T>(std::log(e.total[i]));
      }
    }
  });
}

/// Writes dx = dy softmax(x), 0 for a row of only -inf.
template <class T>
void logsumexp_backward(Index rows, Index n, const T* x, const T* dy, T* dx) {
  detail::with_shifted_exp(rows, n, x, dx, [=](Index r, const detail::ShiftedExp<T>& e) {
    for (const double total : e.total) {
      const T factor = total == 0 ? T(0) : static_cast<T>(static_cast<double>(dy[r]) / total);
      for (Index j = r * n; j < (r + 1) * n; ++j) dx[j] *= factor;
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
        for (Index j = r * n; j < (r + 1) * n; ++j) y[j] = x[j] - e.row_max[i] - lse;
      } else {
        const T inverse = static_cast<T>(1 / total);
        for (Index j = r * n; j < (r + 1) * n; ++j) y[j] *= inverse;
      }
    }
  });
}

/// Writes dx = y (dy - sum dy y), or with `log` dx = dy - e^y sum dy.
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
