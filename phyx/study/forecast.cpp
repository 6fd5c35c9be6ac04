// SPDX-License-Identifier: MIT
// The largest batches of a run, and their memory.
#include "phyx/study/forecast.hpp"

#include <cstddef>

#include "gaze/core/device.hpp"
#include "gaze/cpu/kernels.hpp"
#include "models/memory.hpp"
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

}  // namespace

std::string Forecast::text() const {
  const auto mb = [](Index bytes) { return std::to_string((bytes + 500000) / 1000000) + " MB"; };
  std::string out = "memory: about " + mb(total()) + " (warm start " + mb(warm_start);
  if (grpo > 0) out += ", GRPO " + mb(grpo);
  return out + ", evaluation " + mb(evaluation) + ")";
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

}  // namespace gaze::phyx
