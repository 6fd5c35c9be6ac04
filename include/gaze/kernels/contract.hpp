// SPDX-License-Identifier: MIT
// The kernel contract: raw pointers and sizes, no Tensor. Operations call
// Kernels<Device>::gemm(...).
//
// Each family's header (elementwise.hpp, rows.hpp, ...) has its argument structs and one macro that
// lists its kernels as KERNEL(result, name, (parameters), (arguments)). These lists are the only
// place where signatures are written out. They make:
//   - a device's declarations    namespace gaze::cuda { GAZE_KERNELS(GAZE_DECLARE_KERNEL, T) }
//   - its members of Kernels<>   GAZE_KERNELS(FORWARD, T), FORWARD calling gaze::cuda::name
//   - its explicit instantiations, one line per family and type, where the family is defined
//   - KernelSet, which a device is checked against where its kernels are defined, so that the
//     compiler names a missing kernel there and not in the middle of an operation.
#pragma once
#include <concepts>
#include <cstdint>

#include "gaze/core/device.hpp"
#include "gaze/kernels/adamw.hpp"
#include "gaze/kernels/attention.hpp"
#include "gaze/kernels/elementwise.hpp"
#include "gaze/kernels/gemm.hpp"
#include "gaze/kernels/reduce.hpp"
#include "gaze/kernels/rows.hpp"
#include "gaze/kernels/sampling.hpp"
#include "gaze/kernels/select.hpp"
#include "gaze/kernels/sort.hpp"
#include "gaze/kernels/strided.hpp"
#include "gaze/kernels/values.hpp"

// clang-format off
/// Kernels for values of any type, whole numbers included.
#define GAZE_ANY_TYPE_KERNELS(KERNEL, T) \
  GAZE_VALUE_KERNELS(KERNEL, T)          \
  GAZE_STRIDED_KERNELS(KERNEL, T)        \
  GAZE_SELECT_KERNELS(KERNEL, T)         \
  GAZE_SORT_KERNELS(KERNEL, T)

/// Kernels for float and double only.
#define GAZE_FLOATING_KERNELS(KERNEL, T) \
  GAZE_ELEMENTWISE_KERNELS(KERNEL, T)    \
  GAZE_ROW_KERNELS(KERNEL, T)            \
  GAZE_REDUCE_KERNELS(KERNEL, T)         \
  GAZE_PRODUCT_KERNELS(KERNEL, T)        \
  GAZE_GEMM_KERNELS(KERNEL, T)           \
  GAZE_ATTENTION_KERNELS(KERNEL, T)      \
  GAZE_LOAD_KERNELS(KERNEL, T)           \
  GAZE_ADAMW_KERNELS(KERNEL, T)

/// Every kernel that each device has, for one list of declarations.
#define GAZE_KERNELS(KERNEL, T)    \
  GAZE_ANY_TYPE_KERNELS(KERNEL, T) \
  GAZE_FLOATING_KERNELS(KERNEL, T) \
  GAZE_ROUNDING_KERNELS(KERNEL, T) \
  GAZE_ROUNDED_ROW_KERNELS(KERNEL, T)

/// Kernels that only a device that samples by itself has.
#define GAZE_SAMPLING_KERNELS(KERNEL, T) \
  GAZE_DRAW_KERNELS(KERNEL, T)           \
  GAZE_KEEP_KERNELS(KERNEL, T)

#define GAZE_DECLARE_KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS) \
  template <class T>                                             \
  RESULT NAME PARAMETERS;
#define GAZE_INSTANTIATE_KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS) \
  template RESULT NAME PARAMETERS;
#define GAZE_EXTERN_KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS) \
  extern template RESULT NAME PARAMETERS;
#define GAZE_REQUIRE_KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS) \
  && requires PARAMETERS { { K::NAME ARGUMENTS } -> std::same_as<RESULT>; }
// clang-format on

namespace gaze {

/// A device's kernels as static functions; specialised by each device (cpu/kernels.hpp,
/// cuda/kernels.hpp).
template <class Device>
struct Kernels;

// clang-format off
namespace detail {
template <class K, class T>
concept AnyTypeKernels = true GAZE_ANY_TYPE_KERNELS(GAZE_REQUIRE_KERNEL, T);
template <class K, class T>
concept FloatingKernels = true GAZE_FLOATING_KERNELS(GAZE_REQUIRE_KERNEL, T);
}  // namespace detail

/// Whether K has every kernel for values of the floating-point type T and for whole numbers.
template <class K, class T>
concept KernelSet = detail::AnyTypeKernels<K, T> && detail::AnyTypeKernels<K, std::int32_t> &&
    detail::FloatingKernels<K, T>;

/// Products of operands rounded to bf16, summed in float32.
template <class K>
concept Bf16Kernels = true GAZE_PRODUCT_KERNELS(GAZE_REQUIRE_KERNEL, bf16)
    GAZE_ROUNDING_KERNELS(GAZE_REQUIRE_KERNEL, float)
    GAZE_ROUNDED_ROW_KERNELS(GAZE_REQUIRE_KERNEL, float);

/// Attention on operands rounded to bf16 (queries, keys, values), with float32 results. A device
/// without it keeps attention in float32.
template <class K>
concept Bf16AttentionKernels = K::attention_takes_bf16
    GAZE_ATTENTION_KERNELS(GAZE_REQUIRE_KERNEL, bf16);

/// Sampling without the host.
template <class K>
concept SamplingKernels = true GAZE_DRAW_KERNELS(GAZE_REQUIRE_KERNEL, float)
    GAZE_KEEP_KERNELS(GAZE_REQUIRE_KERNEL, float)
    GAZE_KEEP_KERNELS(GAZE_REQUIRE_KERNEL, std::int32_t);
// clang-format on

}  // namespace gaze
