// SPDX-License-Identifier: MIT
// Where a reply states its answer: in its answer element; else, without its thinking, in the last
// \boxed{}, behind the last "the answer is", or in the last line. Time is linear in the reply.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx {

/// A reply as it is judged.
struct Reply {
  bool tagged = false;  // `text` is the only answer element, empty when there are several
  std::string text;     // else the prose behind all thinking, empty when thinking never ends
};

/// Reads a whole completion. Never throws, whatever a model wrote.
Reply read_reply(std::string_view completion);

/// What prose says as its answer. `before`: where that is merely the last line, the line above.
/// `after`: what follows it on its line.
struct Statement {
  std::string text, before, after;
};

/// What `s`, the text of an untagged Reply, says as its answer; empty where it says nothing.
Statement find_statement(std::string_view s);

}  // namespace gaze::phyx
