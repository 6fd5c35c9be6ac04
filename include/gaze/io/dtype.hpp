// SPDX-License-Identifier: MIT
// The element types of safetensors files: names, sizes, and the C++ types that they are read into.
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "gaze/core/bf16.hpp"
#include "gaze/core/f16.hpp"

namespace gaze::io {

/// Bytes per element of a type of the format; 0 if unknown. (The format's sub-byte types are
/// unknown.)
inline std::size_t dtype_size(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 17> sizes = {{{"F64", 8},
                                                                               {"F32", 4},
                                                                               {"F16", 2},
                                                                               {"BF16", 2},
                                                                               {"F8_E5M2", 1},
                                                                               {"F8_E4M3", 1},
                                                                               {"I64", 8},
                                                                               {"I32", 4},
                                                                               {"I16", 2},
                                                                               {"I8", 1},
                                                                               {"U64", 8},
                                                                               {"U32", 4},
                                                                               {"U16", 2},
                                                                               {"U8", 1},
                                                                               {"BOOL", 1},
                                                                               {"C64", 8},
                                                                               {"F8_E8M0", 1}}};
  for (const auto& [name, size] : sizes) {
    if (name == dtype) return size;
  }
  return 0;
}

/// The format's name for a C++ type; empty if it has none.
template <class T>
constexpr std::string_view dtype_of() {
  if constexpr (std::same_as<T, double>) return "F64";
  if constexpr (std::same_as<T, float>) return "F32";
  if constexpr (std::same_as<T, f16>) return "F16";
  if constexpr (std::same_as<T, bf16>) return "BF16";
  if constexpr (std::same_as<T, std::int64_t>) return "I64";
  if constexpr (std::same_as<T, std::int32_t>) return "I32";
  if constexpr (std::same_as<T, std::uint8_t>) return "U8";
  return "";
}

/// Types that tensors are read into.
template <class T>
concept FileElement = !dtype_of<T>().empty();

/// Types into which values are converted while they are read: float exactly, bf16 rounded to
/// nearest, ties to even (an F16 has three more bits of fraction than a bf16).
template <class T>
concept ConvertedElement = std::same_as<T, float> || std::same_as<T, bf16>;

/// Whether a tensor of type `dtype` can be read as T: T's own type, and F32, F16 and BF16 where
/// values are converted.
template <FileElement T>
constexpr bool readable_as(std::string_view dtype) {
  if constexpr (ConvertedElement<T>)
    if (dtype == "F32" || dtype == "F16" || dtype == "BF16") return true;
  return dtype == dtype_of<T>();
}

}  // namespace gaze::io
