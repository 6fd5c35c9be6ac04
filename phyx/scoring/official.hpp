// SPDX-License-Identifier: MIT
// All of PhyX's official scoring by rule.
//
//   official_rules.hpp   the rules M1 to M7 and O1 to O6
//   official_table.hpp   the mean over all problems and per category, as CSV
//   python_literal.hpp, python_text.hpp   the parts of Python that the rules use
//
// The scoring by a language model is in llm_judge.hpp.
#pragma once
#include "phyx/scoring/official_rules.hpp"
#include "phyx/scoring/official_table.hpp"
