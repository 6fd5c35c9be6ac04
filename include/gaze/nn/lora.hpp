// SPDX-License-Identifier: MIT
// LoRA (Hu et al. 2021, arXiv 2106.09685): small trained corrections of frozen weights.
//
//   Linear<float, Cpu> up(all, "up", "base", 256, 1024, false);
//   add_lora(all, {{.weight = "up.weight", .rank = 8, .factor = 2}});
//   all.allocate(seed);
//   all.train_only({lora_part});
//   auto y = up(x);              // x W^T + factor (x A^T) B^T
//   enable_lora(all, false);     // x W^T: a reference policy without a second model
#pragma once
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "gaze/nn/parameters.hpp"
#include "gaze/ops/gemm.hpp"

namespace gaze {

/// The part of all adapters' parameters.
inline constexpr const char* lora_part = "lora";

/// Consecutive rows of a weight that have an adapter of their own, or none.
struct LoraRows {
  Index rows;
  bool adapted = true;
};

/// The adapters of a weight matrix.
struct LoraWeight {
  std::string weight;  // the parameter's name
  Index rank = 0;
  double factor = 1;                 // alpha / rank
  std::vector<LoraRows> parts = {};  // of all rows; empty: one part
};
using LoraPlan = std::vector<LoraWeight>;  ///< The adapters of a model.

/// The names of adapter parameters of a weight; `part`: its number.
inline std::string lora_down_name(const std::string& weight) { return weight + ".lora_a"; }
/// The name of the B of adapter number `part` of a weight.
inline std::string lora_up_name(const std::string& weight, std::size_t part) {
  return weight + ".lora_b." + std::to_string(part);
}

/// Declares adapters for weights of products, before allocate(). Of a weight [O, C], A of all its
/// adapted parts [parts * rank, C] starts normal with PEFT's standard deviation, 1 / sqrt(3 C), and
/// B [rows of a part, rank] as zeros, so that the output is unchanged before the first step. They
/// stay in T where the model multiplies in bf16, and are trained also beside weights that were
/// allocated as frozen. Throws Error for unknown and already adapted weights and for parts that are
/// not all rows.
template <class T, class Device>
void add_lora(Parameters<T, Device>& all, const LoraPlan& plan) {
  for (const LoraWeight& w : plan) {
    auto* const weight = all.find(w.weight);
    GAZE_CHECK(weight && weight->shape.rank() == 2 && !weight->lora, "add_lora", w.weight,
               ": not a weight matrix without adapters");
    GAZE_CHECK(w.rank > 0, "add_lora", w.weight, ": the rank must be above 0, got ", w.rank);
    const Index columns = weight->shape[1];
    const auto add = [&](const std::string& name, const Shape& shape, Init init) {
      auto& p = all.add(name, shape, init, lora_part);
      p.keeps_value = true;
      return &p;
    };
    LoraParameters<T, Device> adapters{nullptr, {}, {}, static_cast<T>(w.factor)};
    const auto parts = w.parts.empty() ? std::vector<LoraRows>{{weight->shape[0]}} : w.parts;
    Index row = 0;
    for (std::size_t i = 0; i < parts.size(); row += parts[i++].rows) {
      if (!parts[i].adapted) continue;
      adapters.up.push_back(add(lora_up_name(w.weight, i), {parts[i].rows, w.rank}, Init::zeros()));
      adapters.first.push_back(row);
    }
    GAZE_CHECK(row == weight->shape[0] && !adapters.up.empty(), "add_lora", w.weight, ": ", row,
               " rows in parts, of which ", adapters.up.size(), " are adapted; it has ",
               weight->shape[0]);
    const Index ranks = checked_product("add_lora", static_cast<Index>(adapters.up.size()), w.rank);
    adapters.down = add(lora_down_name(w.weight), {ranks, columns},
                        Init::normal(1 / std::sqrt(3 * static_cast<double>(columns))));
    weight->lora = std::move(adapters);
  }
}

/// Off, only the frozen weights act. In training, the optimiser then reports the adapters'
/// parameters as having no gradient.
template <class T, class Device>
void enable_lora(Parameters<T, Device>& all, bool on) {
  for (auto& p : all.all())
    if (p.lora) p.lora->enabled = on;
}

namespace detail {

/// A copy of a weight's values in T.
template <class T, class Device>
Tensor<T, Device> values_of(const Parameter<T, Device>& p) {
  if (p.value.defined()) return Tensor<T, Device>::from(p.shape, p.value.to_vector());
  std::vector<T> values;
  for (const bf16 x : p.rounded().to_vector()) values.push_back(static_cast<T>(float(x)));
  return Tensor<T, Device>::from(p.shape, values);
}

template <class T, class Device>
void merge_lora(Parameter<T, Device>& p) {
  const LowRank<T, Device> a = p.lora->values();
  Tensor<T, Device> sum = p.in_pack ? p.value : values_of(p);
  Index rank = 0;
  for (std::size_t i = 0; i < a.up.size(); ++i) {
    const Index end = rank + a.up[i].size(1);
    const auto delta = matmul(a.up[i], slice(a.down, 0, rank, end));
    Kernels<Device>::axpy(delta.numel(), a.factor, delta.data(),
                          sum.data() + a.first[i] * p.shape[1]);
    rank = end;
  }
  if (p.in_pack) return sum.changed();
  p.hold([&]<class U>(std::type_identity<U>) {
    if constexpr (std::is_same_v<U, T>) {
      return sum;
    } else {
      Tensor<U, Device> rounded(p.shape);
      Kernels<Device>::cast(sum.numel(), sum.data(), rounded.data());
      return rounded;
    }
  });
}

}  // namespace detail

/// Adds factor B A to every adapted weight, which has no adapters afterwards. Weights that are held
/// alone, in bf16 or in a mapped file, are replaced by such sums in their own precision.
template <class T, class Device>
void merge_lora(Parameters<T, Device>& all) {
  const NoGrad no_grad;
  all.check_allocated("merge_lora");
  for (auto& p : all.all()) {
    if (!p.lora) continue;
    detail::merge_lora(p);
    p.lora.reset();
  }
}

}  // namespace gaze
