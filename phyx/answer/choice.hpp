// SPDX-License-Identifier: MIT
// Which letter of a multiple choice an answer chooses: one clear choice or none.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "phyx/answer/quantity.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Longer answers and options are not read.
inline constexpr std::size_t longest_answer = 2048;

/// A text with single spaces, in lower case, without LaTeX and without marks at its ends: the form
/// in which words compare.
std::string canonical_words(std::string_view s);

/// Whether two texts say the same direction and nothing else: "left" and "to the left".
bool same_direction(std::string_view a, std::string_view b);

/// Whether two texts are the same, up to the case of words. In a unit case tells m from M; `q` is
/// the quantity that one of them gives.
bool same_text(std::string_view a, std::string_view b, const std::optional<Quantity>& q);

/// Drops "The correct answer is", "Option" and the like from the front; in prose also "Hence, I
/// choose". Sets `dropped` when anything was.
std::string_view drop_lead_in(std::string_view s, bool prose, bool& dropped);

/// Splits off a standalone letter at the front ("(B) 12 N") or the back ("12 N : B").
std::optional<char> take_letter(std::string_view& s, bool front);

/// The one option whose text is said; nothing when none or several are.
std::optional<char> stated_option(const Problem& p, std::string_view s);

/// The letter that an answer chooses; nothing unless the choice is clear.
std::optional<char> chosen_letter(const Problem& p, std::string_view answer, bool prose);

}  // namespace gaze::phyx
