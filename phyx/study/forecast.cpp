// SPDX-License-Identifier: MIT
// The largest batches of a run, and their memory.
#include "phyx/study/forecast.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>

#include "gaze/core/device.hpp"
#include "gaze/cpu/kernels.hpp"
#include "models/hf/adapter.hpp"
#include "models/memory.hpp"
#include "phyx/eval/model_memory.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

namespace {

models::BatchSizes sizes_of(const std::vector<Lesson>& lessons) {
  models::BatchSizes sizes;
  for (const Lesson& l : lessons) {
    const models::Prompt& prompt = l.prompt ? *l.prompt : l.own;
    std::vector<Index> lengths;
    for (const auto& c : l.completions) lengths.push_back(static_cast<Index>(c.size()));
    sizes.add_group(static_cast<Index>(prompt.tokens.size()), prompt.rgb != nullptr, lengths);
  }
  return sizes;
}

/// A sample of the warm start's response steps: maximum memory of a step, and the mean length of a
/// response.
struct Supervised {
  Index bytes = 0, responses = 0, tokens = 0;

  Supervised(const AblationSettings& s, const models::VlmConfig& config,
             const LessonSource& source) {
    const WarmStartSettings& w = s.warm;
    const Index begin = w.letter_steps + w.vision_steps + w.caption_steps;
    const Index steps = w.clean_steps + w.mixed_steps, stride = std::max<Index>(1, steps / 50);
    for (Index step = begin; step < begin + steps; step += stride) {
      std::vector<Lesson> lessons;
      for (Index i = 0; i < w.batch; ++i) {
        lessons.push_back(source.lesson(w, 0, step, i));
        if (lessons.back().whole == 0) continue;
        ++responses;
        tokens += static_cast<Index>(lessons.back().completions.front().size());
      }
      bytes = std::max(bytes, models::training_bytes(config, sizes_of(lessons)));
    }
  }
  Index response() const { return responses > 0 ? (tokens + responses - 1) / responses : 1; }
};

/// The maximum of `bytes` over a sample of batches of `count` examples.
template <class Add, class Bytes>
Index most_bytes(const std::vector<Example>& examples, Index count, Add add, Bytes bytes) {
  const auto n = static_cast<std::size_t>(count);
  const std::size_t stride = std::max<std::size_t>(n, examples.size() / 50);
  Index most = 0;
  for (std::size_t at = 0; at < examples.size(); at += stride) {
    models::BatchSizes sizes;
    for (std::size_t i = at; i < std::min(examples.size(), at + n); ++i) {
      const models::Prompt& p = examples[i].prompt;
      add(sizes, static_cast<Index>(p.tokens.size()), p.rgb != nullptr);
    }
    most = std::max(most, bytes(sizes));
  }
  return most;
}

std::string in_mb(Index bytes) { return std::to_string((bytes + 500000) / 1000000) + " MB"; }

}  // namespace

std::string Forecast::text() const {
  std::string parts;
  const auto add = [&](const char* name, Index bytes) {
    if (bytes > 0) parts += concat(parts.empty() ? "" : ", ", name, " ", in_mb(bytes));
  };
  add("supervised", warm_start);
  add("GRPO", grpo);
  add("evaluation", evaluation);
  return "memory: about " + in_mb(total()) + " (" + parts + ")";
}

Forecast forecast(const AblationSettings& s, const models::VlmConfig& config,
                  const std::vector<Example>& train, const std::vector<Example>& test,
                  const LessonSource& source) {
  const models::DeclaredVlm warm(config, slot_count), arm(config);
  const Index plain = models::parameter_bytes(arm.all, false);
  const Index moments = models::parameter_bytes(arm.all, true) - plain;
  const Supervised supervised(s, config, source);
  const auto rollouts = [&](const std::vector<Example>& examples, Index count, Index group) {
    const auto add = [&](models::BatchSizes& to, Index prompt, bool image) {
      to.add_rollout(prompt, image, group, s.max_tokens);
    };
    return most_bytes(examples, count, add, [&](const models::BatchSizes& b) {
      return models::rollout_bytes(config, b);
    });
  };
  const Index response = std::min(supervised.response(), s.max_tokens);
  // Look sections continued without the picture, each after a prompt of its own. Answers with a
  // swapped picture need no more than the rollout, which is over by then.
  const auto continued = [&](const rl::GrpoSettings& g) {
    const auto add = [&](models::BatchSizes& to, Index prompt, bool image) {
      const Index text = prompt - (image ? config.image_tokens() : 0);
      for (Index i = 0; i < g.group; ++i) to.add_rollout(text + response, false, 1, s.max_tokens);
    };
    return most_bytes(train, g.prompts, add, [&](const models::BatchSizes& b) {
      return models::rollout_bytes(config, b, 0);
    });
  };
  const auto grpo_bytes = [&](const AblationSettings& own, const Condition& c) {
    const rl::GrpoSettings& g = own.grpo;
    const std::vector<Index> lengths(static_cast<std::size_t>(g.group), response);
    const auto add = [&](models::BatchSizes& to, Index prompt, bool image) {
      to.add_group(prompt, image, lengths);
      if (image && g.loss.papo.needs_masked()) to.add_group(prompt, image, lengths);
    };
    const bool reference = g.needs_reference();
    const bool start = g.kl_every > 0 && (!reference || g.reference_sync.every > 0);
    const Index update = most_bytes(
        train, std::min(g.prompts, g.groups_per_micro), add, [&](const models::BatchSizes& b) {
          const bool seen = g.loss.pathwise != 0;
          return models::training_bytes(config, b, seen ? models::mark_count : 0);
        });
    const auto problems = static_cast<Index>(2 * s.validate_scenes);
    const Index validation = s.validate_every > 0
                                 ? rollouts(test, std::min(own.evaluation.batch, problems),
                                            std::max<Index>(s.validate_samples, 1))
                                 : 0;
    const Index further = mix_of(c, own.reward_options).needs().answer_from_look ? continued(g) : 0;
    return (1 + reference + start) * plain + moments +
           std::max({update, rollouts(train, g.prompts, g.group), further, validation});
  };
  Forecast f;
  f.warm_start = models::parameter_bytes(warm.all, false) + moments + supervised.bytes;
  for (const Condition& c : s.conditions) {
    if (!wanted(s, c)) continue;
    const AblationSettings own = settings_of(s, c);
    f.evaluation = std::max(f.evaluation,
                            plain + rollouts(test, own.evaluation.batch, own.evaluation.samples));
    if (c.method == Method::grpo) f.grpo = std::max(f.grpo, grpo_bytes(own, c));
  }
  return f;
}

Forecast forecast(const AblationSettings& s, const PublishedText& published,
                  const std::vector<Example>& train, const std::vector<Example>& test) {
  const models::VlmConfig& c = published.checkpoint.model;
  const LoraPlan plan = models::hf::new_adapter(published.checkpoint.weights, s.lora).plan;
  const auto memory = [&](const std::vector<Example>& examples, MemoryBatches b) {
    const Index pixels = 3 * c.vit.image * c.vit.image;
    for (const Example& e : examples) {
      const auto bytes = e.prompt.rgb ? static_cast<Index>(e.prompt.rgb->size()) : 0;
      const Index tiles = c.sees() ? bytes / pixels : 0;
      const auto image = std::count(e.prompt.tokens.begin(), e.prompt.tokens.end(),
                                    published.checkpoint.image_token);
      b.tiles = std::max(b.tiles, tiles);
      b.text =
          std::max(b.text, static_cast<Index>(e.prompt.tokens.size()) - (c.sees() ? image : 0));
    }
    b.answer = s.max_tokens;
    b.rank = s.lora.rank;
    b.recompute = s.checkpoint.recompute;
    return model_memory(c, plan, b);
  };
  MemoryBatches plain;
  plain.text = 0;
  Forecast f;
  for (const Condition& condition : s.conditions) {
    if (!wanted(s, condition)) continue;
    const AblationSettings own = settings_of(s, condition);
    MemoryBatches update = plain;
    if (condition.method == Method::grpo) {
      update.prompts = own.grpo.prompts;
      update.group = own.grpo.group;
      update.micro = own.grpo.groups_per_micro;
      f.grpo = std::max(f.grpo, memory(train, update).lora);
    } else if (condition.method != Method::none || own.warm.clean_steps > 0) {
      update.prompts = own.warm.batch;
      update.group = 1;
      f.warm_start = std::max(f.warm_start, memory(train, update).lora);
    }
    MemoryBatches answers = plain;
    answers.batch = own.evaluation.batch;
    answers.samples = own.evaluation.samples;
    f.evaluation = std::max(f.evaluation, memory(test, answers).eval);
  }
  return f;
}

Forecast forecast(const AblationSettings& s, const RunData& data) {
  if (data.published()) return forecast(s, *data.published(), data.train(), data.test());
  const LessonSource source(data.train(), data.maker(), data.tokenizer(), s.data_seed);
  return forecast(s, data.config(), data.train(), data.test(), source);
}

std::string advice(const Forecast& f, const AblationSettings& s, Index available) {
  if (available == 0 || f.total() <= available) return "";
  const std::string what = f.total() == f.grpo         ? "GRPO"
                           : f.total() == f.evaluation ? "the evaluation"
                                                       : "supervised training";
  std::string lower = "warm_start.batch";
  if (f.total() == f.evaluation) lower = "evaluation.batch";
  if (f.total() == f.grpo)
    lower = s.grpo.groups_per_micro > 1 ? "grpo.groups_per_micro" : "grpo.group or max_tokens";
  if (from_checkpoint(s) && !s.checkpoint.recompute && f.total() != f.evaluation)
    lower = "checkpoint.recompute (to true), " + lower;
  return concat(what, " needs more than the ", in_mb(available), " that are available; change ",
                lower);
}

Index available_memory() {
  std::ifstream in("/proc/meminfo");
  std::string name;
  for (Index kilobytes = 0; in >> name >> kilobytes; in.ignore(256, '\n'))
    if (name == "MemAvailable:") return kilobytes * 1024;
  return 0;
}

}  // namespace gaze::phyx
