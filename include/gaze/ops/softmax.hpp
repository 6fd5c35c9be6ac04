// SPDX-License-Identifier: MIT
// softmax, log_softmax and cumsum: along one axis, of any rank, same shape out.
#pragma once
#include "gaze/ops/reduce.hpp"

namespace gaze {

namespace detail {

/// softmax of rows, or with `log` log_softmax.
template <class T, class Device>
Tensor<T, Device> softmax_rows(const char* op, bool log, const Tensor<T, Device>& x) {
  using K = Kernels<Device>;
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T, Device> y(x.shape());
  K::softmax_forward(log, rows, n, x.data(), y.data());
  if (recorded(x))
    record(
        op, y,
        [log, rows, n, y = Saved<T, Device>(op, y), to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({rows, n});
          K::softmax_backward(log, rows, n, y.data(), dy.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

template <class T, class Device>
Tensor<T, Device> cumsum_rows(const Tensor<T, Device>& x) {
  using K = Kernels<Device>;
  const Index rows = x.size(0), n = x.size(1);
  Tensor<T, Device> y(x.shape());
  K::cumsum(rows, n, false, x.data(), y.data());
  if (recorded(x))
    record(
        "cumsum", y,
        [rows, n, to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({rows, n});
          K::cumsum(rows, n, true, dy.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace detail

/// e^x / sum e^x along an axis. dx = y (dy - sum dy y).
template <class T, class Device>
Tensor<T, Device> softmax(const Tensor<T, Device>& x, int axis) {
  detail::check_defined("softmax", x);
  const auto plan = detail::plan_axes("softmax", x.shape(), detail::one_axis(axis));
  return detail::from_rows(detail::softmax_rows("softmax", false, detail::rows_of(x, plan)), plan);
}

/// x - log sum e^x along an axis. dx = dy - e^y sum dy.
template <class T, class Device>
Tensor<T, Device> log_softmax(const Tensor<T, Device>& x, int axis) {
  detail::check_defined("log_softmax", x);
  const auto plan = detail::plan_axes("log_softmax", x.shape(), detail::one_axis(axis));
  return detail::from_rows(detail::softmax_rows("log_softmax", true, detail::rows_of(x, plan)),
                           plan);
}

/// y[j] = x[0] + ... + x[j] along an axis, summed in double; dx is the same from the other end.
template <class T, class Device>
Tensor<T, Device> cumsum(const Tensor<T, Device>& x, int axis) {
  detail::check_defined("cumsum", x);
  const auto plan = detail::plan_axes("cumsum", x.shape(), detail::one_axis(axis));
  return detail::from_rows(detail::cumsum_rows(detail::rows_of(x, plan)), plan);
}

}  // namespace gaze
