// SPDX-License-Identifier: MIT
// PhyX's official scoring by rule, everything of it.
//
//   official_rules.hpp   the rules M1 to M7 and O1 to O6
//   official_table.hpp   the mean over all problems and per category, as CSV
//   python_literal.hpp, python_text.hpp   the Python that the rules stand on
//
// The scoring by a language model is in llm_judge.hpp.
#pragma once
#include "phyx/scoring/official_rules.hpp"
#include "phyx/scoring/official_table.hpp"
