// SPDX-License-Identifier: MIT
// The name of the kernels that a run computes with, recorded in checkpoints and configurations.
#pragma once
#include <string>
#include <type_traits>

#include "gaze/cpu/isa.hpp"
#include "gaze/kernels/contract.hpp"

namespace gaze {

/// Names everything about a device's kernels that affects the bits of a result. `bf16`: the model
/// rounds the operands of its matrix products to bf16.
template <class Device>
std::string kernels_name(bool bf16) {
  const bool cpu = std::is_same_v<Device, Cpu>;
  std::string out = cpu ? name(isa()) : Device::name;
  if (bf16) {
    out += " with ";
    if (cpu && bf16_products() != Bf16Products::f32)
      out += std::string(name(bf16_products())) + " of ";
    out += "bf16";
  }
  if constexpr (requires { Kernels<Device>::choice(); }) out += Kernels<Device>::choice();
  return out;
}

}  // namespace gaze
