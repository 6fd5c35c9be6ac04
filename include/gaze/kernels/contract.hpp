// SPDX-License-Identifier: MIT
// KernelSet: every kernel that a device must have, with its signature. A device's kernels are
// checked against it where they are defined, so that a missing one is named by the compiler there
// and not by an error in the middle of an operation.
#pragma once
#include <concepts>

#include "gaze/core/bf16.hpp"
#include "gaze/core/shape.hpp"
#include "gaze/kernels/attention_layout.hpp"
#include "gaze/kernels/patches.hpp"
#include "gaze/kernels/settings.hpp"

namespace gaze {

namespace detail {

/// Arguments of every kind, for the requirements below.
template <class T>
struct KernelArguments {
  bool flag;
  Index n;
  T x;
  const T* in;
  T* out;
  const float* marks;
  const std::int32_t* ids;
  std::int32_t* places;
  const Index* begins;
  const KeyRange* ranges;
  AttentionShape attention;
  Shape shape;
  PatchGrid grid;
  ValueCheck check;
  MatrixBatch<const T> batch_in;
  MatrixBatch<T> batch_out;
};

template <class K, class T>
concept MatrixKernels = requires(KernelArguments<T> a) {
  K::gemm(a.flag, a.flag, a.n, a.n, a.n, a.in, a.n, a.in, a.n, a.out, a.n, a.flag, a.in);
  K::gemm_batched(a.flag, a.flag, a.n, a.n, a.n, a.n, a.batch_in, a.batch_in, a.batch_out, a.flag,
                  a.flag);
  K::linear_gelu_forward(a.n, a.n, a.n, a.in, a.in, a.in, a.out, a.out);
  K::linear_gelu_backward(a.n, a.n, a.n, a.in, a.in, a.in, a.out);
  K::unfold(a.grid, a.in, a.out);
  K::fold_add(a.grid, a.in, a.out);
};

template <class K, class T>
concept AttentionKernels = requires(KernelArguments<T> a) {
  K::store_keys(a.attention, a.n, a.in, a.n, a.ids, a.out);
  K::store_values(a.attention, a.n, a.in, a.n, a.ids, a.out);
  K::load_rows(a.attention, a.n, a.in, a.ids, a.out, a.n);
  K::attention_forward(a.attention, a.n, a.in, a.n, a.in, a.in, a.marks, a.ranges, a.out, a.out,
                       a.out);
  K::attention_backward(a.attention, a.n, a.in, a.n, a.in, a.in, a.marks, a.ranges, a.begins, a.n,
                        a.in, a.in, a.in, a.in, a.in, a.out, a.out, a.out);
  K::rotary(a.n, a.n, a.n, a.n, a.ids, a.x, a.out, a.flag);
};

template <class K, class T>
concept RowKernels = requires(KernelArguments<T> a) {
  K::rms_norm_forward(a.n, a.n, a.in, a.in, a.x, a.out, a.out);
  K::rms_norm_backward(a.n, a.n, a.in, a.in, a.in, a.in, a.out, a.out, a.flag);
  K::layer_norm_forward(a.n, a.n, a.in, a.in, a.in, a.x, a.out, a.out, a.out);
  K::layer_norm_backward(a.n, a.n, a.in, a.in, a.in, a.in, a.in, a.out, a.out, a.out, a.flag);
  K::softmax_stats(a.n, a.n, a.in, a.n, a.x, a.ids, a.out, a.out, a.out);
  K::softmax_stats_backward(a.n, a.n, a.out, a.n, a.x, a.ids, a.in, a.in, a.in, a.in);
  K::column_sum(a.n, a.n, a.in, a.out);
  K::gather_rows(a.n, a.n, a.in, a.ids, a.out);
  K::scatter_add_rows(a.n, a.n, a.in, a.ids, a.n, a.out);
  K::copy_rows(a.n, a.n, a.in, a.n, a.out, a.n);
};

template <class K, class T>
concept ElementwiseKernels = requires(KernelArguments<T> a) {
  K::add(a.n, a.in, a.in, a.out);
  K::sub(a.n, a.in, a.in, a.out);
  K::mul(a.n, a.in, a.in, a.out);
  K::div(a.n, a.in, a.in, a.out);
  K::scale(a.n, a.x, a.in, a.out);
  K::swiglu_forward(a.n, a.n, a.in, a.out);
  K::swiglu_backward(a.n, a.n, a.in, a.in, a.out);
  { K::sum(a.n, a.in) } -> std::convertible_to<double>;
  { K::sum_squares(a.n, a.in) } -> std::convertible_to<double>;
  K::binary_strided(BroadcastOp::add, a.shape, a.in, a.shape, a.in, a.shape, a.out);
  K::unary_forward(UnaryOp::exp, a.n, a.in, a.out);
  K::unary_backward(UnaryOp::exp, a.n, a.in, a.in, a.in, a.out, a.flag);
  K::pointwise_forward(PointwiseOp::erf, a.n, a.x, a.in, a.out);
  K::pointwise_backward(PointwiseOp::erf, a.n, a.x, a.in, a.in, a.in, a.out);
  K::power_forward(a.n, a.in, a.in, a.out);
  K::power_backward(a.n, a.in, a.in, a.in, a.out, a.out);
  K::sum_to(a.n, a.in, a.out);
};

/// Along the rows of [R, n].
template <class K, class T>
concept AlongRowKernels = requires(KernelArguments<T> a) {
  K::variance_forward(a.n, a.n, a.x, a.in, a.out);
  K::variance_backward(a.n, a.n, a.x, a.in, a.in, a.out);
  K::logsumexp_forward(a.n, a.n, a.in, a.out);
  K::logsumexp_backward(a.n, a.n, a.in, a.in, a.out);
  K::softmax_forward(a.flag, a.n, a.n, a.in, a.out);
  K::softmax_backward(a.flag, a.n, a.n, a.in, a.in, a.out);
  K::cumsum(a.n, a.n, a.flag, a.in, a.out);
};

/// What any type of values has, whole numbers too.
template <class K, class T>
concept ValueKernels = requires(KernelArguments<T> a) {
  K::fill(a.n, a.x, a.out);
  K::fill_from(a.n, a.in, a.out);
  K::copy(a.n, a.in, a.out);
  K::axpy(a.n, a.x, a.in, a.out);
  K::add_strided(a.shape, a.in, a.out, a.shape);
  K::copy_strided(a.shape, a.in, a.shape, a.out);
  K::copy_to_strided(a.shape, a.in, a.out, a.shape);
  K::cast(a.n, a.in, KernelArguments<float>().out);
  K::cast(a.n, a.in, KernelArguments<double>().out);
  K::cast(a.n, a.in, a.places);
  K::check_values(a.n, a.in, a.check, a.out);
  K::compare(CompareOp::less, a.n, a.in, a.in, a.places);
  K::choose(a.n, a.ids, a.in, a.in, a.out);
  K::gather_elements(a.n, a.n, a.n, a.in, a.ids, a.out);
  K::scatter_add_elements(a.n, a.n, a.n, a.in, a.ids, a.out);
  K::order_rows(a.n, a.n, a.n, a.flag, a.in, a.places);
  K::best_in_rows(a.n, a.n, a.flag, a.in, a.places);
};

}  // namespace detail

/// Does K have every kernel for values of type T?
template <class K, class T>
concept KernelSet = detail::MatrixKernels<K, T> && detail::AttentionKernels<K, T> &&
    detail::RowKernels<K, T> && detail::AlongRowKernels<K, T> && detail::ElementwiseKernels<K, T> &&
    detail::ValueKernels<K, T> && detail::ValueKernels<K, std::int32_t>;

/// Products of operands rounded to bf16, with sums in float32.
template <class K>
concept Bf16Kernels = requires(detail::KernelArguments<float> a, detail::KernelArguments<bf16> b) {
  K::gemm(a.flag, a.flag, a.n, a.n, a.n, b.in, a.n, b.in, a.n, a.out, a.n, a.flag, a.in);
  K::cast(a.n, a.in, b.out);
};

/// Attention of operands rounded to bf16 (queries, keys, values), with results in float32. Not
/// every device has it; where it is missing, attention stays in float32.
template <class K>
concept Bf16AttentionKernels = K::attention_takes_bf16 &&
    requires(detail::KernelArguments<float> a, detail::KernelArguments<bf16> b) {
  K::store_keys(a.attention, a.n, b.in, a.n, a.ids, b.out);
  K::store_values(a.attention, a.n, b.in, a.n, a.ids, b.out);
  K::attention_forward(a.attention, a.n, b.in, a.n, b.in, b.in, a.marks, a.ranges, a.out, a.out,
                       a.out);
  K::attention_backward(a.attention, a.n, b.in, a.n, b.in, b.in, a.marks, a.ranges, a.begins, a.n,
                        a.in, a.in, a.in, a.in, a.in, a.out, a.out, a.out);
};

}  // namespace gaze
