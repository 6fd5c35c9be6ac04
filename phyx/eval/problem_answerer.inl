// SPDX-License-Identifier: MIT
// Models that answer problems, on any device.
#pragma once
#include <algorithm>
#include <utility>

#include "gaze/generate/rollout.hpp"
#include "gaze/image/decode.hpp"
#include "gaze/train/kernels_name.hpp"
#include "phyx/eval/evaluator.inl"
#include "phyx/eval/problem_answerer.hpp"
#include "phyx/eval/published_model.inl"
#include "phyx/eval/trained_model.inl"

namespace gaze::phyx {

namespace detail {

template <class Device>
class TrainedAnswerer : public ProblemAnswerer {
 public:
  explicit TrainedAnswerer(const EvalSettings& s)
      : trained_(load_model<Device>(s.model)),
        evaluator_(*trained_->model, trained_->tokenizer, s.evaluation) {}

  Answerer identity() const override {
    const bool bf16 = trained_->model->parameters().multiplies_in_bf16();
    return {{trained_->weights_file},
            trained_->tokenizer_file,
            {},
            Device::name,
            kernels_name<Device>(bf16)};
  }
  Example example(Problem problem) override { return (*trained_->maker)(std::move(problem)); }
  std::vector<Outcome> answer(std::span<const Example> examples, std::size_t first,
                              const Keep& keep) const override {
    return evaluator_.batch(examples, first, keep);
  }

 private:
  std::unique_ptr<TrainedModel<Device>> trained_;
  Evaluator<Device> evaluator_;
};

/// Asks for a problem's complete prompt, after its picture if the model sees.
template <class Device>
class PublishedAnswerer : public ProblemAnswerer {
 public:
  explicit PublishedAnswerer(const EvalSettings& s)
      : published_(load_published<Device>(s.published, s.model)), settings_(s.evaluation) {}

  Answerer identity() const override {
    const bool bf16 = published_->model.multiplies_in_bf16();
    return {published_->weights_files, published_->checkpoint.folder + "/tokenizer.json",
            published_->prompt_files(), Device::name, kernels_name<Device>(bf16)};
  }

  Example example(Problem problem) override {
    Example e;
    std::vector<image::Image> pictures;
    if (published_->pictures && !problem.image.empty())
      pictures.push_back(image::decode_image(problem.image));
    e.prompt = published_->question(problem.question, pictures, settings_.sampling.max_tokens);
    problem.image.clear();
    e.problem = std::move(problem);
    return e;
  }

  std::vector<Outcome> answer(std::span<const Example> examples, std::size_t first,
                              const Keep& keep) const override {
    const auto greedy = complete(examples, first, 0);
    const auto k = static_cast<std::size_t>(settings_.samples);
    const auto sampled =
        k > 0 ? complete(examples, first, settings_.samples) : std::vector<phyx::Completion>();
    std::vector<Outcome> out;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const Problem& p = examples[i].problem;
      std::vector<phyx::Completion> all{greedy[i]};
      all.insert(all.end(), sampled.begin() + static_cast<std::ptrdiff_t>(i * k),
                 sampled.begin() + static_cast<std::ptrdiff_t>((i + 1) * k));
      Outcome& o = out.emplace_back(unanswered_outcome(p));
      o.greedy = score_attempt(p, all.front());
      for (std::size_t j = 1; j < all.size(); ++j) o.sampled.push_back(score_attempt(p, all[j]));
      if (keep) keep(first + i, all);
    }
    return out;
  }

 private:
  /// `count` answers to each problem, the greedy one if it is 0.
  std::vector<phyx::Completion> complete(std::span<const Example> examples, std::size_t first,
                                         Index count) const {
    std::vector<const models::Prompt*> prompts;
    std::vector<std::uint64_t> ids;
    for (const Example& e : examples) {
      prompts.push_back(&e.prompt);
      ids.push_back(first + ids.size());
    }
    SamplingSettings s = settings_.sampling;
    s.greedy = count == 0;
    const auto done =
        rollout(published_->model, std::span(std::as_const(prompts)), std::max<Index>(1, count), s,
                EndTokens(published_->checkpoint.ends), Philox(settings_.seed, Purpose::evaluation),
                ids, models::Watch::nothing);
    std::vector<phyx::Completion> out;
    for (const SampledTokens& c : done) out.push_back(published_->completion(c));
    return out;
  }

  std::unique_ptr<PublishedModel<Device>> published_;
  EvaluationSettings settings_;
};

}  // namespace detail

template <class Device>
std::unique_ptr<ProblemAnswerer> make_answerer(const EvalSettings& s) {
  if (models::hf::is_published_checkpoint(s.model))
    return std::make_unique<detail::PublishedAnswerer<Device>>(s);
  check_own_model(s.published, s.model);
  return std::make_unique<detail::TrainedAnswerer<Device>>(s);
}

}  // namespace gaze::phyx
