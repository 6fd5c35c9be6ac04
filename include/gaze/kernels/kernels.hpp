// SPDX-License-Identifier: MIT
// The kernel contract: what a device must provide. Raw pointers and sizes, no Tensor.
//
// Kernels<Device> is specialised by each device (cpu/kernels.hpp). Operations call, for instance,
// Kernels<Device>::gemm(...); a device that lacks a kernel does not compile, and KernelSet
// (contract.hpp), checked where the device defines its kernels, names the missing one.
#pragma once
#include <cstdint>

#include "gaze/core/device.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

template <class Device>
struct Kernels;

}  // namespace gaze
