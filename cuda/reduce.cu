// SPDX-License-Identifier: MIT
// Launches the kernels of reduce.cuh.
#include "cuda/reduce.cuh"

#include "cuda/kernels.hpp"

namespace gaze::cuda {

namespace {

/// Room in device memory for the partial sums of n elements.
struct PartialSums {
  Index count;
  Storage<Cuda> storage;

  explicit PartialSums(Index n)
      : count(pieces(n, kSumPiece)), storage(static_cast<std::size_t>(count) * sizeof(double)) {}
  double* data() const { return static_cast<double*>(storage.data()); }
};

template <class T>
double sum_on_device(Index n, const T* x, bool squares) {
  if (n <= 0) return 0;
  const PartialSums partial(n);
  launch({"sum", blocks_for(n, kSumPiece), dim3(kElementThreads)}, sum_pieces_kernel<T>, n, x,
         squares, partial.data());
  if (partial.count > 1)
    launch({"sum", dim3(1), dim3(kElementThreads)}, sum_partials_kernel<double>, partial.count,
           partial.data(), partial.data());
  double sum = 0;
  copy_out(&sum, partial.data(), sizeof(sum));
  return sum;
}

}  // namespace

template <class T>
double sum(Index n, const T* x) {
  return sum_on_device(n, x, false);
}
template <class T>
double sum_squares(Index n, const T* x) {
  return sum_on_device(n, x, true);
}

template <class T>
void sum_to(Index n, const T* x, T* y) {
  const PartialSums partial(n);
  const dim3 threads(kElementThreads);
  if (partial.count > 0)
    launch({"sum_to", blocks_for(n, kSumPiece), threads}, sum_pieces_kernel<T>, n, x, false,
           partial.data());
  launch({"sum_to", dim3(1), threads}, sum_partials_kernel<T>, partial.count, partial.data(), y);
}

template <class T>
void variance_forward(Index rows, Index n, T inverse, const T* x, T* y) {
  if (rows <= 0) return;
  launch(block_per_row("variance_forward", rows, n), variance_forward_kernel<T>, rows, n, inverse,
         x, y);
}
template <class T>
void variance_backward(Index rows, Index n, T inverse, const T* x, const T* dy, T* dx) {
  if (rows <= 0) return;
  launch(block_per_row("variance_backward", rows, n), variance_backward_kernel<T>, rows, n, inverse,
         x, dy, dx);
}

template <class T>
void logsumexp_forward(Index rows, Index n, const T* x, T* y) {
  if (rows <= 0) return;
  launch(block_per_row("logsumexp_forward", rows, n), logsumexp_forward_kernel<T>, rows, n, x, y);
}
template <class T>
void logsumexp_backward(Index rows, Index n, const T* x, const T* dy, T* dx) {
  if (rows <= 0 || n <= 0) return;
  launch(block_per_row("logsumexp_backward", rows, n), logsumexp_backward_kernel<T>, rows, n, x, dy,
         dx);
}

template <class T>
void softmax_forward(bool log, Index rows, Index n, const T* x, T* y) {
  if (rows <= 0 || n <= 0) return;
  launch(block_per_row("softmax_forward", rows, n), softmax_forward_kernel<T>, log, rows, n, x, y);
}
template <class T>
void softmax_backward(bool log, Index rows, Index n, const T* y, const T* dy, T* dx) {
  if (rows <= 0 || n <= 0) return;
  launch(block_per_row("softmax_backward", rows, n), softmax_backward_kernel<T>, log, rows, n, y,
         dy, dx);
}

template <class T>
void cumsum(Index rows, Index n, bool from_end, const T* x, T* y) {
  if (rows <= 0 || n <= 0) return;
  launch({"cumsum", blocks_for(rows, 1), dim3(kCumsumThreads)}, cumsum_kernel<T>, rows, n, from_end,
         x, y);
}

GAZE_REDUCE_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_REDUCE_KERNELS(GAZE_INSTANTIATE_KERNEL, double)

}  // namespace gaze::cuda
