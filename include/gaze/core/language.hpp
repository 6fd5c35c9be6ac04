// SPDX-License-Identifier: MIT
// Compiler requirements. Every other header includes this one before it declares anything, so
// that a wrong setting gives one error and not hundreds.
#pragma once

#if __cplusplus < 202002L
#error "Gaze needs C++20: compile with -std=c++20 or newer"
#include "Gaze needs C++20"  // there is no such file: the compiler stops here
#endif

// Errors are exceptions.
#if !defined(__cpp_exceptions)
#error "Gaze reports errors as exceptions: compile without -fno-exceptions"
#include "Gaze needs exceptions"
#endif

// Shapes, offsets and file sizes are computed in 64 bits and used as std::size_t. WebAssembly is
// 32-bit, and a tensor there has less than 2 GiB (Tensor checks it).
#if __SIZEOF_POINTER__ < 8 && !defined(__wasm__)
#error "Gaze needs a 64-bit target"
#include "Gaze needs a 64-bit target"
#endif

// Bits independent of batch and threads: reordered sums, products with a reciprocal, unsigned zeros
// or assuming no NaNs would break that. g++ has a macro for each; clang++ has only the first two
// (docs/engine.md lists what cannot be detected).
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error "Gaze promises the same bits; -ffast-math, -Ofast or a part of them breaks that promise"
#include "Gaze refuses fast-math flags"
#endif
// Intermediate results in a wider type (-mfpmath=387).
#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error "Gaze promises the same bits; extended precision (-mfpmath=387) breaks that promise"
#include "Gaze refuses extended precision"
#endif
static_assert(0.1 != static_cast<double>(0.1f),
              "Gaze needs constants in double; -fsingle-precision-constant makes them float");
