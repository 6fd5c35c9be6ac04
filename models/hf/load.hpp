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
#include "gaze/nn/lora.hpp"
#include "gaze/nn/parameters.hpp"
#include "models/hf/weight_rules.hpp"

namespace gaze::models::hf {

/// The name of a part's tensor in these files.
inline const std::string& name_in(const io::WeightFiles& files, const WeightPart& part) {
  return part.older.empty() || files.contains(part.name) || !files.contains(part.older)
             ? part.name
             : part.older;
}

/// The names in these files of all tensors that the rules read.
inline std::vector<std::string> tensor_names(const io::WeightFiles& files,
                                             const std::vector<WeightRule>& rules) {
  std::vector<std::string> out;
  for (const WeightRule& rule : rules)
    for (const WeightPart& part : rule.parts) out.push_back(name_in(files, part));
  return out;
}

/// The shape of a part of a parameter in its file.
inline std::vector<std::int64_t> part_shape(const WeightPart& part, const Shape& parameter) {
  if (!part.shape.empty()) return part.shape;
  std::vector<std::int64_t> shape(parameter.begin(), parameter.end());
  shape.front() = part.rows;
  return shape;
}

namespace detail {

inline void check_parts(const io::WeightFiles& files, const WeightRule& rule, const Shape& shape) {
  Index rows = 0;
  for (const WeightPart& part : rule.parts) {
    rows += part.rows;
    const std::string& name = name_in(files, part);
    const auto& found = files.info(name).shape;
    const auto expected = part_shape(part, shape);
    GAZE_CHECK(found == expected, "load", io::detail::tensor_label(files.file(name), name),
               ": shape ", io::detail::shape_text(found), ", expected ",
               io::detail::shape_text(expected));
  }
  GAZE_CHECK(rows == shape[0], "checkpoint", rule.parameter, ": its tensors have ", rows,
             " rows, the parameter has ", shape[0]);
}

/// A matrix with its rows and columns in the order of the parameter: `to` of the file's values, or
/// with `back` the file's order of the parameter's.
template <class U>
std::vector<U> reordered(const WeightRule& rule, std::span<const U> from, Index columns,
                         bool back = false) {
  std::vector<U> out(from.size());
  const auto place = [](const std::vector<std::int32_t>& order, Index i) {
    return order.empty() ? i : static_cast<Index>(order[static_cast<std::size_t>(i)]);
  };
  for (Index i = 0; i < static_cast<Index>(from.size()); ++i) {
    const Index there = place(rule.rows, i / columns) * columns + place(rule.columns, i % columns);
    const auto ours = static_cast<std::size_t>(i), theirs = static_cast<std::size_t>(there);
    if (back)
      out[theirs] = from[ours];
    else
      out[ours] = from[theirs];
  }
  return out;
}

}  // namespace detail

/// Calls use(part, values) with a parameter's values part by part, in the order of the file.
template <class T, class Use>
void each_part(const WeightRule& rule, const Shape& shape, std::vector<T> values, const Use& use) {
  const Index columns = shape.numel() / shape[0];
  if (!rule.rows.empty() || !rule.columns.empty())
    values = detail::reordered<T>(rule, values, columns, true);
  auto from = values.begin();
  for (const WeightPart& part : rule.parts) {
    const auto end = from + part.rows * columns;
    use(part, std::span<const T>(from, end));
    from = end;
  }
}

namespace detail {

/// Reads the parts of a parameter one after the other into `to`, converted to U.
template <class U, class Device>
void read_parts(const io::WeightFiles& files, const WeightRule& rule, const Shape& shape,
                Tensor<U, Device> to) {
  const Index row = shape.rank() > 1 ? shape.numel() / shape[0] : 1;
  const bool in_order = rule.rows.empty() && rule.columns.empty();
  U* at = to.data();
  std::vector<U> host;
  for (const WeightPart& part : rule.parts) {
    const auto expected = part_shape(part, shape);
    const auto count = static_cast<std::size_t>(part.rows * row);
    const std::string& name = name_in(files, part);
    if (std::is_same_v<Device, Cpu> && in_order) {
      files.read<U>(name, expected, std::span<U>(at, count));
    } else {
      host.resize(count);
      files.read<U>(name, expected, std::span<U>(host));
      if (!in_order) host = reordered<U>(rule, host, row);
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
    if (rule.parts.size() == 1 && rule.rows.empty() && rule.columns.empty())
      if (auto mapped =
              files.map<U>(name_in(files, rule.parts[0]), part_shape(rule.parts[0], shape)))
        return Tensor<U, Device>::over(shape, mapped->file, mapped->values);
  Tensor<U, Device> copy(shape);
  read_parts(files, rule, shape, copy);
  return copy;
}

template <class T, class Device>
void load_parameter(const io::WeightFiles& files, const WeightRule& rule, Parameter<T, Device>& p) {
  if (p.in_pack) return read_parts(files, rule, p.shape, p.value);
  p.hold(
      [&]<class U>(std::type_identity<U>) { return held_alone<U, Device>(files, rule, p.shape); });
}

}  // namespace detail

/// Throws an Error that names what does not fit: a parameter without a rule, a rule without a
/// parameter or with other sizes, a missing tensor, one of another shape. Adapters have a file of
/// their own (adapter.hpp). Reads no tensor, and the parameters need not be allocated. Tensors that
/// no rule reads are left to WeightFiles::unused().
template <class T, class Device>
void check_weights(const io::WeightFiles& files, const std::vector<WeightRule>& rules,
                   Parameters<T, Device>& parameters) {
  const auto missing = files.missing(tensor_names(files, rules));
  GAZE_CHECK(missing.empty(), "checkpoint", files.path(), ": no tensor ", missing.front(),
             missing.size() > 1 ? concat(" (and ", missing.size() - 1, " more)") : "");
  for (const WeightRule& rule : rules) {
    const Parameter<T, Device>* p = parameters.find(rule.parameter);
    GAZE_CHECK(p, "checkpoint", "the model has no parameter ", rule.parameter);
    detail::check_parts(files, rule, p->shape);
  }
  for (const auto& pack : parameters.packs())
    for (const auto* p : pack.members)
      GAZE_CHECK(pack.part == lora_part ||
                     std::any_of(rules.begin(), rules.end(),
                                 [&](const WeightRule& r) { return r.parameter == p->name; }),
                 "checkpoint", "no tensor is known for the parameter ", p->name);
}

/// Gives every parameter its values, in T. One that is held alone (Parameters::allocate_for_file)
/// has T, or bf16 if it is multiplied in bf16, and on the CPU stays in the mapped file if it is one
/// tensor of that type there. What check_weights() refuses is an Error before any is read.
template <class T, class Device>
void load_weights(const io::WeightFiles& files, const std::vector<WeightRule>& rules,
                  Parameters<T, Device>& parameters) {
  parameters.check_allocated("checkpoint");
  check_weights(files, rules, parameters);
  for (const WeightRule& rule : rules)
    detail::load_parameter(files, rule, *parameters.find(rule.parameter));
}

}  // namespace gaze::models::hf
