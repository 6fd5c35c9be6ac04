// SPDX-License-Identifier: MIT
// Instruction set and threads are of the whole process: a test that changes them gives them back.
#pragma once
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/isa.hpp"

namespace gaze::test {

/// Gives back the instruction set, the way of products of bf16 and the threads it found.
struct Restore {
  Isa isa = gaze::isa();
  Bf16Products bf16 = gaze::detail::current_bf16_products();  // whatever the set is
  int threads = gaze::threads();
  ~Restore() {
    set_isa(isa);
    set_bf16_products(bf16);
    set_threads(threads);
  }
};

}  // namespace gaze::test
