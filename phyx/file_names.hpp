// SPDX-License-Identifier: MIT
// File names made of text from data: the one place where such text becomes part of a path.
//
//   safe_name(text)   one path component, which names a file of the folder it is put into and no
//                     other: no separators, no "..", no control characters, not too long
#pragma once
#include <cstddef>
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace gaze::phyx {

/// What a file name made of data may have at most, in bytes. File systems take 255; two of these,
/// an ending and that of a temporary file have room in it.
inline constexpr std::size_t longest_name = 96;

/// `text` as a file name. Different texts give different names: what a name cannot have is written
/// %NN, and of a text that is too long the end is replaced by a digest of the whole. `also` are
/// further characters to be written %NN.
std::string safe_name(std::string_view text, std::string_view also = {});

}  // namespace gaze::phyx
