// SPDX-License-Identifier: MIT
// Which tensors of a checkpoint make up a parameter of ours.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/index.hpp"

namespace gaze::models::hf {

/// Consecutive rows of a parameter that one tensor of the file holds.
struct WeightPart {
  std::string name;                      // the tensor's
  Index rows;                            // of a matrix, or elements of a vector
  std::string older = "";                // its name in files of an older generation
  std::vector<std::int64_t> shape = {};  // the tensor's; empty: `rows` and the parameter's others
};

/// A parameter, from the rows of one or several tensors: qkv from q, k and v.
struct WeightRule {
  std::string parameter;
  std::vector<WeightPart> parts;
  /// Row i of the parameter is row rows[i] of the tensor, and so with columns; empty: in order.
  std::vector<std::int32_t> rows = {}, columns = {};
};

}  // namespace gaze::models::hf
