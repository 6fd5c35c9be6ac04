// SPDX-License-Identifier: MIT
// The vision-language model: images in their places, observed attention, errors, gradients of the
// whole against finite differences, and that it learns.
#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "tests/small_model.hpp"

namespace test_vlm {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;
using models::Group;
using models::Mark;
using models::Prompt;
using Policy = models::Vlm<float>;

std::vector<float> logp_of(const Policy& model, const Prompt& prompt, const Tokens& completion) {
  const NoGrad no_grad;
  const Group group{&prompt, {completion}};
  return model.logprobs(std::span(&group, 1)).logp.to_vector();
}

Policy::State prefill(const Policy& model, const Prompt& prompt, Watch watch) {
  const Prompt* one = &prompt;
  return model.prefill(std::span(&one, 1), 1, 4, watch);
}

/// Four prompts, two with images, with a completion each.
struct Lesson {
  std::vector<Prompt> prompts;
  std::vector<Tokens> answers;
  std::vector<Group> groups;

  explicit Lesson(const models::VlmConfig& c) {
    for (std::uint64_t i = 0; i < 4; ++i) {
      prompts.push_back(i % 2 ? text_prompt(i, 3) : image_prompt(c, i, 2));
      answers.push_back(random_tokens(300 + i, 5));
      answers.back().push_back(end_token);
    }
    for (std::size_t i = 0; i < 4; ++i) groups.push_back({&prompts[i], {answers[i]}});
  }
};

}  // namespace

TEST_CASE("presets are consistent", "[vlm]") {
  for (const auto& preset : models::presets) {
    const auto& c = preset.config;
    INFO(preset.name);
    CHECK(c.vit.image % c.vit.patch == 0);
    CHECK(c.vit.grid() % c.shuffle == 0);
    CHECK(c.vit.width % c.vit.heads == 0);
    CHECK(c.decoder.heads % c.decoder.kv_heads == 0);
    CHECK(c.decoder.head_size % 2 == 0);
    CHECK(c.image_tokens() == c.image_side() * c.image_side());
  }
  CHECK(models::preset("nano").image_tokens() == 16);
  CHECK_THROWS_WITH(models::preset("huge"), Contains("no model named huge") && Contains("nano"));
}

TEST_CASE("patchify cuts an image into blocks of patches", "[vlm]") {
  models::VitConfig vit{};
  vit.image = 8;
  vit.patch = 2;
  std::vector<std::uint8_t> rgb(3 * 64);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(i);
  std::vector<float> rows(rgb.size());
  models::patchify(rgb.data(), vit, 2, rows.data());
  const auto pixel = [&](Index y, Index x, Index channel) {
    return rgb[static_cast<std::size_t>((y * 8 + x) * 3 + channel)] / 127.5f - 1.0f;
  };
  for (Index block = 0; block < 4; ++block)
    for (Index part = 0; part < 4; ++part)
      for (Index i = 0; i < 12; ++i) {
        const Index y = block / 2 * 4 + part / 2 * 2 + i / 6,
                    x = block % 2 * 4 + part % 2 * 2 + i / 3 % 2;
        CHECK(rows[static_cast<std::size_t>((block * 4 + part) * 12 + i)] == pixel(y, x, i % 3));
      }
}

TEST_CASE("the image and the text both change the model's output", "[vlm]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  const Tokens answer = random_tokens(9, 4);
  Prompt prompt = image_prompt(c, 1, 3);
  const auto before = logp_of(model, prompt, answer);
  CHECK(logp_of(model, prompt, answer) == before);
  auto changed = std::make_shared<std::vector<std::uint8_t>>(*prompt.rgb);
  for (std::size_t i = 0; i < 600; ++i) (*changed)[i] ^= 0xff;
  prompt.rgb = changed;
  const auto after = logp_of(model, prompt, answer);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i] != before[i]);
  prompt.tokens.back() ^= 1;
  CHECK(logp_of(model, prompt, answer) != after);
}

TEST_CASE("each image affects only its own prompt", "[vlm]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  const Prompt a = image_prompt(c, 1, 3);
  Prompt b = a;
  b.rgb = random_image(c, 2);  // the same words, another picture
  const Prompt text = text_prompt(3, 4);
  const Tokens answer = random_tokens(9, 2);
  const std::vector<Group> groups{
      {&b, {answer}}, {&text, {answer}}, {&a, {answer}}, {&b, {answer}}};
  const NoGrad no_grad;
  const auto all = model.logprobs(groups).logp.to_vector();
  const auto in = [&](std::size_t i) {
    return std::vector<float>(all.begin() + 2 * static_cast<long>(i),
                              all.begin() + 2 * static_cast<long>(i) + 2);
  };
  CHECK(in(0) == logp_of(model, b, answer));
  CHECK(in(1) == logp_of(model, text, answer));
  CHECK(in(2) == logp_of(model, a, answer));
  CHECK(in(3) == in(0));
  CHECK(in(0) != in(2));
}

TEST_CASE("the position of the image among the words matters", "[vlm]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  const Prompt a = image_prompt(c, 1, 3);
  Prompt b = a;
  std::rotate(b.tokens.begin(), b.tokens.begin() + 2, b.tokens.end());
  CHECK(logp_of(model, a, {20, 30}) != logp_of(model, b, {20, 30}));
  Prompt split = a;  // image tokens need not be in one piece
  std::swap(split.tokens[2], split.tokens.back());
  CHECK_NOTHROW(logp_of(model, split, {20}));
}

TEST_CASE("the model answers without an image, and then an image token is ordinary", "[vlm]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  const Prompt text = text_prompt(3, 4);
  for (const float p : logp_of(model, text, {image_token, 20, end_token})) CHECK(p < 0);
  const Prompt image = image_prompt(c, 1, 3);
  const auto a = logp_of(model, image, {image_token, 20}), b = logp_of(model, image, {21, 20});
  CHECK(a[0] != b[0]);
  CHECK(a[1] != b[1]);
  Prompt odd = text;  // a prompt without a picture, but with image tokens
  odd.tokens.insert(odd.tokens.end(), 40, image_token);
  CHECK(logp_of(model, odd, {20}) != logp_of(model, text, {20}));
  for (const Watch watch : {Watch::marks, Watch::patches})
    for (const float share : prefill(model, odd, watch).first.seen)
      CHECK((share >= 0 && share <= 1));
}

TEST_CASE("observed attention is a fraction, and patches add up to the image", "[vlm]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  Prompt prompt = image_prompt(c, 1, 3);
  prompt.region.assign(static_cast<std::size_t>(c.image_tokens()), 0);
  prompt.region[3] = prompt.region[4] = 1;
  auto marks = prefill(model, prompt, Watch::marks);
  auto patches = prefill(model, prompt, Watch::patches);
  const auto columns = static_cast<std::size_t>(c.image_tokens());
  const auto heads = static_cast<std::size_t>(c.decoder.layers * c.decoder.heads);
  auto seen = marks.first.seen, map = patches.first.seen;
  for (Index step = 0; step < 3; ++step) {
    REQUIRE(seen.size() == heads * models::mark_count);
    REQUIRE(map.size() == heads * columns);
    for (std::size_t h = 0; h < heads; ++h) {
      const auto mark = [&](Mark m) {
        return seen[h * models::mark_count + static_cast<std::size_t>(m)];
      };
      const float* const row = map.data() + h * columns;
      CHECK((mark(Mark::image) > 0 && mark(Mark::image) < 1));
      CHECK((mark(Mark::sink) > 0 && mark(Mark::image) + mark(Mark::sink) < 1));
      CHECK(std::accumulate(row, row + columns, 0.0) == Catch::Approx(mark(Mark::image)));
      CHECK(row[3] + row[4] == Catch::Approx(mark(Mark::region)));
      CHECK(mark(Mark::text) > mark(Mark::sink));
      const float prompt_mass = mark(Mark::image) + mark(Mark::text);
      CHECK(prompt_mass < 1 + 1e-5f);
      if (step == 0) CHECK(prompt_mass == Catch::Approx(1));  // nothing is generated yet
    }
    const Tokens token{20};
    const std::vector<std::int32_t> first{0};
    seen = model.decode(marks, token, first, step).seen;
    map = model.decode(patches, token, first, step).seen;
  }
  CHECK(prefill(model, text_prompt(1, 3), Watch::nothing).first.seen.empty());
  for (const float share : prefill(model, text_prompt(1, 1), Watch::marks).first.seen)
    CHECK((share == 0 || share == Catch::Approx(1)));  // one token: all on it
}

TEST_CASE("a rollout records the attention of each token", "[vlm]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  const auto prompts = some_prompts(c, 2);
  SamplingSettings s;
  s.max_tokens = 5;
  const auto out = sample(model, pointers(prompts), 3, s, {0, 1}, end_token, Watch::marks);
  const auto width =
      static_cast<std::size_t>(c.decoder.layers * c.decoder.heads * models::mark_count);
  for (std::size_t i = 0; i < out.size(); ++i) {
    CHECK(out[i].logp.size() == out[i].tokens.size());
    REQUIRE(out[i].seen.size() == out[i].tokens.size() * width);
    const auto first = prefill(model, prompts[i / 3], Watch::marks).first.seen;
    CHECK(std::equal(first.begin(), first.end(), out[i].seen.begin()));
  }
}

TEST_CASE("mismatched inputs are refused", "[vlm]") {
  auto c = config("nano");
  const Policy model(c, image_token, 7);
  const Prompt good = image_prompt(c, 1, 3);
  Prompt prompt = good;
  prompt.rgb = std::make_shared<std::vector<std::uint8_t>>(100);
  CHECK_THROWS_WITH(logp_of(model, prompt, {20}),
                    Contains("the image has 100 bytes, the model expects"));
  prompt = good;
  prompt.tokens[3] = 20;
  CHECK_THROWS_WITH(logp_of(model, prompt, {20}), Contains("15 image tokens, its image needs 16"));
  CHECK_THROWS_WITH(prefill(model, prompt, Watch::marks), Contains("15 image tokens"));
  prompt.tokens[3] = prompt.tokens[0] = image_token;
  CHECK_THROWS_WITH(logp_of(model, prompt, {20}), Contains("17 image tokens"));
  prompt = good;
  prompt.tokens[0] = static_cast<std::int32_t>(vocabulary);
  CHECK_THROWS_AS(logp_of(model, prompt, {20}), Error);
  CHECK_THROWS_AS(logp_of(model, {}, {20}), Error);
  CHECK_THROWS_WITH(logp_of(model, good, {}), Contains("empty completion"));
  CHECK_THROWS_AS(logp_of(model, good, {20, static_cast<std::int32_t>(vocabulary)}), Error);
  const Tokens two{20, 21};
  const std::vector<std::int32_t> first{0}, beyond{7};
  auto state = prefill(model, good, Watch::nothing);
  CHECK_THROWS_WITH(model.decode(state, two, first, 0), Contains("[gaze::decode]"));
  CHECK_THROWS_WITH(model.decode(state, std::span(two).first(1), beyond, 0),
                    Contains("[gaze::decode]"));
  CHECK_THROWS_WITH(model.decode(state, std::span(two).first(1), first, 4),
                    Contains("[gaze::decode]"));  // room for 4 tokens: steps 0 to 3
  c.vocabulary = 0;
  CHECK_THROWS_WITH(Policy(c, image_token, 7), Contains("vocabulary is empty"));
  c = config("nano");
  c.shuffle = 3;
  CHECK_THROWS_WITH(Policy(c, image_token, 7), Contains("not divisible by shuffle 3"));
}

TEST_CASE("the whole model's gradient agrees with finite differences", "[vlm]") {
  auto c = config("nano");
  c.vit = {16, 4, 12, 1, 2, 20, 1e-5};
  c.decoder = {16, 2, 2, 1, 8, 24, 10000, 1e-5};
  models::Vlm<double> model(c, image_token, 7);
  const Prompt image = image_prompt(c, 1, 2), text = text_prompt(2, 3);
  const Tokens a = random_tokens(5, 4), b = random_tokens(6, 1), d = random_tokens(8, 3);
  const std::vector<Group> groups{{&image, {a, b}}, {&text, {d, a}}};
  const auto loss = [&] {
    const auto y = model.logprobs(groups, 0.8);
    return add(mean(y.logp), scale(mean(square(y.entropy)), 0.1));
  };
  backward(loss());
  model.parameters().check_reached();
  const NoGrad no_grad;
  const Philox random(3, Purpose::test);
  std::uint64_t sample = 0;
  for (auto& p : model.parameters().all()) {  // one direction for each parameter
    INFO(p.name);
    const auto gradient = p.value.grad().to_vector();
    const auto before = p.value.to_vector();
    const double h = 1e-5;
    double expected = 0;
    const auto shifted = [&](double by) {
      for (std::size_t i = 0; i < before.size(); ++i)
        p.value.data()[i] = before[i] + by * random.normal(sample, i);
      return loss().item();
    };
    for (std::size_t i = 0; i < before.size(); ++i)
      expected += gradient[i] * random.normal(sample, i);
    const double slope = (shifted(h) - shifted(-h)) / (2 * h);
    shifted(0);
    CHECK(expected == Catch::Approx(slope).epsilon(1e-5).margin(1e-8));
    CHECK(expected != 0);
    ++sample;
  }
}

TEST_CASE("float agrees with double on the whole model", "[vlm]") {
  const auto c = config("nano");
  const models::Vlm<float> narrow(c, image_token, 7);
  const models::Vlm<double> wide(c, image_token, 7);
  const Lesson lesson(c);
  const NoGrad no_grad;
  const auto x = narrow.logprobs(lesson.groups);
  const auto y = wide.logprobs(lesson.groups);
  for (Index i = 0; i < x.logp.numel(); ++i) {
    CHECK(x.logp.data()[i] == Catch::Approx(y.logp.data()[i]).epsilon(1e-4));
    CHECK(x.entropy.data()[i] == Catch::Approx(y.entropy.data()[i]).epsilon(1e-4));
  }
}

TEST_CASE("the smallest model memorises four answers and repeats them", "[vlm]") {
  const auto c = config("nano");
  Policy model(c, image_token, 7);
  const Lesson lesson(c);
  AdamWSettings settings;
  settings.weight_decay = 0;
  AdamW<float> optimiser(model.parameters(), settings);
  float first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    const auto loss = neg(mean(model.logprobs(lesson.groups).logp));
    last = loss.item();
    if (step == 0) first = last;
    backward(loss);
    optimiser.step(5e-3);
  }
  CHECK(first > 3);
  CHECK(last < 0.1f * first);
  SamplingSettings greedy;
  greedy.greedy = true;
  greedy.max_tokens = 10;
  const auto said = sample(model, pointers(lesson.prompts), 1, greedy, {0, 1, 2, 3});
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(said[i].tokens == lesson.answers[i]);
    CHECK(said[i].ended);
  }
}

TEST_CASE("training the projector alone does not change the rest", "[vlm]") {
  const auto c = config("nano");
  Policy model(c, image_token, 7);
  model.parameters().train_only({"projector"});
  AdamW<float> optimiser(model.parameters(), {});
  const Prompt prompt = image_prompt(c, 1, 3);
  const Tokens answer = random_tokens(9, 4);
  const Group group{&prompt, {answer}};
  std::vector<std::vector<float>> before;
  for (const auto& pack : model.parameters().packs()) before.push_back(pack.values.to_vector());
  backward(neg(mean(model.logprobs(std::span(&group, 1)).logp)));
  optimiser.step(1e-2);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& pack = model.parameters().packs()[i];
    CHECK((pack.values.to_vector() == before[i]) == (pack.part != "projector"));
  }
}

TEST_CASE("the large model completes one step", "[vlm][slow]") {
  const auto c = config("large");
  Policy model(c, image_token, 7);
  CHECK(model.parameters().count() > 50'000'000);
  AdamW<float> optimiser(model.parameters(), {});
  const Prompt prompt = image_prompt(c, 1, 3);
  const Tokens answer = random_tokens(9, 4);
  const Group group{&prompt, {answer, answer}};
  const auto loss = neg(mean(model.logprobs(std::span(&group, 1)).logp));
  const float first = loss.item();
  backward(loss);
  CHECK(std::isfinite(optimiser.step(1e-4)));
  const NoGrad no_grad;
  CHECK(neg(mean(model.logprobs(std::span(&group, 1)).logp)).item() < first);
}

}  // namespace test_vlm
