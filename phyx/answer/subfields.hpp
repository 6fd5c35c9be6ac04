// SPDX-License-Identifier: MIT
// The principles of PhyX's subfields. Its problems have no reference solution that names one.
#pragma once
#include <string_view>

namespace gaze::phyx {

/// Whether it is one of PhyX's 25 subfields, in the spelling of canonical_subfield().
bool is_known_subfield(std::string_view subfield);

/// Whether a text names a principle of a subfield: one of some phrases as whole words, whatever the
/// letters' case. False for an unknown subfield.
bool names_subfield_principle(std::string_view text, std::string_view subfield);

}  // namespace gaze::phyx
