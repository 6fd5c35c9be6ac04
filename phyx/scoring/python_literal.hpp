// SPDX-License-Identifier: MIT
// Python literals as ast.literal_eval parses them: some models reply with a dict.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace gaze::phyx::python {

/// One Python literal, reduced to what rule O1 needs: its kind, and the string under "content" of a
/// dict.
struct Literal {
  enum class Kind { text, dict, hashable, unhashable };

  Kind kind = Kind::hashable;
  std::u32string text;                    // Kind::text
  std::optional<std::u32string> content;  // Kind::dict: the value of "content", if a string

  /// Empty if `source` is not a literal.
  static std::optional<Literal> parse(std::u32string_view source);
};

}  // namespace gaze::phyx::python
