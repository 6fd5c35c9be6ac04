// SPDX-License-Identifier: MIT
// The table of every setting of a study, composed of one table per settings struct.
#include "gaze/rl/options.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx {

namespace {

Fields<AdamWSettings> adamw_fields() {
  using S = AdamWSettings;
  return {field("beta1", "decay of the first moment", below_one(), &S::beta1),
          field("beta2", "decay of the second moment", below_one(), &S::beta2),
          field("eps", "added to the root of the second moment", above(0), &S::eps),
          field("weight_decay", "decoupled weight decay, of matrices only", at_least(0),
                &S::weight_decay),
          field("clip", "maximum gradient norm; 0: no clipping", at_least(0), &S::clip)};
}

Fields<OptimiserSettings> optimiser_fields() {
  using S = OptimiserSettings;
  Fields<S> out = {
      field("warmup", "warm-up steps, at most a tenth of the stage and one", at_least(0),
            &S::warmup),
      field("floor", "last learning rate, as a share of the peak", from_to(0, 1), &S::floor)};
  append(out, nested("", &S::adamw, adamw_fields()));
  return out;
}

Fields<CorruptionMix> corruption_fields() {
  using S = CorruptionMix;
  const Range share = from_to(0, 1);
  return {
      field("share", "share of responses selected for corruption", share, &S::share),
      field("lazy", "probability of no look, no calculation and a guess", share, &S::lazy),
      field("format", "probability of a broken or missing element", share, &S::format),
      field("principle", "probability of another principle", share, &S::principle),
      field("unit", "probability of a wrong or missing unit", share, &S::unit),
  };
}

Fields<WarmStartSettings> warm_start_fields() {
  using S = WarmStartSettings;
  const Range share = from_to(0, 1), count = at_least(0);
  Fields<S> out = {
      field("letter_steps", "steps of the stage letters", count, &S::letter_steps),
      field("vision_steps", "steps of the stage vision", count, &S::vision_steps),
      field("caption_steps", "steps of the stage caption", count, &S::caption_steps),
      field("clean_steps", "steps of the stage sft", count, &S::clean_steps),
      field("mixed_steps", "steps of the stage sft_mixed", count, &S::mixed_steps),
      field("batch", "lessons per step", at_least(1), &S::batch),
      field("rate", "peak learning rate", above(0), &S::rate),
      field("mixed_rate", "peak rate of sft_mixed, as a share of rate", above(0), &S::mixed_rate),
      field("captions", "share of captions among responses", share, &S::captions),
      field("picks", "share of letter exercises among responses", share, &S::picks),
      field("caption_picks", "letter exercises per batch of captions", count, &S::caption_picks),
      field("vision_pictures", "pictures of a vision step, as a multiple of batch", at_least(1),
            &S::vision_pictures),
      field("letter_weight", "loss weight of an option's letter", count, &S::letter_weight),
      field("letters_stage_weight", "the same, in the stage letters", count,
            &S::letters_stage_weight),
      field("slot_weight", "weight of the label loss in the stage caption", count, &S::slot_weight),
      field("none_weight", "weight of an image token without a text in the label loss", count,
            &S::none_weight)};
  append(out, nested("corruption.", &S::corruption, corruption_fields()));
  append(out, nested("optimiser.", &S::optimiser, optimiser_fields()));
  return out;
}

Fields<SftSettings> sft_fields() {
  using S = SftSettings;
  Fields<S> out = {
      field("steps", "steps; 0: the arithmetic of a GRPO condition", at_least(0), &S::steps),
      field("match", "this condition; empty: the first of method grpo", any_value, &S::match),
      field("probe", "steps of each kind that measure the arithmetic", at_least(1), &S::probe),
      field("rate", "peak learning rate", above(0), &S::rate),
      field("clean", "clean responses only, instead of the last mixture of the warm start",
            any_value, &S::clean)};
  append(out, nested("optimiser.", &S::optimiser, optimiser_fields()));
  return out;
}

Fields<RftSettings> rft_fields() {
  using S = RftSettings;
  return {
      field("prompts", "problems sampled; 0: as many as GRPO prompts in all its steps", at_least(0),
            &S::prompts),
      field("samples", "answers per problem; 0: GRPO's group", at_least(0), &S::samples),
      field("keep", "different right answers kept per problem, at most", at_least(1), &S::keep),
      field("letter_weight", "loss weight of an option's letter", at_least(0), &S::letter_weight)};
}

Fields<PromptTemplate> prompt_fields() {
  using S = PromptTemplate;
  return {field("problem", "prompt of a problem", any_value, &S::problem),
          field("caption", "prompt of a description", any_value, &S::caption),
          field("letters", "prompt of a letter exercise", any_value, &S::letters)};
}

Fields<CheckpointSettings> checkpoint_fields() {
  using S = CheckpointSettings;
  return {field("instruction",
                "follows the bare question; if it and prompt are empty, PhyX's prompt is asked",
                any_value, &S::instruction),
          field("prompt", "text with {question} and control tokens, instead of the chat template",
                any_value, &S::prompt),
          field("split_images", "cut large pictures into tiles", any_value, &S::split_images),
          field("recompute", "compute the values of blocks again in backward, to save memory",
                any_value, &S::recompute)};
}

Fields<models::hf::LoraSettings> lora_fields() {
  using S = models::hf::LoraSettings;
  return {field("rank", "rank of the adapters", at_least(1), &S::rank),
          field("alpha", "their weight: alpha / rank", above(0), &S::alpha),
          field("rank_stabilised", "alpha / sqrt(rank) instead", any_value, &S::rank_stabilised),
          field("targets", "modules by the last parts of their names, or all-linear", any_value,
                &S::targets),
          field("pictures", "modules of tower and projector too", any_value, &S::pictures)};
}

Fields<SamplingSettings> sampling_fields() {
  using S = SamplingSettings;
  return {field("temperature", "sampling temperature", at_least(min_temperature), &S::temperature),
          field("top_k", "keep the k likeliest tokens; 0: all", at_least(0), &S::top_k),
          field("top_p", "keep the likeliest tokens with this total probability", from_to(1e-9, 1),
                &S::top_p),
          field("min_p", "keep tokens with this share of the likeliest token's probability",
                from_to(0, 1), &S::min_p),
          field("repetition_penalty", "penalty on tokens seen; 1: none", above(0),
                &S::repetition_penalty)};
}

Fields<EvaluationSettings> evaluation_fields() {
  using S = EvaluationSettings;
  Fields<S> out = {
      field("samples", "sampled answers per test problem, besides the greedy one", from_to(0, 1024),
            &S::samples),
      field("many", "samples of each problem of a part of the scenes, for pass@k; 0: none",
            from_to(0, most_samples), &S::many),
      field("many_share", "that part, chosen by a hash of the scene", from_to(0, 1),
            &S::many_share),
      field("gold_look", "also answer after the gold look section, given as a prefix", any_value,
            &S::gold_look),
      field("batch", "problems per batch", from_to(1, 100000), &S::batch)};
  out.back().decides = false;
  append(out, nested("", &S::sampling, sampling_fields()));
  return out;
}

/// A JSON value as the text of rl::set_option; empty for a value of no setting's type.
std::string option_text(const rl::GrpoOption& option, const io::Json& value) {
  if (!option.choices.empty()) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_boolean() ? value.dump() : "";
  }
  if (value == "inf") return "inf";
  if (value.is_number_float() && std::isinf(value.get<double>())) return "inf";
  return value.is_number() ? value.dump() : "";
}

/// The row of a setting of GRPO. Its value overrides the variant's.
Field<AblationSettings> grpo_field(const rl::GrpoOption& option) {
  std::string range = "a number of at least 0";
  if (!option.choices.empty()) range = "one of";
  for (const auto& c : option.choices) range += (range == "one of" ? " " : ", ") + c;
  return {option.name, option.meaning, range,
          [option](const AblationSettings& s) { return option.get(s.grpo); },
          [option, range](AblationSettings& s, const io::Json& value, const std::string& where) {
            const std::string text = option_text(option, value);
            if (text.empty()) refuse_value(where, range, value);
            rl::GrpoSettings scratch;
            try {
              option.set(scratch, text);
            } catch (const Error& e) {
              const std::string all = e.what();
              GAZE_FAIL("study", where, ": ", all.substr(all.find("] ") + 2));
            }
            s.grpo_set.push_back(option.name + "=" + text);
          }};
}

Fields<AblationSettings> grpo_fields() {
  using S = AblationSettings;
  std::vector<std::string> names;
  for (const auto& v : rl::variants) names.push_back(v.name);
  Fields<S> out = {field("variant", "named row of settings", names, &S::variant),
                   field("steps", "GRPO steps", at_least(1), &S::grpo_steps),
                   field("rate", "peak learning rate", above(0), &S::grpo_rate)};
  append(out, nested("optimiser.", &S::grpo_optimiser, optimiser_fields()));
  for (const auto& option : rl::grpo_options()) out.push_back(grpo_field(option));
  return out;
}

Fields<AblationSettings> run_fields() {
  using S = AblationSettings;
  Fields<S> out = {
      field("model", "nano, tiny, small, base, large, or the folder of a published checkpoint",
            any_value, &S::model),
      field("precision", "of products", {"float32", "bf16"}, &S::precision),
      field("seeds", "seeds of the runs", at_least(0), &S::seeds),
      field("only", "run these conditions only; empty: all", any_value, &S::only),
      field("split", "problems to evaluate", {"test", "val"}, &S::split),
      field("max_tokens", "longest completion, the end token included", at_least(1),
            &S::max_tokens),
      field("checkpoint_every", "steps between saved states", at_least(1), &S::checkpoint_every),
      field("tensorboard", "also write event files", any_value, &S::tensorboard)};
  out[out.size() - 2].decides = out.back().decides = false;
  return out;
}

Fields<AblationSettings> data_fields() {
  using S = AblationSettings;
  return {
      field("seed", "seed of the training problems and of the evaluation", at_least(0),
            &S::data_seed),
      field("test_seed", "seed of the evaluated problems", at_least(0), &S::test_seed),
      field("train_scenes", "training scenes, each as MC and as OE", at_least(1), &S::train_scenes),
      field("suite", "problems: pictures, or words for published checkpoints",
            {"pictures", "words"}, &S::suite),
      field("cues", "print text cues in the questions of templates that have one", any_value,
            &S::cues),
      field("cue_strength",
            "share of right cues in supervised training; elsewhere cues are right by chance",
            from_to(0, 1), &S::cue_strength),
      field("sft_templates", "templates of supervised training; empty: the trained ones", any_value,
            &S::sft_templates),
      field("rl_templates", "templates of rft and grpo; empty: those of supervised training",
            any_value, &S::rl_templates),
      field("rl_share", "share of the supervised scenes that are of rl_templates", from_to(0, 1),
            &S::rl_share),
      field("test_known", "test scenes of trained templates", at_least(0), &S::test_known),
      field("test_new", "test scenes of templates that are never trained", at_least(0),
            &S::test_new)};
}

/// One's own data; config.json has them without the paths (settings_json()).
Fields<OwnDataSettings> own_fields() {
  using S = OwnDataSettings;
  const Range share{.low = 0, .high = 1, .low_excluded = true, .high_excluded = true};
  Fields<S> out = {
      field("file", "JSONL of one's own pictures and questions; empty: the suite", any_value,
            &S::file),
      field("phyx", "PhyX's files instead, such as those of both forms", any_value, &S::phyx),
      field("start", "trained model to start from; empty: random weights", any_value, &S::start),
      field("prompt", "prompt template; empty: that of start, or the default", any_value,
            &S::prompt),
      field("hold_out", "share of the pictures whose rows are evaluated", share, &S::hold_out),
      field("hold_out_seed", "selects these pictures", at_least(0), &S::hold_out_seed)};
  for (auto& f : out) f.decides = false;
  return out;
}

void append(Fields<AblationSettings>& out, const std::string& prefix,
            Fields<AblationSettings> fields) {
  for (auto& f : fields) {
    f.name = prefix + f.name;
    out.push_back(std::move(f));
  }
}

}  // namespace

const Fields<AblationSettings>& study_fields() {
  using S = AblationSettings;
  static const Fields<S> all = [] {
    Fields<S> out = run_fields();
    append(out, "data.", data_fields());
    append(out, nested("own.", &S::own, own_fields()));
    append(out, nested("prompts.", &S::prompts, prompt_fields()));
    append(out, nested("checkpoint.", &S::checkpoint, checkpoint_fields()));
    append(out, nested("lora.", &S::lora, lora_fields()));
    append(out, nested("warm_start.", &S::warm, warm_start_fields()));
    append(out, nested("sft.", &S::sft, sft_fields()));
    append(out, nested("rft.", &S::rft, rft_fields()));
    append(out, "grpo.", grpo_fields());
    append(out, nested("evaluation.", &S::evaluation, evaluation_fields()));
    out.push_back(field("evaluation.k", "k of pass@k; empty: 2, 4, 8, ... and samples", at_least(1),
                        &S::pass_at));
    out.push_back(field("validation.every", "GRPO steps between validations; 0: never", at_least(0),
                        &S::validate_every));
    out.push_back(field("validation.scenes", "scenes of the split val, each as MC and as OE",
                        at_least(0), &S::validate_scenes));
    out.push_back(field("validation.samples",
                        "sampled answers per validation problem, besides the greedy one",
                        from_to(0, 1024), &S::validate_samples));
    return out;
  }();
  return all;
}

}  // namespace gaze::phyx
