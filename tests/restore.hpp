// SPDX-License-Identifier: MIT
// Process-wide settings in tests: restoring them, and running a body at each of their values.
#pragma once
#include <cstdlib>
#include <vector>

#include "gaze/core/parallel.hpp"
#include "gaze/cpu/isa.hpp"
#include "tests/test.hpp"

namespace gaze::test {

/// Restores instruction set, bf16 product path and thread count when it goes out of scope.
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

/// The instruction sets of this processor.
inline std::vector<Isa> supported_isas() {
  std::vector<Isa> sets;
  for (const Isa isa : every_isa)
    if (supported(isa)) sets.push_back(isa);
  return sets;
}

/// Runs the body at every instruction set of this processor, or only at the one in GAZE_ISA.
template <class Body>
void at_each_isa(Body body) {
  const Restore restore;
  const bool one = std::getenv("GAZE_ISA") != nullptr;
  for (const Isa set : supported_isas()) {
    if (one && set != restore.isa) continue;
    INFO("instruction set " << name(set));
    set_isa(set);
    body();
  }
}

/// Runs the body with 1, 2 and 4 threads.
template <class Body>
void at_thread_counts(Body body) {
  const Restore restore;
  for (const int count : {1, 2, 4}) {
    INFO(count << " threads");
    set_threads(count);
    body();
  }
}

}  // namespace gaze::test
