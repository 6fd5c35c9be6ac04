// SPDX-License-Identifier: MIT
// The sections of the page as HTML, in order. A section without data contains a note instead.
#pragma once
#include <string>

namespace gaze::phyx::report {

struct Context;
struct RunData;

/// Title, introduction, facts, missing data and the main result.
std::string headline(const Context& c, const std::string& title);

/// Descriptions of the rewards and the conditions.
std::string rewards_section(const Context& c);

/// Sampled and greedy accuracy of every condition, by form and novelty.
std::string overview_section(const Context& c);

/// Accuracy and behaviour of every condition.
std::string tables_section(const Context& c);

/// Frequency of differences between the two rules per condition, with examples of both kinds.
std::string two_rules_section(const Context& c);

/// Claims of the study, and results of this run.
std::string findings_section(const Context& c);

/// Paired differences to the warm start, sampled and greedy.
std::string differences_section(const Context& c);

/// Sampled accuracy by reasoning type and by domain.
std::string breakdown_section(const Context& c);

/// Accuracy with the picture, with an empty one and with another problem's.
std::string image_section(const Context& c);

/// pass@k over the number of samples.
std::string pass_section(const Context& c);

/// Accuracy over the sampling temperature.
std::string temperature_section(const Context& c);

/// Differences to the warm start on each template, with single seeds.
std::string templates_section(const Context& c);

/// The manipulation check: the rewards before and after training, and reward against accuracy.
std::string paid_section(const Context& c);

/// Learning curves of policy training and of the warm start.
std::string curves_section(const Context& c);

/// Recorded answers to the same problems side by side, with attention over the picture.
std::string examples_section(const Context& c);

/// Glossary, and limitations of the results.
std::string glossary_section(const RunData& data);

}  // namespace gaze::phyx::report
