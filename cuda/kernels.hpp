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
#include "cuda/along_rows.hpp"
#include "cuda/attention.hpp"
#include "cuda/elements.hpp"
#include "cuda/gemm/matrix.hpp"
#include "cuda/generate.hpp"
#include "cuda/host/choice.hpp"
#include "cuda/host/graph.hpp"
#include "cuda/host/runtime.hpp"
#include "cuda/linear_gelu.hpp"
#include "cuda/patches.hpp"
#include "cuda/rows.hpp"
#include "cuda/values.hpp"
#include "gaze/kernels/contract.hpp"
#include "gaze/kernels/kernels.hpp"

namespace gaze {

template <>
struct Kernels<Cuda> : cuda::ElementKernels,
                       cuda::ValueKernels,
                       cuda::RowKernels,
                       cuda::AlongRowKernels,
                       cuda::MatrixKernels,
                       cuda::LinearGeluKernels,
                       cuda::BatchKernels,
                       cuda::PatchKernels,
                       cuda::AttentionKernels,
                       cuda::GenerateKernels {
  using Graph = cuda::Graph;

  /// Which of several kernels for the same work are taken, as far as that decides the bits.
  static const char* choice() {
    if (!cuda::kernel_choice.fast) return ", plain kernels";
    if (cuda::kernel_choice.invariant) return ", invariant products";
    return cuda::kernel_choice.split ? ", split attention" : "";
  }
};

static_assert(KernelSet<Kernels<Cuda>, float> && KernelSet<Kernels<Cuda>, double> &&
              Bf16Kernels<Kernels<Cuda>> && Bf16AttentionKernels<Kernels<Cuda>>);

}  // namespace gaze
