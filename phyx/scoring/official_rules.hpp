// SPDX-License-Identifier: MIT
// PhyX's official rule score (valid_type STR).
//
//   score_official(form, truth, reply)   the extracted answer, and whether it matches
//
// The rules are reproduced with all their oddities, because published numbers come from them: a
// bare "A" scores 0 in multiple choice, and an echo of all options scores 1. M1 to M7 and O1 to O6
// are the latest rules. The paper's first numbers follow those of May 2025, without \boxed{}, dict
// replies and failed calls, which are available as an option.
#pragma once
#include <string>
#include <string_view>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Version of the official rules.
enum class OfficialRules { latest, may_2025 };

/// The official score of one reply.
struct OfficialScore {
  std::string extracted;  // "SAME as predict" if no rule found an answer
  bool match = false;
};

/// Rules M1 to M7. Those of May 2025 are the same without M2.
OfficialScore score_official_mc(std::string_view answer, std::string_view prediction,
                                OfficialRules rules = OfficialRules::latest);

/// Rules O1 to O6.
OfficialScore score_official_oe(std::string_view answer, std::string_view prediction,
                                OfficialRules rules = OfficialRules::latest);

/// The official rule score of `prediction` for the truth `answer`, both exactly as stored: trailing
/// blanks matter. "nan" for a missing prediction.
OfficialScore score_official(Form form, std::string_view answer, std::string_view prediction,
                             OfficialRules rules = OfficialRules::latest);

/// Texts of the official code if no rule found an answer, and for a failed call.
inline constexpr const char* nothing_extracted = "SAME as predict";
inline constexpr const char* call_failed = "Fail to Call API";

/// O1: the reply, or the value of "content" if the reply is a dict.
std::u32string oe_reply(std::u32string_view prediction);

}  // namespace gaze::phyx
