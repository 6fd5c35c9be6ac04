// SPDX-License-Identifier: MIT
// PhyX's official scoring by rule, everything of it.
//
//   score_official_rules.hpp   the rules M1 to M7 and O1 to O6
//   score_official_table.hpp   the mean over all problems and per category, as CSV
//   score_official_literal.hpp, score_official_text.hpp   the Python that the rules stand on
//
// The scoring by a language model is in judge.hpp.
#pragma once
#include "phyx/scoring/official_rules.hpp"
#include "phyx/scoring/official_table.hpp"
