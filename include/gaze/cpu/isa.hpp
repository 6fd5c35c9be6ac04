// SPDX-License-Identifier: MIT
// Which instruction set the kernels use: the widest the processor has, chosen at run time.
//
// GAZE_ISA=generic|avx2|avx512|neon selects a narrower one; one that the processor lacks is an
// error, not a crash. Results have the same bits for one binary and one instruction set.
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
#if !defined(GAZE_NEON)
#if defined(__aarch64__) && !defined(__CUDACC__)
#define GAZE_NEON 1
#else
#define GAZE_NEON 0
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

enum class Isa { generic, avx2, avx512, neon };
/// All of them, the widest of a processor last.
inline constexpr std::initializer_list<Isa> every_isa = {Isa::generic, Isa::avx2, Isa::avx512,
                                                         Isa::neon};

inline const char* name(Isa isa) {
  constexpr const char* names[] = {"generic", "avx2", "avx512", "neon"};
  return names[static_cast<int>(isa)];
}

/// Whether this processor has the instruction set.
inline bool supported(Isa isa) {
#if GAZE_X86
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
  return isa == Isa::generic || (GAZE_NEON && isa == Isa::neon);
}

namespace detail {
/// The choice that an environment variable names, or `otherwise`.
template <class Choice>
Choice choice_from(const char* variable, std::initializer_list<Choice> all, Choice otherwise) {
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
  Isa widest = Isa::generic;
  for (const Isa isa : every_isa)
    if (supported(isa)) widest = isa;
  return choice_from("GAZE_ISA", every_isa, widest);
}
inline Isa& current_isa() {
  static Isa isa = initial_isa();
  return isa;
}
}  // namespace detail

/// The instruction set in use.
inline Isa isa() { return detail::current_isa(); }

/// The path for products of bf16: in float; with AVX512_BF16's vdpbf16ps on pairs; on AMX tiles.
/// Their bits differ: the last two round in other places and flush subnormal numbers to zero.
/// GAZE_BF16=floats|pairs|tiles selects one; by default the fastest.
enum class Bf16Products { f32, avx512_bf16, amx };
inline constexpr std::initializer_list<Bf16Products> every_bf16_products = {
    Bf16Products::f32, Bf16Products::avx512_bf16, Bf16Products::amx};

/// As in GAZE_BF16.
inline const char* name(Bf16Products path) {
  return path == Bf16Products::amx           ? "tiles"
         : path == Bf16Products::avx512_bf16 ? "pairs"
                                             : "floats";
}

namespace detail {
/// Whether the processor has AMX for bf16 and Linux permits this process to use it.
inline bool amx_permitted() {
#if GAZE_AMX
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  constexpr long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & amx_bf16) && (d & amx_tile) &&
         syscall(SYS_arch_prctl, request, tile_data) == 0;
#else
  return false;
#endif
}
}  // namespace detail

/// Whether this CPU supports the path.
inline bool supported(Bf16Products path) {
#if GAZE_X86
  if (path == Bf16Products::avx512_bf16)
    return supported(Isa::avx512) && __builtin_cpu_supports("avx512bf16");
  if (path == Bf16Products::amx) return supported(Isa::avx512) && detail::amx_permitted();
#endif
  return path == Bf16Products::f32;
}

namespace detail {
/// The fastest. Intel's processors multiply a vector of pairs every other cycle (measured on
/// Emerald Rapids: half of float's speed), AMD's (Zen 4, Zen 5) at twice float's.
inline Bf16Products fastest_bf16() {
  if (supported(Bf16Products::amx)) return Bf16Products::amx;
#if GAZE_X86
  if (supported(Bf16Products::avx512_bf16) && !__builtin_cpu_is("intel"))
    return Bf16Products::avx512_bf16;
#endif
  return Bf16Products::f32;
}
inline Bf16Products& current_bf16_products() {
  static Bf16Products path = choice_from("GAZE_BF16", every_bf16_products, fastest_bf16());
  return path;
}
}  // namespace detail

/// The path in use: in float below AVX-512 (a GAZE_BF16 that the processor lacks is an error even
/// then).
inline Bf16Products bf16_products() {
  const Bf16Products path = detail::current_bf16_products();
  return isa() == Isa::avx512 ? path : Bf16Products::f32;
}

/// Selects the path for the whole process (tests run through all of them).
inline void set_bf16_products(Bf16Products path) {
  GAZE_CHECK(supported(path), "set_bf16_products", "this processor has no ", name(path),
             " of bf16");
  detail::current_bf16_products() = path;
}

/// Selects an instruction set for the whole process (tests run through all of them).
inline void set_isa(Isa isa) {
  GAZE_CHECK(supported(isa), "set_isa", "this processor has no ", name(isa));
  detail::current_isa() = isa;
}

}  // namespace gaze
