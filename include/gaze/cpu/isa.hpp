// SPDX-License-Identifier: MIT
// Which instruction set the kernels use: the widest the processor has, chosen at run time.
//
// GAZE_ISA=generic|avx2|avx512 asks for a narrower one; a wider one than the processor has is an
// error, not a crash. Results are the same bits for one binary and one instruction set.
#pragma once
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "gaze/core/error.hpp"

#if !defined(GAZE_X86)  // a test builds the kernels of other processors with GAZE_X86=0
#if defined(__x86_64__) && !defined(__CUDACC__)
#define GAZE_X86 1
#else
#define GAZE_X86 0
#endif
#endif
#if GAZE_X86 && defined(__linux__)
#define GAZE_AMX 1
#else
#define GAZE_AMX 0
#endif
#if GAZE_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
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
/// What the environment asks for, by its name, or `otherwise`.
template <class Choice>
Choice asked_for(const char* variable, std::initializer_list<Choice> all, Choice otherwise) {
  const char* const wanted = std::getenv(variable);
  if (!wanted) return otherwise;
  std::string names;
  for (const Choice choice : all) {
    if (std::string(wanted) == name(choice)) {
      GAZE_CHECK(supported(choice), "isa", variable, "=", wanted,
                 ": this processor does not have it");
      return choice;
    }
    names += std::string(names.empty() ? "" : ", ") + name(choice);
  }
  GAZE_FAIL("isa", variable, "=", wanted, ": not one of ", names);
}

inline Isa initial_isa() {
  const Isa widest = supported(Isa::avx512) ? Isa::avx512
                     : supported(Isa::avx2) ? Isa::avx2
                                            : Isa::generic;
  return asked_for("GAZE_ISA", {Isa::generic, Isa::avx2, Isa::avx512}, widest);
}
inline Isa& current_isa() {
  static Isa isa = initial_isa();
  return isa;
}
}  // namespace detail

/// The instruction set in use.
inline Isa isa() { return detail::current_isa(); }

/// How products of bf16 are worked out: in float; by pairs (AVX512_BF16's vdpbf16ps); on tiles
/// (AMX). The bits differ: pairs and tiles round in other places and take subnormal numbers for
/// zero. GAZE_BF16=floats|pairs|tiles asks for one; without, the fastest.
enum class Bf16Products { floats, pairs, tiles };

inline const char* name(Bf16Products way) {
  return way == Bf16Products::tiles ? "tiles" : way == Bf16Products::pairs ? "pairs" : "floats";
}

namespace detail {
/// Has the processor AMX for bf16, and may this process use it? Linux wants to be asked.
inline bool tiles_permitted() {
#if GAZE_AMX
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  constexpr long ask = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & amx_bf16) && (d & amx_tile) &&
         syscall(SYS_arch_prctl, ask, tile_data) == 0;
#else
  return false;
#endif
}
}  // namespace detail

/// Can products of bf16 be worked out so here?
inline bool supported(Bf16Products way) {
#if GAZE_X86
  if (way == Bf16Products::pairs)
    return supported(Isa::avx512) && __builtin_cpu_supports("avx512bf16");
  if (way == Bf16Products::tiles) return supported(Isa::avx512) && detail::tiles_permitted();
#endif
  return way == Bf16Products::floats;
}

namespace detail {
/// The fastest. Intel's processors multiply a vector of pairs every other cycle (measured on
/// Emerald Rapids: half of float's speed), AMD's (Zen 4, Zen 5) at twice float's.
inline Bf16Products fastest_bf16() {
  if (supported(Bf16Products::tiles)) return Bf16Products::tiles;
#if GAZE_X86
  if (supported(Bf16Products::pairs) && !__builtin_cpu_is("intel")) return Bf16Products::pairs;
#endif
  return Bf16Products::floats;
}
inline Bf16Products& current_bf16_products() {
  using Way = Bf16Products;
  static Way way = asked_for("GAZE_BF16", {Way::floats, Way::pairs, Way::tiles}, fastest_bf16());
  return way;
}
}  // namespace detail

/// How products of bf16 are worked out now; below AVX-512 in float (and yet what the processor
/// cannot do is refused).
inline Bf16Products bf16_products() {
  const Bf16Products way = detail::current_bf16_products();
  return isa() == Isa::avx512 ? way : Bf16Products::floats;
}

/// Chooses the way of products of bf16 for the whole process (tests walk through all of them).
inline void set_bf16_products(Bf16Products way) {
  GAZE_CHECK(supported(way), "set_bf16_products", "this processor has no ", name(way), " of bf16");
  detail::current_bf16_products() = way;
}

/// Chooses an instruction set for the whole process (tests walk through all of them).
inline void set_isa(Isa isa) {
  GAZE_CHECK(supported(isa), "set_isa", "this processor has no ", name(isa));
  detail::current_isa() = isa;
}

}  // namespace gaze
