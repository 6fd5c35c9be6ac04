// SPDX-License-Identifier: MIT
// Tensors of safetensors files, and how far they are from each other.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "gaze/io/safetensors.hpp"
#include "tests/test.hpp"

namespace gaze::test {

inline std::vector<double> doubles(const io::SafetensorsFile& file, const std::string& name) {
  const auto& info = file.info(name);
  std::vector<double> out(info.elements());
  if (info.dtype == "F64") {
    file.read<double>(name, info.shape, std::span(out));
    return out;
  }
  std::vector<float> values(out.size());
  file.read<float>(name, info.shape, std::span(values));
  return {values.begin(), values.end()};
}

/// The Euclidean norm.
inline double norm(const std::vector<double>& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

/// |a - b| / |b|.
inline double relative(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  std::vector<double> difference(a.size());
  std::transform(a.begin(), a.end(), b.begin(), difference.begin(), std::minus<>());
  return norm(difference) / norm(b);
}

}  // namespace gaze::test
