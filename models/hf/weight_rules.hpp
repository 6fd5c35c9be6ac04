// SPDX-License-Identifier: MIT
// Which tensors of a checkpoint make up a parameter of ours.
#pragma once
#include <string>
#include <vector>

#include "gaze/core/index.hpp"

namespace gaze::models::hf {

/// Consecutive rows of a parameter that one tensor of the file holds.
struct WeightPart {
  std::string name;  // the tensor's
  Index rows;        // of a matrix, or elements of a vector
};

/// A parameter, from the rows of one or several tensors: qkv from q, k and v.
struct WeightRule {
  std::string parameter;
  std::vector<WeightPart> parts;
};

}  // namespace gaze::models::hf
