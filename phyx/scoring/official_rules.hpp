// SPDX-License-Identifier: MIT
// PhyX's official rule score (valid_type STR).
//
//   score_official(form, truth, reply)   what the rules extract from a reply, and whether it counts
//
// The rules are kept with all their oddities, because published numbers come from them: a bare
// "A" scores 0 in multiple choice, and an echo of all options scores 1. M1 to M7 and O1 to O6 are
// the latest rules; the paper's first numbers were made by those of May 2025, which know neither
// \boxed{} nor dict replies nor failed calls, and are kept as an option.
#pragma once
#include <string>
#include <string_view>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Which version of the official rules.
enum class OfficialRules { latest, may_2025 };

/// What the rules make of one reply.
struct OfficialScore {
  std::string extracted;  // "SAME as predict" when no rule found an answer
  bool match = false;
};

/// Rules M1 to M7. Those of May 2025 are the same without M2.
OfficialScore score_official_mc(std::string_view answer, std::string_view prediction,
                                OfficialRules rules = OfficialRules::latest);

/// Rules O1 to O6.
OfficialScore score_official_oe(std::string_view answer, std::string_view prediction,
                                OfficialRules rules = OfficialRules::latest);

/// The official rule score of `prediction` where `answer` is the truth, both exactly as stored:
/// trailing blanks matter. A missing prediction is the text "nan".
OfficialScore score_official(Form form, std::string_view answer, std::string_view prediction,
                             OfficialRules rules = OfficialRules::latest);

/// What the official code writes where no rule found an answer, and where the call had failed.
inline constexpr const char* nothing_extracted = "SAME as predict";
inline constexpr const char* call_failed = "Fail to Call API";

/// O1: the reply, or the value of "content" if the reply is a dict.
std::u32string oe_reply(std::u32string_view prediction);

}  // namespace gaze::phyx
