// SPDX-License-Identifier: MIT
// The weights of a published checkpoint into the parameters of a model.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gaze/io/weight_files.hpp"
#include "gaze/nn/parameters.hpp"
#include "models/hf/weight_rules.hpp"

namespace gaze::models::hf {

/// The names of all tensors that the rules read.
inline std::vector<std::string> tensor_names(const std::vector<WeightRule>& rules) {
  std::vector<std::string> out;
  for (const WeightRule& rule : rules)
    for (const WeightPart& part : rule.parts) out.push_back(part.name);
  return out;
}

/// The shape of a part of a parameter in its file.
inline std::vector<std::int64_t> part_shape(const WeightPart& part, const Shape& parameter) {
  std::vector<std::int64_t> shape(parameter.begin(), parameter.end());
  shape.front() = part.rows;
  return shape;
}

/// Reads every parameter, converted to T. A parameter without a rule, a rule without a parameter, a
/// missing tensor and one of another shape are an Error that names them; tensors that no rule reads
/// are left to WeightFiles::unused().
template <class T, class Device>
void load_weights(const io::WeightFiles& files, const std::vector<WeightRule>& rules,
                  Parameters<T, Device>& parameters) {
  parameters.check_allocated("checkpoint");
  const auto missing = files.missing(tensor_names(rules));
  GAZE_CHECK(missing.empty(), "checkpoint", files.path(), ": no tensor ", missing.front(),
             missing.size() > 1 ? concat(" (and ", missing.size() - 1, " more)") : "");
  std::vector<T> values;
  for (const WeightRule& rule : rules) {
    Parameter<T, Device>* p = parameters.find(rule.parameter);
    GAZE_CHECK(p, "checkpoint", "the model has no parameter ", rule.parameter);
    const Index row = p->shape.rank() > 1 ? p->shape.numel() / p->shape[0] : 1;
    values.resize(static_cast<std::size_t>(p->shape.numel()));
    std::size_t at = 0;
    for (const WeightPart& part : rule.parts) {
      const auto count = static_cast<std::size_t>(part.rows * row);
      GAZE_CHECK(at + count <= values.size(), "checkpoint", rule.parameter, ": its tensors have ",
                 at + count, " numbers, the parameter has ", values.size());
      files.read<T>(part.name, part_shape(part, p->shape),
                    std::span<T>(values).subspan(at, count));
      at += count;
    }
    GAZE_CHECK(at == values.size(), "checkpoint", rule.parameter, ": its tensors have ", at,
               " numbers, the parameter has ", values.size());
    Allocator<Device>::copy_in(p->value.data(), values.data(), values.size() * sizeof(T));
    p->value.changed();
  }
  for (const auto& p : parameters.all())
    GAZE_CHECK(std::any_of(rules.begin(), rules.end(),
                           [&](const WeightRule& r) { return r.parameter == p.name; }),
               "checkpoint", "no tensor is known for the parameter ", p.name);
}

}  // namespace gaze::models::hf
