// SPDX-License-Identifier: MIT
// The default claims, and claims as JSON.
#include "phyx/results/claims.hpp"

#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"

namespace gaze::phyx {

namespace {

const ClaimSlice everything{};
const ClaimSlice multiple_choice{"known", "MC", "overall", "all"};
const ClaimSlice open_ended{"known", "OE", "overall", "all"};
const ClaimSlice domains_each{"known", "all", "domain", "*"};
const ClaimSlice spatial{"known", "all", "reasoning", "Spatial Relation Reasoning"};
const ClaimSlice symbolic{"known", "all", "needs_image", "no"};  // the text alone is sufficient

/// "sampled" and "greedy" accuracy.
const std::string sampled = "accuracy_sampled", greedy = "accuracy_greedy";

std::vector<Claim> study_claims() {
  const std::string abstract = "abstract";
  const auto above = Verdict::above, below = Verdict::below, equivalent = Verdict::equivalent;
  return {
      {"grpo-sft-mc",
       "GRPO with accuracy rewards beats supervised fine-tuning: multiple choice, over the start "
       "with planted defects.",
       "accuracy", "sft", sampled, multiple_choice, above, 0.03, abstract},
      {"grpo-sft-oe", "The same: open-ended, over the start with planted defects.", "accuracy",
       "sft", sampled, open_ended, above, 0.03, abstract},
      {"grpo-clean-mc", "The same: multiple choice, over supervised training on clean responses.",
       "accuracy", "sft_clean", sampled, multiple_choice, above, 0.03, abstract},
      {"grpo-clean-oe", "The same: open-ended, over supervised training on clean responses.",
       "accuracy", "sft_clean", sampled, open_ended, above, 0.03, abstract},
      {"domains", "The accuracy reward gains on most domains.", "accuracy", "sft", sampled,
       domains_each, above, 0.03, abstract},
      {"rubric-mc",
       "Accuracy rewards score higher than the rubric on multiple choice (0.462 against 0.440).",
       "rubric", "accuracy", sampled, multiple_choice, below, 0.03, "a third party's note"},
      {"rubric-principle",
       "The rubric improves structured reasoning: principle, among well-formed answers.", "rubric",
       "sft", "principle_well_formed", everything, above, 0.03, abstract},
      {"rubric-unit", "The rubric improves structured reasoning: unit, among well-formed answers.",
       "rubric", "sft", "unit_well_formed", everything, above, 0.03, abstract},
      {"rubric-accuracy",
       "The rubric brings no consistent gain in accuracy over the accuracy reward.", "rubric",
       "accuracy", sampled, everything, equivalent, 0.03, abstract},
      {"attention-spatial",
       "The attention reward (on the image) lifts spatial reasoning (0.27 to 0.50).", "attention",
       "sft", sampled, spatial, above, 0.03,
       "abstract; the baseline of 0.27 could not be verified"},
      {"attention-spatial-accuracy",
       "The spatial gain is specific to the attention reward (on the image): above that of "
       "accuracy.",
       "attention", "accuracy", sampled, spatial, above, 0.03, "implied by the abstract"},
      {"attention-spatial-format",
       "The spatial gain is specific to the attention reward (on the image): above that of format "
       "alone.",
       "attention", "format", sampled, spatial, above, 0.03, "implied by the abstract"},
      {"attention-symbolic",
       "The attention reward (on the image) degrades symbolic domains: templates that the text "
       "alone decides.",
       "attention", "sft", sampled, symbolic, below, 0.03, abstract},
      {"attention-symbolic-accuracy",
       "The attention reward (on the image) degrades symbolic domains relative to the accuracy "
       "reward.",
       "attention", "accuracy", sampled, symbolic, below, 0.03, "implied by the abstract"},
  };
}

std::vector<Claim> own_questions() {
  const auto above = Verdict::above, below = Verdict::below, equivalent = Verdict::equivalent;
  return {
      {"ability",
       "Do greedy answers improve under the accuracy reward? A gain of sampled answers alone may "
       "only be a better choice among the model's existing modes.",
       "accuracy", "sft", greedy, everything, above},
      {"more-sampled",
       "Does the accuracy reward beat continued supervised training with the same compute: "
       "sampled?",
       "accuracy", "sft_more", sampled, everything, above},
      {"more-greedy", "… greedy?", "accuracy", "sft_more", greedy, everything, above},
      {"clean-greedy",
       "Do greedy answers under the accuracy reward beat supervised training on clean responses?",
       "accuracy", "sft_clean", greedy, everything, above},
      {"attention-look",
       "Does the attention reward (on the image) raise the look score that it pays for "
       "(manipulation check)?",
       "attention", "sft", "look_score", everything, above},
      {"region-spatial",
       "Does the attention reward on annotated regions (an oracle) lift spatial reasoning?",
       "attention_region", "sft", sampled, spatial, above},
      {"region-spatial-accuracy", "… above the accuracy reward?", "attention_region", "accuracy",
       sampled, spatial, above},
      {"hybrid-spatial", "Does the hybrid reward beat the accuracy reward on spatial problems?",
       "hybrid", "accuracy", sampled, spatial, above},
      {"hybrid-symbolic",
       "Does the hybrid reward lose accuracy to the accuracy reward where the text alone is "
       "sufficient?",
       "hybrid", "accuracy", sampled, symbolic, below},
      {"format-alone", "Does rewarding format alone leave accuracy unchanged?", "format", "sft",
       sampled, everything, equivalent},
  };
}

/// Reads the fields of one claim and refuses those that it does not know.
class ClaimReader {
 public:
  ClaimReader(const io::Json& value, std::string where) : value_(value), where_(std::move(where)) {
    GAZE_CHECK(value.is_object(), "claims", where_, ": not an object");
  }

  std::string text(const char* key) {
    io::json_at(value_, key, where_);
    return text(key, "");
  }
  std::string text(const char* key, const std::string& otherwise) {
    known_.insert(key);
    return io::json_text(value_, key, where_, otherwise);
  }
  double number(const char* key, double otherwise) {
    known_.insert(key);
    return io::json_number(value_, key, where_, otherwise);
  }
  const io::Json* object(const char* key) {
    known_.insert(key);
    const auto found = value_.find(key);
    return found == value_.end() ? nullptr : &*found;
  }
  void check_all_known() const {
    for (const auto& [key, unused] : value_.items())
      GAZE_CHECK(known_.count(key), "claims", where_, ": unknown field '",
                 printable(key, kShownBytes), "'");
  }
  const std::string& where() const { return where_; }

 private:
  const io::Json& value_;
  std::string where_;
  std::set<std::string> known_;
};

ClaimSlice slice_from_json(const io::Json& value, const std::string& where) {
  ClaimReader in(value, where);
  ClaimSlice out;
  out.split = in.text("split", out.split);
  out.format = in.text("format", out.format);
  out.kind = in.text("kind", out.kind);
  out.name = in.text("name", out.name);
  in.check_all_known();
  return out;
}

Claim claim_from_json(const io::Json& value, const std::string& where) {
  ClaimReader in(value, where);
  Claim out;
  out.id = in.text("id");
  out.text = in.text("text");
  out.condition = in.text("condition");
  out.reference = in.text("reference");
  out.metric = in.text("metric");
  if (const io::Json* slice = in.object("slice"))
    out.slice = slice_from_json(*slice, where + ", slice");
  const std::string expected = in.text("expected");
  const auto verdict = verdict_of(expected);
  GAZE_CHECK(verdict && *verdict != Verdict::undecided, "claims", where, ", expected: '",
             printable(expected, kShownBytes), "' is not above, below or equivalent");
  out.expected = *verdict;
  out.margin = in.number("margin", out.margin);
  GAZE_CHECK(std::isfinite(out.margin) && out.margin >= 0, "claims", where,
             ", margin: must not be negative, got ", out.margin);
  out.source = in.text("source", "");
  in.check_all_known();
  return out;
}

}  // namespace

const std::vector<Claim>& default_claims() {
  static const std::vector<Claim> claims = [] {
    auto out = study_claims();
    for (auto& c : own_questions()) out.push_back(std::move(c));
    return out;
  }();
  return claims;
}

std::vector<std::string> names_of_slice(const std::string& name) {
  std::vector<std::string> out;
  for (std::size_t at = 0;;) {
    const std::size_t plus = name.find('+', at);
    out.push_back(name.substr(at, plus - at));
    if (plus == name.npos) return out;
    at = plus + 1;
  }
}

std::string difference_metric(const Claim& claim) {
  return claim.metric + "_vs_" + claim.reference;
}

io::Json claims_to_json(const std::vector<Claim>& claims) {
  io::Json out = io::Json::array();
  for (const auto& c : claims)
    out.push_back({{"id", c.id},
                   {"text", c.text},
                   {"condition", c.condition},
                   {"reference", c.reference},
                   {"metric", c.metric},
                   {"slice",
                    {{"split", c.slice.split},
                     {"format", c.slice.format},
                     {"kind", c.slice.kind},
                     {"name", c.slice.name}}},
                   {"expected", verdict_name(c.expected)},
                   {"margin", c.margin},
                   {"source", c.source}});
  return out;
}

std::vector<Claim> claims_from_json(const io::Json& value, const std::string& where) {
  GAZE_CHECK(value.is_array(), "claims", where, ": not a list");
  std::vector<Claim> out;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string here = where + ", claim " + std::to_string(i + 1);
    out.push_back(claim_from_json(value[i], here));
    GAZE_CHECK(ids.insert(out.back().id).second, "claims", here, ": id '",
               printable(out.back().id, kShownBytes), "' appears twice");
  }
  return out;
}

}  // namespace gaze::phyx
