// SPDX-License-Identifier: MIT
// The GPU's register and shared-memory layouts: every element once, no bank conflict.
#include <set>
#include <utility>
#include <vector>

#include "cuda/device/fragments.hpp"
#include "tests/test.hpp"

namespace test_cuda_fragments {
namespace {

using namespace gaze::cuda;
using gaze::bf16;

/// Do the places of all lanes cover rows x cols exactly once?
template <class F>
bool covers(int rows, int cols, int values, F place) {
  std::set<std::pair<int, int>> seen;
  for (int lane = 0; lane < kLanes; ++lane)
    for (int i = 0; i < values; ++i) {
      const Place p = place(lane, i);
      if (p.row < 0 || p.row >= rows || p.col < 0 || p.col >= cols) return false;
      seen.insert({p.row, p.col});
    }
  return static_cast<int>(seen.size()) == rows * cols && kLanes * values == rows * cols;
}

/// What ldmatrix.x4 puts where, from the definition: matrix i is the eight rows that lanes 8 i ..
/// name; a lane gets the 4 bytes of row lane / 4 from 4 (lane % 4) on. In elements of T: the places
/// of the values in register i of a lane.
template <class T>
std::vector<Place> loaded(Place (*address)(int), int lane, int i) {
  const Place row = address(8 * i + lane / 4);
  std::vector<Place> places;
  const int each = 4 / static_cast<int>(sizeof(T));
  for (int e = 0; e < each; ++e)
    places.push_back({row.row, row.col * unit_elements<T> + lane % 4 * each + e});
  return places;
}

/// The same with .trans, for 2-byte elements: rows 2 (lane % 4) and the next, column lane / 4.
std::vector<Place> loaded_transposed(Place (*address)(int), int lane, int i) {
  std::vector<Place> places;
  for (int e = 0; e < 2; ++e) {
    const Place row = address(8 * i + lane % 4 * 2 + e);
    places.push_back({row.row, row.col * unit_elements<bf16> + lane / 4});
  }
  return places;
}

/// Distinct 4-byte banks that these byte addresses meet, each address `bytes` wide.
bool conflict_free(const std::vector<int>& addresses, int bytes) {
  std::set<int> banks;
  int count = 0;
  for (const int a : addresses)
    for (int b = 0; b < bytes; b += 4, ++count) banks.insert((a + b) / 4 % 32);
  return static_cast<int>(banks.size()) == count;
}

constexpr int kColumns[] = {16, 32, 48, 64, 80, 96, 128, 144};

}  // namespace

TEMPLATE_TEST_CASE("mma operands and accumulators cover their matrices once", "", bf16, float) {
  using F = Fragments<TestType>;
  CHECK(F::k == step_elements<TestType>);
  CHECK(covers(16, F::k, F::a_values, F::a));
  CHECK(covers(F::k, 8, F::b_values, F::b));
  CHECK(covers(16, 8, 4, accumulator));
}

TEMPLATE_TEST_CASE("ldmatrix with these addresses loads mma's fragments", "", bf16, float) {
  using F = Fragments<TestType>;
  const int each = 4 / static_cast<int>(sizeof(TestType));
  for (int lane = 0; lane < kLanes; ++lane)
    for (int i = 0; i < 4; ++i) {
      const auto a = loaded<TestType>(a_address, lane, i);
      const auto b = loaded<TestType>(b_rows_address, lane, i);
      for (int e = 0; e < each; ++e) {
        CHECK(a[static_cast<std::size_t>(e)] == F::a(lane, i * each + e));
        const Place want = F::b(lane, i % 2 * each + e);  // registers 0, 1: n 0 to 7; 2, 3: n 8 on
        CHECK(b[static_cast<std::size_t>(e)] == Place{want.col + i / 2 * 8, want.row});
      }
    }
}

TEST_CASE("a transposing ldmatrix loads the B fragments of a tile with rows of k") {
  for (int lane = 0; lane < kLanes; ++lane)
    for (int i = 0; i < 4; ++i) {
      const auto b = loaded_transposed(b_columns_address, lane, i);
      for (int e = 0; e < 2; ++e) {
        const Place want = Fragments<bf16>::b(lane, i % 2 * 2 + e);
        CHECK(b[static_cast<std::size_t>(e)] == Place{want.row, want.col + i / 2 * 8});
      }
    }
}

TEST_CASE("a transposing ldmatrix loads the A fragments of a tile with rows of k") {
  for (int lane = 0; lane < kLanes; ++lane)
    for (int i = 0; i < 4; ++i) {
      const auto a = loaded_transposed(a_columns_address, lane, i);
      for (int e = 0; e < 2; ++e) {
        const Place want = Fragments<bf16>::a(lane, i * 2 + e);
        CHECK(a[static_cast<std::size_t>(e)] == Place{want.col, want.row});
      }
    }
}

TEST_CASE("accumulators are A fragments of the next product") {
  for (int lane = 0; lane < kLanes; ++lane)
    for (int i = 0; i < 4; ++i) {
      // bf16: two tiles of 8 columns are the 16 k; values 0, 1 and 2, 3 share a register.
      for (int tile = 0; tile < 2; ++tile) {
        const Place c = accumulator(lane, i);
        CHECK(Fragments<bf16>::a(lane, tile * 4 + i) == Place{c.row, c.col + tile * 8});
      }
      // float: registers 0, 2, 1, 3 of the accumulator, with k in float_k_order.
      const Place a = Fragments<float>::a(lane, i);
      const Place c = accumulator(lane, i / 2 + i % 2 * 2);
      CHECK(c == Place{a.row, float_k_order(a.col)});
    }
}

TEMPLATE_TEST_CASE("shared-memory tiles keep elements apart without bank conflicts", "", bf16,
                   float) {
  const int size = static_cast<int>(sizeof(TestType));
  for (const int columns : kColumns) {
    CHECK(row_bytes<TestType>(columns) % kUnit == 0);
    CHECK(row_bytes<TestType>(columns) / kUnit % 2 == 1);
    std::set<int> offsets;
    for (int r = 0; r < 64; ++r)
      for (int c = 0; c < columns; ++c) offsets.insert(tile_offset<TestType>(columns, r, c));
    CHECK(static_cast<int>(offsets.size()) == 64 * columns);

    for (auto address : {a_address, b_rows_address, b_columns_address})
      for (int matrix = 0; matrix < 4; ++matrix) {
        std::vector<int> rows;
        for (int lane = matrix * 8; lane < matrix * 8 + 8; ++lane) {
          const Place p = address(lane);
          rows.push_back(p.row * row_bytes<TestType>(columns) + p.col * kUnit);
          CHECK(rows.back() % kUnit == 0);
        }
        CHECK(conflict_free(rows, kUnit));
      }
  }
  // float's B fragments of a tile with rows of k: one 4-byte load each for k = 2 t and 2 t + 1.
  if (size != 4) return;
  for (const int columns : kColumns)
    for (int i = 0; i < 2; ++i) {
      std::vector<int> words;
      for (int lane = 0; lane < kLanes; ++lane) {
        const Place p = Fragments<float>::b(lane, i);
        words.push_back(4 * tile_offset<float>(columns, float_k_order(p.row), p.col));
      }
      CHECK(conflict_free(words, 4));
    }
}

}  // namespace test_cuda_fragments
