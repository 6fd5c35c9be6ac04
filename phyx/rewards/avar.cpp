// SPDX-License-Identifier: MIT
// The quotient of two attention masses, and the weighted sum.
#include "phyx/rewards/avar.hpp"

#include <algorithm>

#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/format.hpp"
#include "phyx/rewards/trace_reader.hpp"

namespace gaze::phyx {

namespace {

/// The sums over the tokens whose quotient counts.
struct QuotientMasses {
  double image = 0, text = 0;
};

bool has_quotient(const AttentionTrace& trace) {
  const auto has = [&](const char* mark) {
    return std::find(trace.marks.begin(), trace.marks.end(), mark) != trace.marks.end();
  };
  return trace.tokens > 0 && trace.layers > 0 && trace.heads > 0 && trace.image_tokens > 0 &&
         has("image") && has("text");
}

QuotientMasses quotient_masses(const TraceReader& reader, int tokens, const AvarConfig& config) {
  QuotientMasses m;
  for (int t = 0; t < tokens; ++t) {
    m.image += reader.mass(t, "image");
    m.text += reader.mass(t, "text") - (config.exclude_sink ? reader.mass(t, "sink") : 0);
  }
  return m;
}

}  // namespace

std::optional<double> visual_quotient(const Completion& completion, const AvarConfig& config) {
  const AttentionTrace& trace = completion.attention;
  if (!has_quotient(trace)) return std::nullopt;
  const TraceReader reader(trace, config.layers, config.heads);
  const QuotientMasses m = quotient_masses(reader, trace.tokens, config);
  // Without any mass on the text the quotient is at its limit; without both it is 0.
  if (m.image <= 0) return 0.0;
  return m.text <= m.image / config.cap ? config.cap : m.image / m.text;
}

std::vector<float> avar_gradient(const RewardInput& in, const AvarConfig& config) {
  const AttentionTrace& trace = in.completion.attention;
  if (!has_quotient(trace) || accuracy_score(in, config.rule) == 0) return {};
  const TraceReader reader(trace, config.layers, config.heads);
  const QuotientMasses m = quotient_masses(reader, trace.tokens, config);
  if (m.image <= 0 || m.text <= m.image / config.cap) return {};
  const double by_image = config.vision / m.text, by_text = -by_image * m.image / m.text;
  std::vector<float> out(trace.mass.size(), 0.0f);
  for (int t = 0; t < trace.tokens; ++t) {
    reader.add_gradient(t, "image", by_image, out);
    reader.add_gradient(t, "text", by_text, out);
    if (config.exclude_sink) reader.add_gradient(t, "sink", -by_text, out);
  }
  return out;
}

std::optional<double> avar_score(const RewardInput& in, const AvarConfig& config) {
  const AttentionTrace& trace = in.completion.attention;
  if (trace.tokens <= 0) return std::nullopt;
  const double right = accuracy_score(in, config.rule), form = format_score(in);
  const auto vision = visual_quotient(in.completion, config);
  if (!vision && trace.image_tokens > 0) return std::nullopt;  // the trace lacks a mark
  return right * (config.accuracy + config.vision * vision.value_or(0)) + config.format * form;
}

RewardKind avar_kind() {
  using C = AvarConfig;
  OptionTable<C> table;
  table.add("accuracy", &C::accuracy, "weight of a right answer", {0});
  table.add("vision", &C::vision, "weight of the attention quotient of a right answer", {0});
  table.add("format", &C::format, "weight of a complete, well-formed response", {0});
  table.add("cap", &C::cap, "upper limit of the quotient", {.01});
  table.add("exclude_sink", &C::exclude_sink, "leave the prompt's first token out of the text");
  add_attention_heads(table, [](C& c) -> C& { return c; });
  add_tolerance(table);
  return kind_of<C>(table, [](const C& c) {
    Reward out;
    out.name = "avar";
    out.doc =
        "A right answer, more if the generated tokens attend to the image rather than to the "
        "prompt's text; and a little for format. Needs no annotations.";
    out.formula =
        "1[right] * (accuracy + vision * min(mean image mass / mean text mass, cap)) + format * "
        "1[well-formed and ended]";
    out.cheats =
        "All tokens count, so short responses and image words anywhere raise the quotient, also "
        "where the text decides. A long question lowers it.";
    out.high = c.accuracy + c.vision * c.cap + c.format;
    out.ungated = [c](const RewardInput& in) { return visual_quotient(in.completion, c); };
    out.score = [c](const RewardInput& in) { return avar_score(in, c); };
    out.attention_gradient = [c](const RewardInput& in) { return avar_gradient(in, c); };
    return out;
  });
}

}  // namespace gaze::phyx
