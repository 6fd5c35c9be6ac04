// SPDX-License-Identifier: MIT
// The synthetic suite: templates, problems made from seeds, and splits. The values that decide the
// answer assign the split, not the layout: no combination of them that is in val or test_known
// occurs in train, though single steps of the calculation do. Exceptions are the templates marked
// layout_only. test_new has templates that are by default never trained on.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "phyx/problem.hpp"
#include "phyx/synth/domains.hpp"
#include "phyx/synth/options.hpp"

namespace gaze::phyx::synth {

/// All templates: trained ones first, with alternating domains, then the new ones.
const std::vector<Template>& templates();

/// The template of this id. Throws Error for an unknown one.
const Template& find_template(std::string_view id);

/// Splits of a template's values.
enum class Split { train, val, test_known };

/// The values that a template draws from a seed. They alone determine the answer.
Values values_of(const Template& t, std::uint64_t seed);

/// Those of the values that decide the answer; all of them for a layout_only template.
Values deciding_values(const Template& t, const Values& values);

/// A stable hash of (template, deciding values), the same on every platform.
std::uint64_t value_key(const Template& t, const Values& values);

/// The same for the values drawn from a seed.
std::uint64_t value_key(const Template& t, std::uint64_t seed);

/// The split of a value key: 80 % train, 6 % val, 14 % test_known.
Split split_of(std::uint64_t key);

/// The same scene in both forms, with equal image bytes. The caller sets `index`.
struct Sample {
  Problem mc, oe;
  std::string
      cue;  // the text cue in both questions: "the two forces are usually equal ."; or empty
};

/// One problem in both forms, a pure function of (template, seed, image size in pixels a side) and,
/// for its text cue alone, of `cue`: the strength as in SuiteOptions::cue, empty for no cue.
Sample sample(const Template& t, std::uint64_t seed, int image_size = 64,
              std::optional<double> cue = {});

/// The first seed derived from `seed` whose values belong to the split. Throws Error if none of the
/// first 100,000 does.
std::uint64_t seed_in(const Template& t, Split split, std::uint64_t seed);

/// The templates of a split, in the order of the suite. Throws Error for an unknown split, and for
/// an unknown or repeated name in the options.
std::vector<const Template*> split_templates(std::string_view split, const SuiteOptions& options);

/// `count` problems of a split ("train", "val", "test_known", "test_new"), cycling through its
/// templates. For equal count, seed, size and templates both forms have the same scenes in the same
/// order, whatever the cue. Throws Error for another split and for invalid options.
std::vector<Problem> make_split(std::string_view split, Form form, std::size_t count,
                                std::uint64_t seed, int image_size = 64,
                                const SuiteOptions& options = {});

}  // namespace gaze::phyx::synth
