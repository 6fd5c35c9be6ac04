// SPDX-License-Identifier: MIT
// softmax, log_softmax and cumsum: along one axis, of any rank, same shape out.
#pragma once
#include "gaze/ops/reduce.hpp"

namespace gaze {

namespace detail {

/// dx[r] = f(y, dy, their rows' length) for a result of the same shape that backward keeps.
template <class T, class RowDerivative>
void record_rows(const char* op, Tensor<T>& y, const Tensor<T>& x, RowDerivative f) {
  if (!recorded(x)) return;
  record(
      op, y,
      [f, y = Saved<T, Cpu>(op, y), to = x.node()](const auto& dy) {
        const Tensor<T> out = y.get();
        const Index rows = out.size(0), n = out.size(1);
        Tensor<T> dx(out.shape());
        for_each_row(rows, n, [&](Index r) {
          f(n, out.data() + r * n, dy.data() + r * n, dx.data() + r * n);
        });
        to->take(std::move(dx));
      },
      x);
}

template <class T>
Tensor<T> softmax_rows(const Tensor<T>& x) {
  ShiftedExp<T> e(x);
  Tensor<T> y = std::move(e.values);
  const Index n = x.size(1);
  for_each_row(x.size(0), n, [&](Index r) {
    const T inverse = static_cast<T>(1 / e.total[static_cast<std::size_t>(r)]);
    for (Index j = r * n; j < (r + 1) * n; ++j) y.data()[j] *= inverse;
  });
  record_rows("softmax", y, x, [](Index count, const T* p, const T* dy, T* dx) {
    double dot = 0;
    for (Index j = 0; j < count; ++j) dot += static_cast<double>(dy[j] * p[j]);
    for (Index j = 0; j < count; ++j) dx[j] = p[j] * (dy[j] - static_cast<T>(dot));
  });
  return y;
}

template <class T>
Tensor<T> log_softmax_rows(const Tensor<T>& x) {
  const ShiftedExp<T> e(x);
  Tensor<T> y(x.shape());
  const Index n = x.size(1);
  for_each_row(x.size(0), n, [&](Index r) {
    const auto i = static_cast<std::size_t>(r);
    const T lse = static_cast<T>(std::log(e.total[i]));
    for (Index j = r * n; j < (r + 1) * n; ++j) y.data()[j] = x.data()[j] - e.top[i] - lse;
  });
  record_rows("log_softmax", y, x, [](Index count, const T* log_p, const T* dy, T* dx) {
    double total = 0;
    for (Index j = 0; j < count; ++j) total += static_cast<double>(dy[j]);
    for (Index j = 0; j < count; ++j) dx[j] = dy[j] - std::exp(log_p[j]) * static_cast<T>(total);
  });
  return y;
}

template <class T>
Tensor<T> cumsum_rows(const Tensor<T>& x) {
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T> y(x.shape());
  for_each_row(rows, n, [&](Index r) {
    double total = 0;
    for (Index j = r * n; j < (r + 1) * n; ++j)
      y.data()[j] = static_cast<T>(total += static_cast<double>(x.data()[j]));
  });
  if (recorded(x))
    record(
        "cumsum", y,
        [rows, n, to = x.node()](const auto& dy) {
          Tensor<T> dx({rows, n});
          for_each_row(rows, n, [&](Index r) {
            double total = 0;
            for (Index j = (r + 1) * n; j-- > r * n;)
              dx.data()[j] = static_cast<T>(total += static_cast<double>(dy.data()[j]));
          });
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace detail

/// e^x / sum e^x along an axis. dx = y (dy - sum dy y).
template <class T>
Tensor<T> softmax(const Tensor<T>& x, int axis) {
  const auto plan = detail::plan_axes("softmax", x.shape(), detail::one_axis(axis));
  return detail::from_rows(detail::softmax_rows(detail::rows_of(x, plan)), plan);
}

/// x - log sum e^x along an axis. dx = dy - e^y sum dy.
template <class T>
Tensor<T> log_softmax(const Tensor<T>& x, int axis) {
  const auto plan = detail::plan_axes("log_softmax", x.shape(), detail::one_axis(axis));
  return detail::from_rows(detail::log_softmax_rows(detail::rows_of(x, plan)), plan);
}

/// y[j] = x[0] + ... + x[j] along an axis, summed in double; dx is the same from the other end.
template <class T>
Tensor<T> cumsum(const Tensor<T>& x, int axis) {
  const auto plan = detail::plan_axes("cumsum", x.shape(), detail::one_axis(axis));
  return detail::from_rows(detail::cumsum_rows(detail::rows_of(x, plan)), plan);
}

}  // namespace gaze
