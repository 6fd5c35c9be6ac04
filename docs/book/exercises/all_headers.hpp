// SPDX-License-Identifier: MIT
// Every header that an exercise includes: exercise_states.cpp includes the exercises in namespaces,
// where no header may be included for the first time.
#pragma once
#include <cmath>
#include <exception>
#include <vector>

#include "docs/book/exercises/check.hpp"
#include "gaze/gaze.hpp"
#include "gaze/rl/policy_loss.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/synth/suite.hpp"

/// An exercise as it is committed, and solved.
struct Exercise {
  const char* name;
  int (*red)();
  int (*green)();
};
