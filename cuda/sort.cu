// SPDX-License-Identifier: MIT
// Launches the kernels of sort.cuh.
#include "cuda/sort.cuh"

#include <utility>

#include "cuda/kernels.hpp"

namespace gaze::cuda {

/// Merge sort of the places of each row: log2(n) passes between two buffers.
template <class T>
void order_rows(Index rows, Index n, Index k, bool descending, const T* x, std::int32_t* index) {
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

template <class T>
void best_in_rows(Index rows, Index n, bool greatest, const T* x, std::int32_t* best) {
  if (rows <= 0) return;
  launch(block_per_row("best_in_rows", rows, n), best_in_rows_kernel<T>, rows, n, greatest, x,
         best);
}

GAZE_SORT_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_SORT_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_SORT_KERNELS(GAZE_INSTANTIATE_KERNEL, std::int32_t)

}  // namespace gaze::cuda
