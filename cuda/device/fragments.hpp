// SPDX-License-Identifier: MIT
// Layout of matrix elements in the registers of a warp (PTX ISA, "Matrix fragments for
// mma.m16n8k16" and "m16n8k8", "ldmatrix"), and of a tile in shared memory. All of it is constexpr,
// shared by device and host, and checked over all lanes in tests/test_cuda_fragments.cpp.
//
// One step of a product consumes 32 bytes of a row of A and of B, for both types: 16 bf16 or 8
// float (as tf32). So in units of 16 bytes, one row of ldmatrix, both types have the same layout.
#pragma once
#include <cstdint>

#include "gaze/core/bf16.hpp"

namespace gaze::cuda {

inline constexpr int kLanes = 32;  ///< threads of a warp
inline constexpr int kUnit = 16;   ///< bytes of one ldmatrix row and of one asynchronous copy

/// Elements of T in a unit, and in one step along k of mma.sync (two units).
template <class T>
inline constexpr int unit_elements = kUnit / static_cast<int>(sizeof(T));
template <class T>
inline constexpr int step_elements = 2 * unit_elements<T>;

/// Row and column of a matrix element: of A (m, k), of B (k, n), of C (m, n).
struct Place {
  int row, col;
  friend constexpr bool operator==(const Place&, const Place&) = default;
};

template <class T>
struct Fragments;

/// mma.sync.m16n8k16, bf16 operands: two per register, the lower column in its lower half.
template <>
struct Fragments<bf16> {
  static constexpr int k = 16, a_values = 8, b_values = 4;
  static constexpr Place a(int lane, int i) {
    return {lane / 4 + i / 2 % 2 * 8, lane % 4 * 2 + i % 2 + i / 4 * 8};
  }
  static constexpr Place b(int lane, int i) { return {lane % 4 * 2 + i % 2 + i / 2 * 8, lane / 4}; }
};

/// mma.sync.m16n8k8, tf32 operands: one per register.
template <>
struct Fragments<float> {
  static constexpr int k = 8, a_values = 4, b_values = 2;
  static constexpr Place a(int lane, int i) { return {lane / 4 + i % 2 * 8, lane % 4 + i / 2 * 4}; }
  static constexpr Place b(int lane, int i) { return {lane % 4 + i * 4, lane / 4}; }
};

/// The accumulator of both: 16 x 8 floats, four in each lane.
constexpr Place accumulator(int lane, int i) {
  return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2};
}

// ---- row addresses for ldmatrix.x4 --------------------------------------------------------------

// Lanes 8 i to 8 i + 7 address the rows of matrix i; a place below is (row, unit) of the tile.

/// A fragment [16 rows][2 units] of a row-major tile.
constexpr Place a_address(int lane) { return {lane % 16, lane / 16}; }

/// The same with a transposing load, of a tile with rows of k: [16 k][2 units of m], bf16 only.
constexpr Place a_columns_address(int lane) { return {lane % 8 + lane / 16 * 8, lane / 8 % 2}; }

/// Two B fragments from rows of n: [16 n][2 units of k]. Registers 0 and 1 have n = 0 to 7.
constexpr Place b_rows_address(int lane) { return {lane % 8 + lane / 16 * 8, lane / 8 % 2}; }

/// Two B fragments from rows of k, with a transposing load: [16 k][2 units of n], bf16 only.
constexpr Place b_columns_address(int lane) { return {lane % 16, lane / 16}; }

/// float has no transposing load. The scores of a product, whose columns are 2 t and 2 t + 1 in a
/// lane, become an A fragment with k in the order below, and B is read in the same order.
constexpr int float_k_order(int k) { return k < 4 ? 2 * k : 2 * (k - 4) + 1; }

// ---- a tile in shared memory --------------------------------------------------------------------

/// Bytes from one row to the next. The number of units is odd, so eight rows at the same column are
/// in eight different groups of four banks: ldmatrix has no bank conflict in any direction.
template <class T>
constexpr int row_bytes(int columns) {
  return (columns / unit_elements<T> + 1) * kUnit;
}

/// Offset of element (row, col), in elements of T.
template <class T>
constexpr int tile_offset(int columns, int row, int col) {
  return row * (row_bytes<T>(columns) / static_cast<int>(sizeof(T))) + col;
}

}  // namespace gaze::cuda
