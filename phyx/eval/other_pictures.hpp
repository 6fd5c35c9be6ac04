// SPDX-License-Identifier: MIT
// Pictures with which a problem is asked again, to see whether the model looked at its own: a blank
// one, and that of another problem of the same template.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "phyx/train/examples.hpp"

namespace gaze::phyx {

/// The next problem of the same template and form with another answer: whose picture to swap in.
/// A problem's own place where there is no such problem.
std::vector<std::size_t> swap_partners(const std::vector<Example>& examples);

/// White pictures; null for a problem that does not need its picture.
std::vector<Pixels> blank_pictures(std::span<const Example> batch);

/// The partners' pictures, for a batch whose first problem is at `first` among `all`; null for a
/// problem that does not need its picture, or has no partner.
std::vector<Pixels> swapped_pictures(std::span<const Example> batch, std::size_t first,
                                     const std::vector<Example>& all,
                                     const std::vector<std::size_t>& partner);

}  // namespace gaze::phyx
