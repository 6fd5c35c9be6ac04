// SPDX-License-Identifier: MIT
// The weights of a published checkpoint into the parameters of a model.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
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

namespace detail {

/// Reads the parts of a parameter one after the other into `to`, converted to U.
template <class U, class Device>
void read_parts(const io::WeightFiles& files, const WeightRule& rule, const Shape& shape,
                Tensor<U, Device> to) {
  const Index row = shape.rank() > 1 ? shape.numel() / shape[0] : 1;
  const auto check_size = [&](Index rows) {
    GAZE_CHECK(rows * row == shape.numel(), "checkpoint", rule.parameter, ": its tensors have ",
               rows * row, " numbers, the parameter has ", shape.numel());
  };
  Index rows = 0;
  for (const WeightPart& part : rule.parts) rows += part.rows;
  check_size(rows);
  U* at = to.data();
  std::vector<U> host;
  for (const WeightPart& part : rule.parts) {
    const auto expected = part_shape(part, shape);
    const auto count = static_cast<std::size_t>(part.rows * row);
    if constexpr (std::is_same_v<Device, Cpu>) {
      files.read<U>(part.name, expected, std::span<U>(at, count));
    } else {
      host.resize(count);
      files.read<U>(part.name, expected, std::span<U>(host));
      Allocator<Device>::copy_in(at, host.data(), count * sizeof(U));
    }
    at += count;
  }
  to.changed();
}

/// A parameter's values in U: where they lie in the file, or a copy.
template <class U, class Device>
Tensor<U, Device> held_alone(const io::WeightFiles& files, const WeightRule& rule,
                             const Shape& shape) {
  if constexpr (std::is_same_v<Device, Cpu>)
    if (rule.parts.size() == 1 && rule.parts[0].rows == shape[0])
      if (auto mapped = files.map<U>(rule.parts[0].name, part_shape(rule.parts[0], shape)))
        return Tensor<U, Device>::over(shape, mapped->file, mapped->values);
  Tensor<U, Device> copy(shape);
  read_parts(files, rule, shape, copy);
  return copy;
}

template <class T, class Device>
void load_parameter(const io::WeightFiles& files, const WeightRule& rule, Parameter<T, Device>& p) {
  if (p.in_pack) return read_parts(files, rule, p.shape, p.value);
  if constexpr (std::is_same_v<T, float>)
    if (p.multiplied_in_bf16) return p.hold(held_alone<bf16, Device>(files, rule, p.shape));
  p.hold(held_alone<T, Device>(files, rule, p.shape));
}

}  // namespace detail

/// Gives every parameter its values, in T. One that is held alone (Parameters::allocate_for_file)
/// has T, or bf16 if it is multiplied in bf16, and on the CPU stays in the mapped file if it is one
/// tensor of that type there. A parameter without a rule, a rule without a parameter, a missing
/// tensor and one of another shape are an Error that names them; tensors that no rule reads are
/// left to WeightFiles::unused().
template <class T, class Device>
void load_weights(const io::WeightFiles& files, const std::vector<WeightRule>& rules,
                  Parameters<T, Device>& parameters) {
  parameters.check_allocated("checkpoint");
  const auto missing = files.missing(tensor_names(rules));
  GAZE_CHECK(missing.empty(), "checkpoint", files.path(), ": no tensor ", missing.front(),
             missing.size() > 1 ? concat(" (and ", missing.size() - 1, " more)") : "");
  for (const WeightRule& rule : rules) {
    Parameter<T, Device>* const p = parameters.find(rule.parameter);
    GAZE_CHECK(p, "checkpoint", "the model has no parameter ", rule.parameter);
    detail::load_parameter(files, rule, *p);
  }
  for (const auto& p : parameters.all())
    GAZE_CHECK(std::any_of(rules.begin(), rules.end(),
                           [&](const WeightRule& r) { return r.parameter == p.name; }),
               "checkpoint", "no tensor is known for the parameter ", p.name);
}

}  // namespace gaze::models::hf
