// SPDX-License-Identifier: MIT
// Substitute pictures, to test whether a model uses a problem's picture: a blank one, and that of
// another problem of the same template.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "phyx/train/examples.hpp"

namespace gaze::phyx {

/// For each problem, the index of the next one of the same template and form with another answer,
/// with another look section where both have one, and with another picture where problems have no
/// solution; its own index if there is none. The answer to the problem's own question may still be
/// the same with the partner's picture, e.g. if only facts differ that do not decide it.
std::vector<std::size_t> swap_partners(const std::vector<Example>& examples);

/// The picture of example i's partner; null if the problem does not need a picture or has no
/// partner.
Pixels swapped_picture(const std::vector<Example>& all, const std::vector<std::size_t>& partner,
                       std::size_t i);

/// White pictures; null for problems that do not need a picture.
std::vector<Pixels> blank_pictures(std::span<const Example> batch);

/// The partners' pictures, for a batch that starts at index `first` of `all`; null for problems
/// that do not need a picture or have no partner.
std::vector<Pixels> swapped_pictures(std::span<const Example> batch, std::size_t first,
                                     const std::vector<Example>& all,
                                     const std::vector<std::size_t>& partner);

}  // namespace gaze::phyx
