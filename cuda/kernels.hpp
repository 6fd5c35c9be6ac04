// SPDX-License-Identifier: MIT
// Kernels<Cuda>: the GPU's side of the kernel contract, compiled in gaze::cuda.
//
//   #include "gaze/gaze.hpp"
//   #include "gaze/cuda/kernels.hpp"
//   gaze::Tensor<float, gaze::Cuda> x = ...;      // all operations, as on the CPU
//
// gaze/kernels/ states what each kernel computes. On this device:
//   - pointers are device memory, except for the places of MatrixBatch, which are host memory;
//   - kernels run one after another in one stream. Only sum and sum_squares wait for the device;
//   - rows and elements whose index is out of range are skipped. Key ranges and groups must have
//     been checked on the host (ops/token_layout.hpp);
//   - keys are stored as values are, [kv_heads][slots][D]: tensor cores and 16-byte loads need
//   rows;
//   - a failed check_values throws when the host next waits for the device (host/report.hpp).
#pragma once
#include <cstdint>
#include <memory>

#include "cuda/host/choice.hpp"
#include "cuda/host/graph.hpp"
#include "cuda/host/runtime.hpp"
#include "gaze/kernels/contract.hpp"

namespace gaze::cuda {

GAZE_KERNELS(GAZE_DECLARE_KERNEL, T)
GAZE_SAMPLING_KERNELS(GAZE_DECLARE_KERNEL, T)

/// Moves n rows on by one token: each position and slot is incremented, and each row sees one more
/// key of its own. Increments *step.
void advance(Index n, std::int32_t* position, std::int32_t* slot, KeyRange* keys,
             std::int32_t* step);

/// The work division of attention on tensor cores (flash/fused_attention.hpp), for RowKeys::plan.
/// `ranges` is host memory; on the device, own ranges may grow by up to `room` keys while the plan
/// is in use.
std::shared_ptr<const void> plan_attention(Index rows, const KeyRange* ranges, Index room);

}  // namespace gaze::cuda

namespace gaze {

template <>
struct Kernels<Cuda> {
  using Graph = cuda::Graph;
  static constexpr bool attention_takes_bf16 = true;

#define GAZE_CALL_CUDA(RESULT, NAME, PARAMETERS, ARGUMENTS) \
  template <class T>                                        \
  static RESULT NAME PARAMETERS {                           \
    return cuda::NAME ARGUMENTS;                            \
  }
  GAZE_KERNELS(GAZE_CALL_CUDA, T)
  GAZE_SAMPLING_KERNELS(GAZE_CALL_CUDA, T)
#undef GAZE_CALL_CUDA

  static void advance(Index n, std::int32_t* position, std::int32_t* slot, KeyRange* keys,
                      std::int32_t* step) {
    cuda::advance(n, position, slot, keys, step);
  }
  static std::shared_ptr<const void> plan_attention(Index rows, const KeyRange* ranges,
                                                    Index room) {
    return cuda::plan_attention(rows, ranges, room);
  }

  /// Name of the selected kernel variants, as far as they decide the bits of a result.
  static const char* choice() {
    if (!cuda::kernel_choice.fast) return ", plain kernels";
    if (cuda::kernel_choice.invariant) return ", invariant products";
    return cuda::kernel_choice.split ? ", split attention" : "";
  }
};

static_assert(KernelSet<Kernels<Cuda>, float> && KernelSet<Kernels<Cuda>, double> &&
              Bf16Kernels<Kernels<Cuda>> && Bf16AttentionKernels<Kernels<Cuda>> &&
              SamplingKernels<Kernels<Cuda>>);

}  // namespace gaze
