// SPDX-License-Identifier: MIT
// The work of bench_model: a model on fixed random data, and a supervised step, decoding and a GRPO
// step on it. On a GPU with GAZE_WITH_CUDA.
#pragma once
#include <algorithm>

#include "bench/common.hpp"
#include "gaze/rl/grpo.hpp"
#include "models/vlm.hpp"
#ifdef GAZE_WITH_CUDA
#include "cuda/kernels.hpp"
#endif

namespace bench {

#ifdef GAZE_WITH_CUDA
using Device = gaze::Cuda;
inline void wait() { gaze::cuda::synchronize(); }
#else
using Device = gaze::Cpu;
inline void wait() {}
#endif
using gaze::Index;
using gaze::models::Group;
using gaze::models::Prompt;
using gaze::models::Watch;
using Model = gaze::models::Vlm<float, Device>;

inline constexpr std::int32_t end_token = 1, image_token = 4, first_word = 8, vocabulary = 1000;
inline constexpr Index sequences = 32;
inline constexpr double learning_rate = 1e-6;  // small enough that every step does the same work

/// The model and the sizes of its workload.
struct Sizes {
  std::string preset = "tiny";
  Index prompts = sequences, grpo_prompts = 12, group = 8, longest = 32;
  Index words = 40;  ///< minimum per prompt; up to `more_words` more
  Index more_words = 20;
  bool ends = true;  ///< whether rollouts of a GRPO step end early
  bool bf16 = false;

  gaze::models::VlmConfig config() const {
    auto config = gaze::models::preset(preset);
    config.vocabulary = vocabulary;
    config.bf16 = bf16;
    return config;
  }
};

/// Random prompts of words and an image, and completions of 20 to 40 tokens.
struct Data {
  std::vector<Prompt> prompts;
  std::vector<std::vector<std::int32_t>> completions;

  explicit Data(const Sizes& sizes) {
    const auto config = sizes.config();
    const auto words = static_cast<std::uint64_t>(sizes.words);
    const auto more = static_cast<std::uint64_t>(sizes.more_words);
    const gaze::Philox random(3, gaze::Purpose::test);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(sizes.prompts); ++i) {
      const auto word = [&](std::uint64_t at) {
        return first_word + std::int32_t(random.below(vocabulary - first_word, i, at));
      };
      Prompt p;
      p.tokens.assign(static_cast<std::size_t>(config.image_tokens()), image_token);
      for (std::uint64_t t = 0; t < words + random.below(more + 1, i, 1000); ++t)
        p.tokens.push_back(word(t));
      const Index side = config.vit.image;
      std::vector<std::uint8_t> rgb(static_cast<std::size_t>(side * side * 3));
      for (std::size_t b = 0; b < rgb.size(); ++b)
        rgb[b] = std::uint8_t(random.below(256, i, 10000 + b));
      p.rgb = std::make_shared<const std::vector<std::uint8_t>>(std::move(rgb));
      prompts.push_back(std::move(p));
      auto& completion = completions.emplace_back();
      for (std::uint64_t t = 0; t < 19 + random.below(21, i, 1001); ++t)
        completion.push_back(word(100 + t));
      completion.push_back(end_token);
    }
  }
};

/// Adds a common direction to all embeddings, and more of it to the end token, so that most of an
/// untrained model's completions terminate before `longest` tokens.
inline void let_completions_end(Model& model) {
  auto& embedding = model.parameters().find("decoder.embedding")->value;
  const Index c = embedding.size(1);
  auto values = embedding.to_vector();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] += static_cast<Index>(i) / c == end_token ? 0.08f : 0.04f;
  gaze::Allocator<Device>::copy_in(embedding.data(), values.data(), values.size() * sizeof(float));
  embedding.changed();
}

/// Result of one run.
struct Done {
  double tokens = 0;
};

class Bench {
 public:
  explicit Bench(const Sizes& sizes)
      : sizes_(sizes), data_(sizes), model_(sizes.config(), image_token, 0) {
    let_completions_end(model_);
    optimiser_.emplace(model_.parameters(), gaze::AdamWSettings{});
  }

  Model& model() { return model_; }
  const Data& data() const { return data_; }
  const Sizes& sizes() const { return sizes_; }

  double supervised_loss() {
    std::vector<Group> groups;
    for (std::size_t i = 0; i < data_.prompts.size(); ++i)
      groups.push_back({&data_.prompts[i], {data_.completions[i]}});
    const auto loss = gaze::neg(gaze::mean(model_.logprobs(groups).logp));
    gaze::backward(loss);
    return loss.item();
  }

  Done supervised_step() {
    supervised_loss();
    optimiser_->step(learning_rate);
    Done done;
    for (std::size_t i = 0; i < data_.prompts.size(); ++i)
      done.tokens += double(data_.prompts[i].tokens.size() + data_.completions[i].size() - 1);
    return done;
  }

  /// A group of completions per prompt. They end at `end`; with -1 all have `longest` tokens.
  std::vector<gaze::SampledTokens> generate(Index prompts, std::int32_t end) const {
    std::vector<const Prompt*> chosen;
    std::vector<std::uint64_t> ids;
    for (Index i = 0; i < prompts; ++i) {
      chosen.push_back(&data_.prompts[static_cast<std::size_t>(i)]);
      ids.push_back(static_cast<std::uint64_t>(i));
    }
    return gaze::rollout(model_, std::span<const Prompt* const>(chosen), sizes_.group, sampling(),
                         end, random(), ids, Watch::nothing);
  }

  Done decode(Index prompts) const {
    generate(prompts, -1);
    return {double(prompts * sizes_.group * sizes_.longest)};
  }

  /// A GRPO step whose rewards are a hash of the completion's index.
  gaze::Metrics grpo_metrics(const gaze::Update& update) {
    gaze::rl::GrpoSettings s;
    s.prompts = sizes_.grpo_prompts;
    s.group = sizes_.group;
    s.sampling = sampling();
    gaze::rl::Task<Model> task;
    task.prompts = [&](Index, Index, Index count) {
      std::vector<gaze::rl::TaskPrompt<Model>> out;
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
        out.push_back({&data_.prompts[i], i, i});
      return out;
    };
    task.score = [](Index, auto, std::span<const gaze::SampledTokens> completions, gaze::Metrics&) {
      std::vector<double> rewards;
      for (std::size_t i = 0; i < completions.size(); ++i) rewards.push_back(reward(i));
      return rewards;
    };
    const Model* no_reference = nullptr;
    const std::int32_t end = sizes_.ends ? end_token : -1;
    return gaze::rl::grpo_step(model_, no_reference, s, task, end, 0, Watch::nothing, update);
  }

  Done grpo_step() {
    const auto metrics = grpo_metrics([&] { optimiser_->step(learning_rate); });
    for (const auto& [name, value] : metrics)
      if (name == "num_tokens") return {value};
    return {};
  }

  static double reward(std::size_t completion) {
    return gaze::Philox(5, gaze::Purpose::test).uniform(completion, 0);
  }
  static gaze::Philox random() { return {0, gaze::Purpose::sampling}; }

 private:
  gaze::SamplingSettings sampling() const {
    gaze::SamplingSettings s;
    s.max_tokens = sizes_.longest;
    return s;
  }

  Sizes sizes_;
  Data data_;
  Model model_;
  std::optional<gaze::AdamW<float, Device>> optimiser_;
};

struct Work {
  const char* name;
  Done (*run)(Bench&);
};
inline constexpr Work works[] = {
    {"supervised_step", [](Bench& b) { return b.supervised_step(); }},
    {"decode_96x32", [](Bench& b) { return b.decode(96 / b.sizes().group); }},
    {"decode_64x32", [](Bench& b) { return b.decode(64 / b.sizes().group); }},
    {"grpo_step", [](Bench& b) { return b.grpo_step(); }},
};

inline const Work& work_named(const std::string& name) {
  const auto work =
      std::find_if(std::begin(works), std::end(works), [&](auto& w) { return name == w.name; });
  GAZE_CHECK(work != std::end(works), "bench", "no work named ", name);
  return *work;
}

}  // namespace bench
