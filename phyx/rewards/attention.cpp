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

/// Mean mass per mark over the chosen layers and heads, for one token.
class TraceReader {
 public:
  TraceReader(const AttentionTrace& trace, const AttentionRewardConfig& config) : trace_(trace) {
    layers_ = chosen(config.layers, trace.layers, "layer");
    heads_ = chosen(config.heads, trace.heads, "head");
    const auto size = [](auto n) { return static_cast<std::size_t>(n); };
    const std::size_t want =
        size(trace.tokens) * size(trace.layers) * size(trace.heads) * trace.marks.size();
    GAZE_CHECK(trace.mass.size() == want, "attention_reward", "trace has ", trace.mass.size(),
               " masses, its sizes say ", want);
  }

  bool has(std::string_view mark) const { return index(mark) < trace_.marks.size(); }

  double mass(int token, std::string_view mark) const {
    const std::size_t m = index(mark), marks = trace_.marks.size();
    if (m == marks) return 0;
    double sum = 0;
    for (int l : layers_)
      for (int h : heads_) {
        const auto row =
            (static_cast<std::size_t>(token) * static_cast<std::size_t>(trace_.layers) +
             static_cast<std::size_t>(l)) *
                static_cast<std::size_t>(trace_.heads) +
            static_cast<std::size_t>(h);
        sum += static_cast<double>(trace_.mass[row * marks + m]);
      }
    return sum / static_cast<double>(layers_.size() * heads_.size());
  }

 private:
  static std::vector<int> chosen(std::vector<int> list, int count, const char* what) {
    if (list.empty())
      for (int i = 0; i < count; ++i) list.push_back(i);
    for (int i : list)
      GAZE_CHECK(i >= 0 && i < count, "attention_reward", what, " ", i, " of ", count);
    return list;
  }
  std::size_t index(std::string_view mark) const {
    return static_cast<std::size_t>(std::find(trace_.marks.begin(), trace_.marks.end(), mark) -
                                    trace_.marks.begin());
  }

  const AttentionTrace& trace_;
  std::vector<int> layers_, heads_;
};

// One token's score in [0, 1]. With s the attention share and u the share of uniform attention,
// lift = s / u and the score is lift / (1 + lift), the logistic of the log-ratio: 1/2 for uniform
// attention.
double token_score(const TraceReader& reader, const AttentionTrace& trace, int token,
                   const AttentionRewardConfig& c, bool region) {
  const double image = reader.mass(token, "image");
  const double sink = c.exclude_sink ? reader.mass(token, "sink") : 0;
  const double rest = std::max(1 - sink, 1e-6);
  if (c.baseline == AttentionBaseline::none)
    return std::clamp((region ? reader.mass(token, "region") : image) / rest, 0.0, 1.0);
  constexpr double nothing = 1e-6;
  if (image < nothing) return 0;
  double share = image / rest, uniform = 1;
  if (region) {
    share = reader.mass(token, "region") / image;
    uniform = static_cast<double>(trace.region_tokens) / trace.image_tokens;
  } else {
    GAZE_CHECK(static_cast<int>(trace.keys.size()) > token, "attention_reward",
               "trace has no key count for token ", token);
    const int keys = std::max(trace.keys[static_cast<std::size_t>(token)], trace.image_tokens);
    uniform = static_cast<double>(trace.image_tokens) / keys;
  }
  const double lift = std::min(share / uniform, c.cap);
  return lift / (1 + lift);
}

}  // namespace

TokenSpan window_of(const std::vector<std::string>& tokens, AttentionWindow window) {
  const auto& g = grammar;
  if (window == AttentionWindow::answer) return between_tags(tokens, g.answer_open, g.answer_close);
  if (window == AttentionWindow::all || window == AttentionWindow::first_n)
    return {0, static_cast<int>(tokens.size())};
  TokenSpan span = between_tags(tokens, g.think_open, g.think_close);
  if (window == AttentionWindow::think) return span;
  for (int i = span.begin; i < span.end; ++i)
    if (ends_look(tokens, i)) return {span.begin, i};
  return span;
}

std::optional<double> look_score(const Completion& completion,
                                 const AttentionRewardConfig& config) {
  const AttentionTrace& trace = completion.attention;
  GAZE_CHECK(config.mark == "region" || config.mark == "image", "attention_reward",
             "mark must be \"region\" or \"image\", not \"", config.mark, "\"");
  if (trace.tokens <= 0 || trace.layers <= 0 || trace.heads <= 0 || trace.image_tokens <= 0)
    return std::nullopt;
  const TraceReader reader(trace, config);
  if (!reader.has("image")) return std::nullopt;
  const bool region = config.mark == "region" && reader.has("region") && trace.region_tokens > 0 &&
                      trace.region_tokens < trace.image_tokens;
  auto span = window_of(completion.tokens, config.window);
  span.end = std::min(span.end, trace.tokens);
  if (config.max_tokens > 0) span.end = std::min(span.end, span.begin + config.max_tokens);
  if (span.size() < std::max(config.min_tokens, 1)) return 0.0;
  double sum = 0;
  for (int t = span.begin; t < span.end; ++t) sum += token_score(reader, trace, t, config, region);
  return sum / span.size();
}

std::optional<double> attention_score(const RewardInput& in, const AttentionRewardConfig& config) {
  const auto look = look_score(in.completion, config);
  if (!look) return std::nullopt;
  const bool formed = in.completion.ended && in.response.well_formed;
  if (config.gate_format && !formed) return 0.0;
  if (config.gate_correct && accuracy_score(in, config.rule) == 0) return 0.0;
  return look;
}

AttentionRewardConfig raw_attention() {
  AttentionRewardConfig c;
  c.window = AttentionWindow::all;
  c.min_tokens = 1;
  c.max_tokens = 0;
  c.mark = "image";
  c.exclude_sink = false;
  c.baseline = AttentionBaseline::none;
  c.gate_format = c.gate_correct = false;
  return c;
}

Reward make_attention_reward(AttentionRewardConfig config, std::string name) {
  return {
      std::move(name),
      "Attention on the region of interest (without one, on the image) relative to uniform "
      "attention, while the model describes the picture; only for right, well-formed responses.",
      "1[right] * mean over the first 8 look tokens of r/(1+r), r = min(share/uniform, 4)",
      "Image words in the look section that nothing later uses. It also pays for looking where "
      "the problem needs no picture. Attention mass does not prove that the model used the "
      "picture.",
      0,
      1,
      [config = std::move(config)](const RewardInput& in) { return attention_score(in, config); }};
}

Reward make_raw_attention_reward() {
  Reward out = make_attention_reward(raw_attention(), "attention_raw");
  out.doc = "Mean attention mass on the image over all generated tokens. For study only.";
  out.formula = "mean over tokens, layers and heads of the mass on image tokens";
  out.cheats =
      "Early tokens have the most mass: trained alone, the response shrinks to a single closing "
      "tag "
      "and accuracy to zero.";
  return out;
}

}  // namespace gaze::phyx
