// SPDX-License-Identifier: MIT
// Tensor cores (mma.sync, ldmatrix) and asynchronous copies (cp.async) as functions: PTX on a GPU,
// the same exchange of registers between lanes on the emulator (mma_emulated.hpp).
//
// All lanes of a warp must call them. fragments.hpp has the layouts of fragments and the addresses.
// A float product is three tf32 products: with x = hi + lo, each rounded to tf32's 11 bits,
// a b = hi hi + hi lo + lo hi + O(2^-22).
#pragma once
#include <cstdint>

#include "cuda/device/device.cuh"
#include "cuda/device/fragments.hpp"

namespace gaze::cuda {

/// Operands of 16 x (two units) and (two units) x 8: 16 bf16 or 8 float along k.
struct FragmentA {
  std::uint32_t r[4];
};
struct FragmentB {
  std::uint32_t r[2];
};

}  // namespace gaze::cuda

#ifdef GAZE_CUDA_EMULATED
#include "cuda/emulator/mma_emulated.hpp"
#else

namespace gaze::cuda {

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define GAZE_SM80(...) __VA_ARGS__
#else
#define GAZE_SM80(...) __trap()  // never launched there, see FusedAttention::possible
#endif

__device__ __forceinline__ std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

/// c += a b, bf16.
__device__ __forceinline__ void mma_bf16(float (&c)[4], const FragmentA& a, const FragmentB& b) {
  GAZE_SM80(
      asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                   "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                   : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                   : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1])));
}

/// c += a b, of tf32 values.
__device__ __forceinline__ void mma_tf32(float (&c)[4], const FragmentA& a, const FragmentB& b) {
  GAZE_SM80(
      asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                   "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                   : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                   : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1])));
}

/// The nearest tf32, ties away from zero.
__device__ __forceinline__ std::uint32_t round_tf32(float x) {
  std::uint32_t y = 0;
  GAZE_SM80(asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x)));
  return y;
}

/// Four 8 x 8 matrices of 2-byte elements; lane 8 i + j addresses row j of matrix i (16 bytes).
__device__ __forceinline__ void load_matrices(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}
__device__ __forceinline__ void load_matrices_transposed(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}

/// Copies 16 bytes to shared memory, or zeros where `from` is null; done after wait_copies.
__device__ __forceinline__ void copy_async(void* to, const void* from) {
  GAZE_SM80(asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)),
                         "l"(from ? from : to), "r"(from ? 16 : 0)
                         : "memory"));
}
/// Ends a group of this thread's copies.
__device__ __forceinline__ void commit_copies() {
  GAZE_SM80(asm volatile("cp.async.commit_group;" ::: "memory"));
}
/// Waits until at most the newest N groups of this thread are pending.
template <int N>
__device__ __forceinline__ void wait_copies() {
  GAZE_SM80(asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"));
}

/// 2^x within 2 units in the last place; 0 below 2^-126.
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// Two bf16 in a register, `low` in the lower half.
__device__ __forceinline__ std::uint32_t pack_bf16(float low, float high) {
  std::uint32_t y = 0;
  GAZE_SM80(asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low)));
  return y;
}

#undef GAZE_SM80

}  // namespace gaze::cuda

#endif

namespace gaze::cuda {

namespace detail {

__device__ __forceinline__ float split_tf32(std::uint32_t& bits) {
  const float x = std::bit_cast<float>(bits);
  bits = round_tf32(x);
  return x - std::bit_cast<float>(bits);
}

/// Rounds the values of a fragment to tf32 and returns the remainders, as tf32.
template <class Fragment>
__device__ __forceinline__ Fragment split_tf32(Fragment& f) {
  Fragment low;
  for (int i = 0; i < static_cast<int>(sizeof(f.r) / sizeof(f.r[0])); ++i)
    low.r[i] = round_tf32(split_tf32(f.r[i]));
  return low;
}

}  // namespace detail

/// c += a b; float as three products of tf32, the smallest first.
template <class T>
__device__ __forceinline__ void mma(float (&c)[4], FragmentA a, FragmentB b) {
  if constexpr (sizeof(T) == 2) {
    mma_bf16(c, a, b);
  } else {
    const FragmentA a_low = detail::split_tf32(a);
    const FragmentB b_low = detail::split_tf32(b);
    mma_tf32(c, a_low, b);
    mma_tf32(c, a, b_low);
    mma_tf32(c, a, b);
  }
}

/// A with rows [row, row + 16) of a tile and the 32 bytes from column `col` on.
template <class T, int Columns>
__device__ __forceinline__ FragmentA load_a(const T* tile, int row, int col) {
  const Place p = a_address(lane());
  FragmentA a;
  load_matrices(a.r, tile + tile_offset<T>(Columns, row + p.row, col + p.col * unit_elements<T>));
  return a;
}

/// A with k = rows [row, row + 16) of a bf16 tile and m = columns [col, col + 16).
template <int Columns>
__device__ __forceinline__ FragmentA load_a_columns(const bf16* tile, int row, int col) {
  const Place p = a_columns_address(lane());
  FragmentA a;
  load_matrices_transposed(
      a.r, tile + tile_offset<bf16>(Columns, row + p.row, col + p.col * unit_elements<bf16>));
  return a;
}

/// B with n = rows [row, row + 16) of a tile and k = the 32 bytes from column `col` on: two
/// fragments.
template <class T, int Columns>
__device__ __forceinline__ void load_b_rows(FragmentB (&b)[2], const T* tile, int row, int col) {
  const Place p = b_rows_address(lane());
  std::uint32_t r[4];
  load_matrices(r, tile + tile_offset<T>(Columns, row + p.row, col + p.col * unit_elements<T>));
  for (int i = 0; i < 4; ++i) b[i / 2].r[i % 2] = r[i];
}

/// B with k = one step of rows from `row` on and n = columns [col, col + 16): two fragments, with
/// k in the order of accumulators_as_a.
template <class T, int Columns>
__device__ __forceinline__ void load_b_columns(FragmentB (&b)[2], const T* tile, int row, int col) {
  if constexpr (sizeof(T) == 2) {
    const Place p = b_columns_address(lane());
    std::uint32_t r[4];
    load_matrices_transposed(
        r, tile + tile_offset<T>(Columns, row + p.row, col + p.col * unit_elements<T>));
    for (int i = 0; i < 4; ++i) b[i / 2].r[i % 2] = r[i];
  } else {
    for (int i = 0; i < 4; ++i) {
      const Place p = Fragments<float>::b(lane(), i % 2);
      b[i / 2].r[i % 2] = std::bit_cast<std::uint32_t>(
          tile[tile_offset<T>(Columns, row + float_k_order(p.row), col + i / 2 * 8 + p.col)]);
    }
  }
}

/// Step `step` along k of the accumulators c (tiles of 8 columns) as an A operand.
template <class T, int Tiles>
__device__ __forceinline__ FragmentA accumulators_as_a(const float (&c)[Tiles][4], int step) {
  if constexpr (sizeof(T) == 2) {
    const float(&low)[4] = c[2 * step], (&high)[4] = c[2 * step + 1];
    return {{pack_bf16(low[0], low[1]), pack_bf16(low[2], low[3]), pack_bf16(high[0], high[1]),
             pack_bf16(high[2], high[3])}};
  } else {
    FragmentA a;
    for (int i = 0; i < 4; ++i) a.r[i] = std::bit_cast<std::uint32_t>(c[step][i / 2 + i % 2 * 2]);
    return a;
  }
}

}  // namespace gaze::cuda
