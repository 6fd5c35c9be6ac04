// SPDX-License-Identifier: MIT
// The report's style sheet and its script, embedded in the page. The security policy allows them by
// their hashes, so style attributes and other scripts have no effect.
//
// Condition colours follow the Okabe-Ito palette, which is distinguishable with the common forms of
// colour blindness; no chart relies on colour alone. The script only adds tabs and the attention of
// a single token on hover; without it everything is visible.
#pragma once

namespace gaze::phyx::report {

/// CSS for the whole page, including the classes that charts and tables use.
extern const char* const style_sheet;

/// CSS for a chart in a file of its own: light colours, without variables, which few programs
/// outside of browsers know.
extern const char* const svg_style;

/// JavaScript without external resources.
extern const char* const page_script;

}  // namespace gaze::phyx::report
