// SPDX-License-Identifier: MIT
// The vector kernels, once per instruction set: gaze::simd::generic, ::avx2, ::avx512, ::neon.
//
// Each .inl file below is plain functions with a target attribute (GAZE_FN; GAZE_INLINE for the
// pieces that must be inlined into one). No lambdas, no standard-library calls: such code would be
// compiled without the attribute. Callers start the threads (see cpu/loops.hpp).
#pragma once
#include "gaze/core/bf16.hpp"
#include "gaze/core/index.hpp"
#include "gaze/cpu/isa.hpp"
#include "gaze/kernels/elementwise.hpp"
#include "gaze/kernels/reduce.hpp"
#if GAZE_X86
#include <immintrin.h>
#elif GAZE_NEON
#include <arm_neon.h>
#endif

#define GAZE_KERNEL_FILES "gaze/cpu/simd/all.inl"

/// Unrolls the loop that follows.
#if defined(__clang__)
#define GAZE_UNROLL _Pragma("unroll")
#else
#define GAZE_UNROLL _Pragma("GCC unroll 16")
#endif

#define GAZE_TARGET
#define GAZE_FN inline
#define GAZE_INLINE __attribute__((always_inline)) inline
namespace gaze::simd::generic {
#include "gaze/cpu/simd/vec_generic.inl"
#include GAZE_KERNEL_FILES
}  // namespace gaze::simd::generic
#if GAZE_NEON  // every 64-bit ARM processor has it: no target attribute
namespace gaze::simd::neon {
#include "gaze/cpu/simd/vec_neon.inl"
#include GAZE_KERNEL_FILES
}  // namespace gaze::simd::neon
#endif
#undef GAZE_FN
#undef GAZE_INLINE
#undef GAZE_TARGET

// g++ before 13 warns of the undefined vectors inside its own AVX-512 intrinsics wherever they are
// inlined. A pragma around any function of the chain of inlining silences it, so it is around ours.
#if GAZE_X86 && defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#if GAZE_X86
#define GAZE_TARGET __attribute__((target("avx2,fma")))
#define GAZE_FN GAZE_TARGET inline
#define GAZE_INLINE GAZE_TARGET __attribute__((always_inline)) inline
namespace gaze::simd::avx2 {
#include "gaze/cpu/simd/vec_avx2.inl"
#include GAZE_KERNEL_FILES
}  // namespace gaze::simd::avx2
#undef GAZE_FN
#undef GAZE_INLINE
#undef GAZE_TARGET

#define GAZE_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define GAZE_FN GAZE_TARGET inline
#define GAZE_INLINE GAZE_TARGET __attribute__((always_inline)) inline
namespace gaze::simd::avx512 {
#include "gaze/cpu/simd/vec_avx512.inl"
#include GAZE_KERNEL_FILES

#include "gaze/cpu/simd/round.inl"
}  // namespace gaze::simd::avx512
#undef GAZE_FN
#undef GAZE_INLINE
#undef GAZE_TARGET

// The matrix products of bf16 on processors that multiply it: AVX512_BF16 and AMX.
#define GAZE_TARGET \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,avx2,fma")))
#define GAZE_FN GAZE_TARGET inline
#define GAZE_INLINE GAZE_TARGET __attribute__((always_inline)) inline
#define GAZE_BF16_PAIRS
namespace gaze::simd::avx512_bf16 {
#include "gaze/cpu/simd/vec_avx512.inl"

#include "gaze/cpu/simd/avx512_bf16.inl"
#include "gaze/cpu/simd/gemm.inl"
}  // namespace gaze::simd::avx512_bf16
#undef GAZE_BF16_PAIRS
#undef GAZE_FN
#undef GAZE_INLINE
#undef GAZE_TARGET
#endif

#if GAZE_AMX
#define GAZE_TARGET \
  __attribute__((target("amx-tile,amx-bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define GAZE_FN GAZE_TARGET inline
#define GAZE_INLINE GAZE_TARGET __attribute__((always_inline)) inline
namespace gaze::simd::amx {
#include "gaze/cpu/simd/vec_avx512.inl"

#include "gaze/cpu/simd/amx.inl"
}  // namespace gaze::simd::amx
#undef GAZE_FN
#undef GAZE_INLINE
#undef GAZE_TARGET
#endif
#if GAZE_X86 && defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic pop
#endif
#undef GAZE_KERNEL_FILES
#undef GAZE_UNROLL

/// Calls FUNCTION of the instruction set in use.
#if GAZE_X86
#define GAZE_SIMD(FUNCTION, ...)                                                      \
  (::gaze::isa() == ::gaze::Isa::avx512 ? ::gaze::simd::avx512::FUNCTION(__VA_ARGS__) \
   : ::gaze::isa() == ::gaze::Isa::avx2 ? ::gaze::simd::avx2::FUNCTION(__VA_ARGS__)   \
                                        : ::gaze::simd::generic::FUNCTION(__VA_ARGS__))
#elif GAZE_NEON
#define GAZE_SIMD(FUNCTION, ...)                                                  \
  (::gaze::isa() == ::gaze::Isa::neon ? ::gaze::simd::neon::FUNCTION(__VA_ARGS__) \
                                      : ::gaze::simd::generic::FUNCTION(__VA_ARGS__))
#else
// Only one set, but a GAZE_ISA that names another is still an error.
#define GAZE_SIMD(FUNCTION, ...) \
  (static_cast<void>(::gaze::isa()), ::gaze::simd::generic::FUNCTION(__VA_ARGS__))
#endif
