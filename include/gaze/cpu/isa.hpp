// SPDX-License-Identifier: MIT
// Which instruction set the kernels use: the widest the processor has, chosen at run time.
//
// GAZE_ISA=generic|avx2|avx512 asks for a narrower one; a wider one than the processor has is an
// error, not a crash. Results are the same bits for one binary and one instruction set.
#pragma once
#include <cstdlib>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"

#if defined(__FAST_MATH__)
#error "Gaze promises the same bits everywhere; -ffast-math breaks that promise"
#endif

#if (defined(__x86_64__) || defined(__i386__)) && !defined(__CUDACC__)
#define GAZE_X86 1
#else
#define GAZE_X86 0
#endif

namespace gaze {

enum class Isa { generic, avx2, avx512 };

inline const char* name(Isa isa) {
  return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "generic";
}

/// Does this processor offer the set?
inline bool supported(Isa isa) {
#if GAZE_X86
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
  return isa == Isa::generic;
}

namespace detail {
inline Isa initial_isa() {
  const Isa all[] = {Isa::avx512, Isa::avx2, Isa::generic};
  if (const char* wanted = std::getenv("GAZE_ISA")) {
    for (Isa isa : all)
      if (std::string(wanted) == name(isa)) {
        GAZE_CHECK(supported(isa), "isa", "GAZE_ISA=", wanted, ": this processor does not have it");
        return isa;
      }
    GAZE_FAIL("isa", "GAZE_ISA=", wanted, ": not one of generic, avx2, avx512");
  }
  for (Isa isa : all)
    if (supported(isa)) return isa;
  return Isa::generic;
}
inline Isa& current_isa() {
  static Isa isa = initial_isa();
  return isa;
}
}  // namespace detail

/// The instruction set in use.
inline Isa isa() { return detail::current_isa(); }

/// Do products of bf16 multiply pairs (vdpbf16ps), or float? The bits differ: the instruction
/// rounds after each pair and takes subnormal numbers for zero.
inline bool multiplies_bf16_pairs() {
#if GAZE_X86
  return isa() == Isa::avx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

/// Chooses an instruction set for the whole process (tests walk through all of them).
inline void set_isa(Isa isa) {
  GAZE_CHECK(supported(isa), "set_isa", "this processor has no ", name(isa));
  detail::current_isa() = isa;
}

}  // namespace gaze
