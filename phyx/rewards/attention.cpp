// SPDX-License-Identifier: MIT
// Token windows, mean mass per token, and the score.
#include "phyx/rewards/attention.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/trace_reader.hpp"

namespace gaze::phyx {

namespace {

// The tokens between two tags; a tag may span several tokens.
TokenSpan between_tags(const std::vector<std::string>& tokens, std::string_view open,
                       std::string_view close) {
  std::string all;
  std::vector<std::size_t> starts;
  for (const auto& token : tokens) {
    starts.push_back(all.size());
    all += token;
  }
  const auto a = all.find(open);
  if (a == all.npos) return {};
  const auto b = std::min(all.find(close, a), all.size());
  const auto first = std::lower_bound(starts.begin(), starts.end(), a + open.size());
  const auto last =
      b == all.size() ? starts.end() : std::upper_bound(starts.begin(), starts.end(), b) - 1;
  return {static_cast<int>(first - starts.begin()), static_cast<int>(last - starts.begin())};
}

// A stop before a digit is a decimal point that the tokeniser split off.
bool ends_look(const std::vector<std::string>& tokens, int i) {
  const auto word = text::trim(tokens[static_cast<std::size_t>(i)]);
  if (word == grammar.principle || word == grammar.so) return true;
  if (word != grammar.stop) return false;
  const auto next = static_cast<std::size_t>(i) + 1;
  return next >= tokens.size() || tokens[next].empty() || tokens[next][0] < '0' ||
         tokens[next][0] > '9';
}

// The masses that a token's score reads, and the uniform share that it is compared with.
struct TokenMasses {
  double image = 0, region = 0, sink = 0;
  double uniform = 1;
};

TokenMasses masses_of(const TraceReader& reader, const AttentionTrace& trace, int token,
                      const AttentionRewardConfig& c, bool region) {
  TokenMasses m;
  m.image = reader.mass(token, "image");
  m.region = region ? reader.mass(token, "region") : 0;
  m.sink = c.exclude_sink ? reader.mass(token, "sink") : 0;
  if (c.baseline == AttentionBaseline::none) return m;
  if (region) {
    m.uniform = static_cast<double>(trace.region_tokens) / trace.image_tokens;
  } else {
    GAZE_CHECK(static_cast<int>(trace.keys.size()) > token, "attention_reward",
               "trace has no key count for token ", token);
    const int keys = std::max(trace.keys[static_cast<std::size_t>(token)], trace.image_tokens);
    m.uniform = static_cast<double>(trace.image_tokens) / keys;
  }
  return m;
}

constexpr double no_mass = 1e-6;

// One token's score in [0, 1]. With s the attention share and u the share of uniform attention,
// lift = s / u and the score is lift / (1 + lift), the logistic of the log-ratio: 1/2 for uniform
// attention.
double token_score(const TokenMasses& m, const AttentionRewardConfig& c, bool region) {
  const double rest = std::max(1 - m.sink, no_mass);
  if (c.baseline == AttentionBaseline::none)
    return std::clamp((region ? m.region : m.image) / rest, 0.0, 1.0);
  if (m.image < no_mass) return 0;
  const double share = region ? m.region / m.image : m.image / rest;
  const double lift = std::min(share / m.uniform, c.cap);
  return lift / (1 + lift);
}

// Its derivative with respect to the masses.
TokenMasses token_gradient(const TokenMasses& m, const AttentionRewardConfig& c, bool region) {
  const double rest = std::max(1 - m.sink, no_mass);
  const double own = region ? m.region : m.image;
  // Of own / rest, by the sink.
  const double by_rest = c.exclude_sink && rest > no_mass ? own / (rest * rest) : 0;
  TokenMasses out{0, 0, 0, 0};
  if (c.baseline == AttentionBaseline::none) {
    if (own <= 0 || own >= rest) return out;
    (region ? out.region : out.image) = 1 / rest;
    out.sink = by_rest;
    return out;
  }
  if (m.image < no_mass) return out;
  const double share = region ? m.region / m.image : m.image / rest, lift = share / m.uniform;
  if (lift >= c.cap) return out;
  const double gradient = 1 / ((1 + lift) * (1 + lift) * m.uniform);  // by the share
  if (region) {
    out.region = gradient / m.image;
    out.image = -gradient * m.region / (m.image * m.image);
  } else {
    out.image = gradient / rest;
    out.sink = gradient * by_rest;
  }
  return out;
}

// Was the attention on a picture recorded?
bool measurable(const AttentionTrace& trace) {
  const auto& marks = trace.marks;
  return trace.tokens > 0 && trace.layers > 0 && trace.heads > 0 && trace.image_tokens > 0 &&
         std::find(marks.begin(), marks.end(), "image") != marks.end();
}

/// The default of `neutral` is the score of uniform attention, relative to which the baseline
/// `uniform` measures. A share has no such value.
void check_neutral(const io::Json& given) {
  GAZE_CHECK(given.value("baseline", "uniform") != "none" || given.contains("neutral"),
             "attention_reward",
             "baseline=none needs neutral: its default is the score of uniform "
             "attention with baseline=uniform");
}

OptionTable<AttentionRewardConfig> gated_table() {
  using C = AttentionRewardConfig;
  OptionTable<C> table;
  add_look_options(table, [](C& c) -> C& { return c; });
  table.add("neutral", &C::neutral,
            "score of a right answer whose window is shorter than min_tokens; required with "
            "baseline=none",
            {0, 1});
  table.add("gate_format", &C::gate_format, "0 unless the response is well-formed and ended");
  table.add("gate_correct", &C::gate_correct, "0 unless the answer is right");
  add_tolerance(table);
  return table;
}

}  // namespace

TokenSpan window_of(const std::vector<std::string>& tokens, AttentionWindow window) {
  const auto& g = grammar;
  if (window == AttentionWindow::answer) return between_tags(tokens, g.answer_open, g.answer_close);
  if (window == AttentionWindow::all) return {0, static_cast<int>(tokens.size())};
  TokenSpan span = between_tags(tokens, g.think_open, g.think_close);
  if (window == AttentionWindow::think) return span;
  for (int i = span.begin; i < span.end; ++i)
    if (ends_look(tokens, i)) return {span.begin, i};
  return span;
}

namespace {

// The tokens that count and what is read of them; `span` is empty if nothing is measured.
struct Window {
  TraceReader reader;
  TokenSpan span;
  bool region;
};

std::optional<Window> measured_window(const Completion& completion,
                                      const AttentionRewardConfig& config) {
  const AttentionTrace& trace = completion.attention;
  if (!measurable(trace)) return std::nullopt;
  Window out{TraceReader(trace, config.layers, config.heads),
             window_of(completion.tokens, config.window), false};
  out.region = config.mark == AttentionMark::region && out.reader.has("region") &&
               trace.region_tokens > 0 && trace.region_tokens < trace.image_tokens;
  auto& span = out.span;
  span.end = std::min(span.end, trace.tokens);
  if (config.max_tokens > 0) span.end = std::min(span.end, span.begin + config.max_tokens);
  if (span.size() < std::max(config.min_tokens, 1)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<double> look_score(const Completion& completion,
                                 const AttentionRewardConfig& config) {
  const auto w = measured_window(completion, config);
  if (!w) return std::nullopt;
  double sum = 0;
  for (int t = w->span.begin; t < w->span.end; ++t)
    sum += token_score(masses_of(w->reader, completion.attention, t, config, w->region), config,
                       w->region);
  return sum / w->span.size();
}

std::vector<float> attention_gradient(const RewardInput& in, const AttentionRewardConfig& config) {
  const bool formed = in.completion.ended && in.response.well_formed;
  if (config.gate_format && !formed) return {};
  if (config.gate_correct && accuracy_score(in, config.rule) == 0) return {};
  return look_gradient(in.completion, config);
}

std::vector<float> look_gradient(const Completion& completion,
                                 const AttentionRewardConfig& config) {
  const auto w = measured_window(completion, config);
  if (!w) return {};
  std::vector<float> out(completion.attention.mass.size(), 0.0f);
  for (int t = w->span.begin; t < w->span.end; ++t) {
    const TokenMasses gradient = token_gradient(
        masses_of(w->reader, completion.attention, t, config, w->region), config, w->region);
    for (const auto& [mark, by] :
         {std::pair("image", gradient.image), std::pair("region", gradient.region),
          std::pair("sink", gradient.sink)})
      w->reader.add_gradient(t, mark, by / w->span.size(), out);
  }
  return out;
}

std::optional<double> attention_score(const RewardInput& in, const AttentionRewardConfig& config) {
  if (!measurable(in.completion.attention)) return std::nullopt;
  const auto look = look_score(in.completion, config);  // checks the trace
  const bool formed = in.completion.ended && in.response.well_formed;
  if (config.gate_format && !formed) return 0.0;
  if (config.gate_correct && accuracy_score(in, config.rule) == 0) return 0.0;
  return look.value_or(config.neutral);
}

AttentionRewardConfig region_attention() {
  AttentionRewardConfig c;
  c.mark = AttentionMark::region;
  return c;
}

AttentionRewardConfig raw_attention() {
  AttentionRewardConfig c;
  c.window = AttentionWindow::all;
  c.min_tokens = 1;
  c.max_tokens = 0;
  c.exclude_sink = false;
  c.baseline = AttentionBaseline::none;
  c.gate_format = c.gate_correct = false;
  c.neutral = 0;
  return c;
}

Reward make_attention_reward(AttentionRewardConfig config, std::string name) {
  const bool region = config.mark == AttentionMark::region;
  Reward out;
  out.name = std::move(name);
  out.doc = region ? "An oracle: attention on the annotated region of interest, relative to "
                     "uniform attention on the image, while the model describes the picture; only "
                     "for right, well-formed responses. Needs boxes; without one, or with one that "
                     "covers the picture, the image is measured."
                   : "Attention on the image, relative to uniform attention on all visible keys, "
                     "while the model describes the picture; only for right, well-formed "
                     "responses. Needs no annotations.";
  out.formula =
      "1[right] * mean over the first max_tokens look tokens of r/(1+r), r = min(share/uniform, "
      "cap); neutral without a look section";
  out.cheats =
      "Image words in the look section that nothing later uses. It also pays for looking where a "
      "problem needs no picture. A model that attends less than uniformly gains by leaving the "
      "look section out. Mass is no proof that the model used what it attended to.";
  out.ungated = [config](const RewardInput& in) { return look_score(in.completion, config); };
  out.attention_gradient = [config](const RewardInput& in) {
    return attention_gradient(in, config);
  };
  out.score = [config = std::move(config)](const RewardInput& in) {
    return attention_score(in, config);
  };
  return out;
}

Reward make_raw_attention_reward(AttentionRewardConfig config) {
  Reward out = make_attention_reward(std::move(config), "attention_raw");
  out.doc = "Mean attention mass on the image over all generated tokens. For study only.";
  out.formula = "mean over tokens, layers and heads of the mass on image tokens";
  out.cheats =
      "Early tokens have the most mass: trained alone, the response shrinks to a single closing "
      "tag and accuracy to zero.";
  return out;
}

RewardKind attention_kind() {
  using C = AttentionRewardConfig;
  RewardKind out = kind_of<C>(gated_table(), [](const C& c) { return make_attention_reward(c); });
  out.check = check_neutral;
  return out;
}

RewardKind attention_region_kind() {
  using C = AttentionRewardConfig;
  RewardKind out = kind_of<C>(gated_table(), [](C c) {
    c.mark = AttentionMark::region;
    return make_attention_reward(std::move(c), "attention_region");
  });
  out.check = check_neutral;
  return out;
}

RewardKind raw_attention_kind() {
  using C = AttentionRewardConfig;
  OptionTable<C> table;
  add_attention_heads(table, [](C& c) -> C& { return c; });
  return kind_of<C>(table, [](const C& given) {
    C c = raw_attention();
    c.layers = given.layers;
    c.heads = given.heads;
    return make_raw_attention_reward(std::move(c));
  });
}

}  // namespace gaze::phyx
