// SPDX-License-Identifier: MIT
// Models that answer problems, on any device.
#pragma once
#include <utility>

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
        evaluator_(*trained_->model, *trained_->maker, s.evaluation) {}

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

template <class Device>
class PublishedAnswerer : public ProblemAnswerer {
 public:
  explicit PublishedAnswerer(const EvalSettings& s)
      : published_(load_published<Device>(s.published, s.model)),
        codec_(*published_, s.evaluation.sampling.max_tokens),
        evaluator_(published_->model, codec_, own_pictures(s.evaluation)) {}

  Answerer identity() const override {
    const bool bf16 = published_->model.multiplies_in_bf16();
    return {published_->weights_files, published_->checkpoint.folder + "/tokenizer.json",
            published_->prompt_files(), Device::name, kernels_name<Device>(bf16)};
  }
  Example example(Problem problem) override { return codec_(std::move(problem)); }
  std::vector<Outcome> answer(std::span<const Example> examples, std::size_t first,
                              const Keep& keep) const override {
    return evaluator_.batch(examples, first, keep);
  }

 private:
  static EvaluationSettings own_pictures(EvaluationSettings s) {
    s.pictures = false;
    return s;
  }

  std::unique_ptr<PublishedModel<Device>> published_;
  PublishedCodec codec_;
  Evaluator<Device> evaluator_;
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
