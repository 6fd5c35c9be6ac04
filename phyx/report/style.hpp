// SPDX-License-Identifier: MIT
// The report's style sheet and its one small script, both written into the page, whose security
// policy names them by their hashes: no style attribute and no other script has an effect.
//
// Condition colours follow the Okabe-Ito palette, which stays apart under the common forms of
// colour blindness; no chart relies on colour alone. The script only adds comfort (tabs, attention
// of a single token on hover): without it everything is on the page.
#pragma once

namespace gaze::phyx::report {

/// CSS for the whole page, including the classes that charts and tables use.
extern const char* const style_sheet;

/// JavaScript without any outside resource.
extern const char* const page_script;

}  // namespace gaze::phyx::report
