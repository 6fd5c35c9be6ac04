// SPDX-License-Identifier: MIT
// mma.cuh for the emulator: the 32 lanes exchange registers in the fragment layouts of the PTX ISA.
// Included by mma.cuh.
//
// An asynchronous copy runs when it is issued or, if `late_copies` is set, when it is waited for:
// the earliest and latest times that a GPU may choose. A kernel must be correct with both.
#pragma once
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "cuda/emulator/emulated_copies.hpp"

namespace gaze::cuda {

namespace emulator {

struct Copy {
  void* to;
  const void* from;
  void run() const {
    if (from)
      std::memcpy(to, from, kUnit);
    else
      std::memset(to, 0, kUnit);
  }
};

/// Copies that a thread of the running block has issued, by group; the last group is still open.
struct PendingCopies {
  unsigned block = 0;
  const void* shared = nullptr;
  std::vector<std::vector<Copy>> groups{1};

  /// A new block begins without pending copies. Error: the previous one left some.
  void enter() {
    const unsigned now = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    if (now == block && dynamic_shared_memory() == shared) return;
    for (const auto& group : groups)
      GAZE_CHECK(group.empty(), "cuda", "a block ended without waiting for its copies");
    groups.assign(1, {});
    block = now;
    shared = dynamic_shared_memory();
  }
};

inline PendingCopies& pending_copies() {
  thread_local std::vector<PendingCopies> of_threads;
  if (of_threads.size() < blockDim.x) of_threads.resize(blockDim.x);
  of_threads[threadIdx.x].enter();
  return of_threads[threadIdx.x];
}

/// The products of a step are summed in ascending order of k, in float, and then added to c: as on
/// tensor cores, results depend on where the steps along k begin, but not on the place in a tile.
template <class T, class Decode>
void multiply(float (&c)[4], const FragmentA& a, const FragmentB& b, Decode decode) {
  using F = Fragments<T>;
  struct Both {
    FragmentA a;
    FragmentB b;
  };
  const auto all = exchange(Both{a, b});
  float rows[2][F::k], cols[2][F::k];  // of this lane's four results
  const int me = lane(), first = me / 4 * 4, n = me % 4 * 2;
  for (int l = 0; l < 4; ++l) {
    const FragmentA from = all(static_cast<unsigned>(first + l)).a;
    for (int i = 0; i < F::a_values; ++i) {
      const Place p = F::a(first + l, i);
      rows[p.row / 8][p.col] = decode(from.r, i);
    }
  }
  for (int l = 0; l < 8; ++l) {
    const FragmentB from = all(static_cast<unsigned>(n * 4 + l)).b;
    for (int i = 0; i < F::b_values; ++i) {
      const Place p = F::b(n * 4 + l, i);
      cols[p.col - n][p.row] = decode(from.r, i);
    }
  }
  for (int i = 0; i < 4; ++i) {
    float sum = 0;
    for (int k = 0; k < F::k; ++k) sum += rows[i / 2][k] * cols[i % 2][k];
    c[i] += sum;
  }
}

}  // namespace emulator

inline void mma_bf16(float (&c)[4], const FragmentA& a, const FragmentB& b) {
  emulator::multiply<bf16>(c, a, b, [](const std::uint32_t* r, int i) {
    return static_cast<float>(bf16::from_bits(static_cast<std::uint16_t>(r[i / 2] >> i % 2 * 16)));
  });
}

/// Tensor cores ignore the lowest 13 bits.
inline void mma_tf32(float (&c)[4], const FragmentA& a, const FragmentB& b) {
  emulator::multiply<float>(c, a, b, [](const std::uint32_t* r, int i) {
    return std::bit_cast<float>(r[i] & 0xffffe000u);
  });
}

inline std::uint32_t round_tf32(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::isfinite(x) ? (bits + 0x1000u) & 0xffffe000u : bits;
}

inline void load_matrices(std::uint32_t (&r)[4], const void* row) {
  const auto rows = emulator::exchange(static_cast<const std::byte*>(row));
  for (unsigned i = 0; i < 4; ++i)
    std::memcpy(&r[i], rows(8 * i + threadIdx.x % 32 / 4) + threadIdx.x % 4 * 4, 4);
}

inline void load_matrices_transposed(std::uint32_t (&r)[4], const void* row) {
  const auto rows = emulator::exchange(static_cast<const std::byte*>(row));
  for (unsigned i = 0; i < 4; ++i) {
    std::uint16_t half[2];
    for (unsigned e = 0; e < 2; ++e)
      std::memcpy(&half[e], rows(8 * i + threadIdx.x % 4 * 2 + e) + threadIdx.x % 32 / 4 * 2, 2);
    r[i] = std::uint32_t{half[0]} | std::uint32_t{half[1]} << 16;
  }
}

inline void copy_async(void* to, const void* from) {
  const auto misaligned =
      (reinterpret_cast<std::uintptr_t>(to) | reinterpret_cast<std::uintptr_t>(from)) % kUnit;
  GAZE_CHECK(misaligned == 0, "cuda", "an asynchronous copy from or to an odd address");
  const emulator::Copy copy{to, from};
  if (emulator::late_copies)
    emulator::pending_copies().groups.back().push_back(copy);
  else
    copy.run();
}

inline void commit_copies() { emulator::pending_copies().groups.emplace_back(); }

template <int N>
void wait_copies() {
  auto& groups = emulator::pending_copies().groups;
  const std::size_t waiting = groups.size() - 1;
  const std::size_t done = waiting > N ? waiting - N : 0;
  for (std::size_t g = 0; g < done; ++g)
    for (const emulator::Copy& copy : groups[g]) copy.run();
  groups.erase(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(done));
}

inline float exp2_fast(float x) { return std::exp2(x); }

inline std::uint32_t pack_bf16(float low, float high) {
  return std::uint32_t{bf16(low).bits} | std::uint32_t{bf16(high).bits} << 16;
}

}  // namespace gaze::cuda
