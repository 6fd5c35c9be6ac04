// SPDX-License-Identifier: MIT
// The sections of the page as HTML, in its order. A section whose data are missing says so in a
// sentence.
#pragma once
#include <string>

namespace gaze::phyx::report {

struct Context;

/// Title, lead, facts, gaps and the short answer.
std::string headline(const Context& c, const std::string& title);

/// What the four rewards, the hybrid and the controls are.
std::string rewards_section();

/// Sampled and greedy accuracy of every condition, by form and novelty.
std::string overview_section(const Context& c);

/// Accuracy of every condition, then how it answers.
std::string tables_section(const Context& c);

/// How often the rules differ per condition, with examples of both kinds.
std::string two_rules_section(const Context& c);

/// What the study found, what this run found.
std::string findings_section(const Context& c);

/// Paired differences to the warm start, sampled and greedy.
std::string differences_section(const Context& c);

/// Sampled accuracy by reasoning type and by domain.
std::string breakdown_section(const Context& c);

/// Accuracy with the picture, with an empty one and with another problem's.
std::string image_section(const Context& c);

/// pass@k over the number of samples.
std::string pass_section(const Context& c);

/// Learning curves of policy training and of the warm start.
std::string curves_section(const Context& c);

/// Recorded answers to the same problems side by side, with attention over the picture.
std::string examples_section(const Context& c);

/// Words the report uses, and what its numbers cannot say.
std::string glossary_section();

}  // namespace gaze::phyx::report
