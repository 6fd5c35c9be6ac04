// SPDX-License-Identifier: MIT
// The letter that an answer to a multiple choice chooses, if the choice is clear.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "phyx/answer/quantity.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Limit in bytes; longer answers and options are not read.
inline constexpr std::size_t longest_answer = 2048;

/// The form in which words are compared: lower case, single spaces, no LaTeX, no punctuation at
/// either end.
std::string canonical_words(std::string_view s);

/// Whether both texts state the same direction and nothing else: "left" and "to the left".
bool same_direction(std::string_view a, std::string_view b);

/// Whether two texts are equal, ignoring case unless `q`, the quantity in one of them, has a unit:
/// case distinguishes m from M.
bool same_text(std::string_view a, std::string_view b, const std::optional<Quantity>& q);

/// Removes "The correct answer is", "Option" and similar from the front; in prose also "Hence, I
/// choose". Sets `dropped` if anything was removed.
std::string_view drop_lead_in(std::string_view s, bool prose, bool& dropped);

/// Splits off a standalone letter at the front ("(B) 12 N") or the back ("12 N : B").
std::optional<char> take_letter(std::string_view& s, bool front);

/// The one option whose text `s` states; empty if none or several.
std::optional<char> stated_option(const Problem& p, std::string_view s);

/// The letter that an answer chooses; empty unless the choice is clear.
std::optional<char> chosen_letter(const Problem& p, std::string_view answer, bool prose);

}  // namespace gaze::phyx
