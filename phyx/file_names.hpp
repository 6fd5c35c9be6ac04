// SPDX-License-Identifier: MIT
// File names from untrusted text: the only place where such text becomes part of a path.
//
//   safe_name(text)   one path component that stays inside its folder: no separators, no "..", no
//                     control characters, bounded length
//   is_plain_name(t)  whether a text is such a name as it is, for names that files are called by
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace gaze::phyx {

/// Longest name in bytes. File systems allow 255: enough for two such names, an extension and the
/// suffix of a temporary file.
inline constexpr std::size_t longest_name = 96;

/// `text` as a file name. Different texts give different names: forbidden characters, and those in
/// `also`, become %NN, and the end of a text that is too long becomes a digest of the whole.
std::string safe_name(std::string_view text, std::string_view also = {});

/// Whether a text is 1 to longest_name letters, digits, '-' and '_', all ASCII.
bool is_plain_name(std::string_view text);

}  // namespace gaze::phyx
