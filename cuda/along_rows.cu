// SPDX-License-Identifier: MIT
// Launches the kernels of along_rows.cuh.
#include "cuda/along_rows.cuh"

#include <utility>

#include "cuda/along_rows.hpp"

namespace gaze::cuda {

namespace {

/// A block per row: one warp for a short row, eight for a long one.
Launch block_per_row(const char* name, Index rows, Index n,
                     std::source_location where = std::source_location::current()) {
  return {name, blocks_for(rows, 1), dim3(n <= 256 ? kWarp : 8 * kWarp), 0, where};
}

}  // namespace

template <class T>
void AlongRowKernels::variance_forward(Index rows, Index n, T inverse, const T* x, T* y) {
  if (rows <= 0) return;
  launch(block_per_row("variance_forward", rows, n), variance_forward_kernel<T>, rows, n, inverse,
         x, y);
}
template <class T>
void AlongRowKernels::variance_backward(Index rows, Index n, T inverse, const T* x, const T* dy,
                                        T* dx) {
  if (rows <= 0) return;
  launch(block_per_row("variance_backward", rows, n), variance_backward_kernel<T>, rows, n, inverse,
         x, dy, dx);
}

template <class T>
void AlongRowKernels::logsumexp_forward(Index rows, Index n, const T* x, T* y) {
  if (rows <= 0) return;
  launch(block_per_row("logsumexp_forward", rows, n), logsumexp_forward_kernel<T>, rows, n, x, y);
}
template <class T>
void AlongRowKernels::logsumexp_backward(Index rows, Index n, const T* x, const T* dy, T* dx) {
  if (rows <= 0 || n <= 0) return;
  launch(block_per_row("logsumexp_backward", rows, n), logsumexp_backward_kernel<T>, rows, n, x, dy,
         dx);
}

template <class T>
void AlongRowKernels::softmax_forward(bool log, Index rows, Index n, const T* x, T* y) {
  if (rows <= 0 || n <= 0) return;
  launch(block_per_row("softmax_forward", rows, n), softmax_forward_kernel<T>, log, rows, n, x, y);
}
template <class T>
void AlongRowKernels::softmax_backward(bool log, Index rows, Index n, const T* y, const T* dy,
                                       T* dx) {
  if (rows <= 0 || n <= 0) return;
  launch(block_per_row("softmax_backward", rows, n), softmax_backward_kernel<T>, log, rows, n, y,
         dy, dx);
}

template <class T>
void AlongRowKernels::cumsum(Index rows, Index n, bool from_end, const T* x, T* y) {
  if (rows <= 0 || n <= 0) return;
  launch({"cumsum", blocks_for(rows, 1), dim3(kRunningThreads)}, cumsum_kernel<T>, rows, n,
         from_end, x, y);
}

template <class T>
void AlongRowKernels::best_in_rows(Index rows, Index n, bool greatest, const T* x,
                                   std::int32_t* best) {
  if (rows <= 0) return;
  launch(block_per_row("best_in_rows", rows, n), best_in_rows_kernel<T>, rows, n, greatest, x,
         best);
}

template <class T>
void AlongRowKernels::gather_elements(Index rows, Index n, Index k, const T* x,
                                      const std::int32_t* index, T* y) {
  for_each("gather_elements", rows * k, GatherElements<T>{n, k, x, index, y});
}
template <class T>
void AlongRowKernels::scatter_add_elements(Index rows, Index n, Index k, const T* x,
                                           const std::int32_t* index, T* y) {
  for_each("scatter_add_elements", rows, ScatterAddElements<T>{n, k, x, index, y});
}

template <class T>
void AlongRowKernels::order_rows(Index rows, Index n, Index k, bool descending, const T* x,
                                 std::int32_t* index) {
  const Index count = rows * n;
  if (count <= 0) return;
  const auto bytes = static_cast<std::size_t>(count) * sizeof(std::int32_t);
  const Storage<Cuda> a(bytes), b(bytes);
  auto *from = static_cast<std::int32_t*>(a.data()), *to = static_cast<std::int32_t*>(b.data());
  for_each("order_rows", count, Places{n, from});
  for (Index width = 1; width < n; width *= 2, std::swap(from, to))
    for_each("order_rows", count, MergeRuns<T>{n, width, descending, x, from, to});
  for_each("order_rows", rows * k, FirstPlaces{n, k, from, index});
}

#define GAZE_INSTANTIATE(T)                                                                    \
  template void AlongRowKernels::variance_forward(Index, Index, T, const T*, T*);              \
  template void AlongRowKernels::variance_backward(Index, Index, T, const T*, const T*, T*);   \
  template void AlongRowKernels::logsumexp_forward(Index, Index, const T*, T*);                \
  template void AlongRowKernels::logsumexp_backward(Index, Index, const T*, const T*, T*);     \
  template void AlongRowKernels::softmax_forward(bool, Index, Index, const T*, T*);            \
  template void AlongRowKernels::softmax_backward(bool, Index, Index, const T*, const T*, T*); \
  template void AlongRowKernels::cumsum(Index, Index, bool, const T*, T*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
#undef GAZE_INSTANTIATE

#define GAZE_INSTANTIATE(T)                                                                 \
  template void AlongRowKernels::best_in_rows(Index, Index, bool, const T*, std::int32_t*); \
  template void AlongRowKernels::gather_elements(Index, Index, Index, const T*,             \
                                                 const std::int32_t*, T*);                  \
  template void AlongRowKernels::scatter_add_elements(Index, Index, Index, const T*,        \
                                                      const std::int32_t*, T*);             \
  template void AlongRowKernels::order_rows(Index, Index, Index, bool, const T*, std::int32_t*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
GAZE_INSTANTIATE(std::int32_t)
#undef GAZE_INSTANTIATE

}  // namespace gaze::cuda
