// SPDX-License-Identifier: MIT
// Finds the answer in a reply: its answer element, or else, outside the thinking, the last
// \boxed{}, the text after the last "the answer is", or the last line. Time is linear in the reply.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx {

/// The part of a reply that is graded.
struct Reply {
  bool tagged = false;  // `text` is the answer element, empty if there are several
  std::string text;     // else the prose after the thinking, empty if the thinking never ends
};

/// Reads a whole completion. Never throws: the text comes from a model.
Reply read_reply(std::string_view completion);

/// The answer that prose states. `before`: the line above, if the answer is merely the last line.
/// `after`: the rest of its line.
struct Statement {
  std::string text, before, after;
};

/// The answer in `s`, the text of an untagged Reply; empty if there is none.
Statement find_statement(std::string_view s);

}  // namespace gaze::phyx
