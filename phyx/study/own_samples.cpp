// SPDX-License-Identifier: MIT
// Which of a warm start's own samples are kept, their file, and lessons from them.
#include "phyx/study/own_samples.hpp"

#include <memory>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/line_file.hpp"
#include "phyx/rewards/accuracy.hpp"

namespace gaze::phyx {

std::string OwnSamples::text() const {
  return concat(prompts, " problems, ", sampled, " answers, ", right, " right, ", kept.size(),
                " kept");
}

void OwnSampleFilter::take(std::size_t example, const Problem& problem,
                           const std::vector<std::int32_t>& tokens, const Completion& said,
                           OwnSamples& to) {
  if (!said.ended || accuracy_score({problem, said}) == 0) return;
  ++to.right;
  auto& of_problem = seen_[example];
  if (static_cast<Index>(of_problem.size()) >= most_) return;
  if (of_problem.insert(tokens).second) to.kept.push_back({example, tokens});
}

void write_own_samples(const std::string& path, const OwnSamples& samples) {
  io::OrderedJson counts = {{"prompts", samples.prompts},
                            {"sampled", samples.sampled},
                            {"right", samples.right},
                            {"arithmetic", samples.arithmetic}};
  std::string text = counts.dump() + "\n";
  for (const OwnSample& s : samples.kept)
    text += io::OrderedJson{{"example", s.example}, {"tokens", s.tokens}}.dump() + "\n";
  io::write_file(path, text);
}

namespace {

Index count_at(const io::Json& line, const char* key, const std::string& where) {
  const io::Json& value = io::json_at(line, key, where);
  GAZE_CHECK(value.is_number_unsigned() && std::in_range<Index>(value.get<std::uint64_t>()),
             "own_samples", where, ", ", key, ": not a count");
  return value.get<Index>();
}

OwnSample sample_at(const io::Json& line, std::size_t examples, Index vocabulary,
                    const std::string& where) {
  OwnSample out;
  out.example = static_cast<std::size_t>(count_at(line, "example", where));
  GAZE_CHECK(out.example < examples, "own_samples", where, ": problem ", out.example, " of ",
             examples);
  const io::Json& tokens = io::json_at(line, "tokens", where);
  GAZE_CHECK(tokens.is_array() && !tokens.empty(), "own_samples", where, ": no tokens");
  for (const io::Json& t : tokens) {
    GAZE_CHECK(
        t.is_number_unsigned() && t.get<std::uint64_t>() < static_cast<std::uint64_t>(vocabulary),
        "own_samples", where, ": not a token below ", vocabulary);
    out.tokens.push_back(t.get<std::int32_t>());
  }
  return out;
}

}  // namespace

OwnSamples read_own_samples(const std::string& path, std::size_t examples, Index vocabulary) {
  OwnSamples out;
  io::LineFile in(path, "own_samples");
  bool first = true;
  for (std::string text; in.next(text);) {
    const io::Json line = io::parse_json(text, in.where());
    if (first) {
      out.prompts = count_at(line, "prompts", in.where());
      out.sampled = count_at(line, "sampled", in.where());
      out.right = count_at(line, "right", in.where());
      out.arithmetic = count_at(line, "arithmetic", in.where());
    } else {
      out.kept.push_back(sample_at(line, examples, vocabulary, in.where()));
    }
    first = false;
  }
  GAZE_CHECK(!first, "own_samples", path, ": is empty");
  return out;
}

Lessons own_lessons(OwnSamples samples, const std::vector<Example>& examples, Index batch,
                    std::uint64_t seed) {
  const auto shared = std::make_shared<const OwnSamples>(std::move(samples));
  const Philox random(seed, Purpose::data);
  return [shared, &examples, batch, random](Index step) {
    std::vector<Lesson> out;
    for (Index i = 0; i < batch; ++i) {
      const OwnSample& s = shared->kept[random.below(
          shared->kept.size(), static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(i))];
      out.push_back({{}, &examples[s.example].prompt, {s.tokens}});
    }
    return out;
  };
}

}  // namespace gaze::phyx
