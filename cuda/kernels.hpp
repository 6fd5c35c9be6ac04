// SPDX-License-Identifier: MIT
// Kernels<Cuda>: the GPU's side of the kernel contract, declared here, compiled in gaze::cuda.
//
//   #include "gaze/gaze.hpp"
//   #include "gaze/cuda/kernels.hpp"
//   gaze::Tensor<float, gaze::Cuda> x = ...;      // all operations, as on the CPU
//
// Pointers are device memory, results are there when the stream has come that far: only what
// returns numbers to the host waits.
#pragma once
#include "cuda/attention.hpp"
#include "cuda/elements.hpp"
#include "cuda/matrix.hpp"
#include "cuda/rows.hpp"
#include "cuda/runtime.hpp"
#include "gaze/kernels/contract.hpp"
#include "gaze/kernels/kernels.hpp"

namespace gaze {

template <>
struct Kernels<Cuda>
    : cuda::ElementKernels, cuda::RowKernels, cuda::MatrixKernels, cuda::AttentionKernels {};

static_assert(KernelSet<Kernels<Cuda>, float> && KernelSet<Kernels<Cuda>, double>);

}  // namespace gaze
