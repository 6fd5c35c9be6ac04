// SPDX-License-Identifier: MIT
// Kernels<Cpu>: the processor's side of the kernel contract. float runs on the vector kernels of
// the instruction set in use, double on readable loops (the oracle, and for gradient checks).
#pragma once
#include "gaze/core/arithmetic.hpp"
#include "gaze/cpu/isa.hpp"
#include "gaze/kernels/contract.hpp"
#ifndef GAZE_CPU_COMPILED
#include "gaze/cpu/adamw.hpp"
#include "gaze/cpu/attention.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/gemm.hpp"
#include "gaze/cpu/reduce.hpp"
#include "gaze/cpu/rows.hpp"
#include "gaze/cpu/select.hpp"
#include "gaze/cpu/sort.hpp"
#include "gaze/cpu/strided.hpp"
#include "gaze/cpu/values.hpp"
#endif

/// The CPU's kernels with their types, for explicit instantiations.
#define GAZE_CPU_KERNELS(KERNEL)              \
  GAZE_ANY_TYPE_KERNELS(KERNEL, float)        \
  GAZE_ANY_TYPE_KERNELS(KERNEL, double)       \
  GAZE_ANY_TYPE_KERNELS(KERNEL, std::int32_t) \
  GAZE_FLOATING_KERNELS(KERNEL, float)        \
  GAZE_FLOATING_KERNELS(KERNEL, double)       \
  GAZE_PRODUCT_KERNELS(KERNEL, bf16)          \
  GAZE_ROUNDING_KERNELS(KERNEL, float)        \
  GAZE_ROUNDED_ROW_KERNELS(KERNEL, float)

#ifdef GAZE_CPU_COMPILED  // in cmake/cpu_kernels.cpp, once for a program of many files
namespace gaze::cpu {
GAZE_KERNELS(GAZE_DECLARE_KERNEL, T)
GAZE_CPU_KERNELS(GAZE_EXTERN_KERNEL)
}  // namespace gaze::cpu
#endif

namespace gaze {

namespace cpu::detail {

/// Counts the arithmetic of a kernel call (core/arithmetic.hpp), which only matrix products and
/// attention have.
template <class... Arguments>
void count_call(const Arguments&...) {}

template <class T>
void count_call(const args::Gemm<T>& a) {
  count_arithmetic(2 * a.m * a.n * a.k);
}
template <class T>
void count_call(const args::GemmBatched<T>& a) {
  count_arithmetic(2 * a.m * a.n * a.k * a.count);
}
template <class T>
void count_call(const args::LinearGeluForward<T>& a) {
  count_arithmetic(2 * a.m * a.n * a.k);
}
template <class T>
void count_call(const args::LinearGeluBackward<T>& a) {
  count_arithmetic(2 * a.m * a.n * a.k);
}
template <class T>
Index query_key_products(const args::AttentionInputs<T>& in) {
  return seen_keys(in.n, in.seen.ranges) * in.shape.heads * in.shape.head_size;
}
template <class T>
void count_call(const args::AttentionForward<T>& a) {
  count_arithmetic(4 * query_key_products(a.in));
}
template <class T>
void count_call(const args::AttentionBackward<T>& a) {
  count_arithmetic(10 * query_key_products(a.in));
}

}  // namespace cpu::detail

#define GAZE_FORWARD_KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS) \
  template <class T>                                             \
  static RESULT NAME PARAMETERS {                                \
    cpu::detail::count_call ARGUMENTS;                           \
    return cpu::NAME ARGUMENTS;                                  \
  }

template <>
struct Kernels<Cpu> {
  GAZE_KERNELS(GAZE_FORWARD_KERNEL, T)
};

#undef GAZE_FORWARD_KERNEL

static_assert(KernelSet<Kernels<Cpu>, float> && KernelSet<Kernels<Cpu>, double> &&
              Bf16Kernels<Kernels<Cpu>>);

}  // namespace gaze
