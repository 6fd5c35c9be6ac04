// SPDX-License-Identifier: MIT
// Names only, for headers that mention Gaze's types without using them.
#pragma once
#include "gaze/core/language.hpp"

namespace gaze {
struct Cpu;
struct Cuda;
class Error;
class Shape;
template <class T, class Device>
class Tensor;
template <class Device>
class Storage;
struct TokenLayout;
}  // namespace gaze
