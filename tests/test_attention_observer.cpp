// SPDX-License-Identifier: MIT
// Attention observed in continuous batches: the values of a rollout's maps, for several requests at
// once, without a change of any answer.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "gaze/generate/continuous_batch.hpp"
#include "phyx/eval/published_model.hpp"
#include "tests/folder.hpp"
#include "tests/picture_formulas.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace test_attention_observer {
namespace {

using namespace gaze;
using namespace gaze::test;
using Request = GenerationRequest<models::Prompt>;

struct Answer {
  Tokens tokens;
  std::vector<double> logp;
  std::vector<std::vector<float>> seen;
  std::string error;
};

Request request(models::Prompt prompt, std::uint64_t id, Index length, bool observe) {
  Request r;
  r.prompt = std::move(prompt);
  r.sampling.max_tokens = length;
  r.random = Philox(11, Purpose::sampling);
  r.sample_id = id;
  r.ends = {end_token};
  r.logp = true;
  r.observe = observe;
  return r;
}

Request collected(Request r, Answer& to) {
  r.use = [&to](const GeneratedToken& t) {
    to.tokens.push_back(t.id);
    to.logp.push_back(t.logp);
    to.seen.push_back(t.seen);
    return true;
  };
  r.done = [&to](bool, std::exception_ptr error) {
    if (error) to.error = error_of([&] { std::rethrow_exception(error); });
  };
  return r;
}

/// The answers to requests; request i joins after i steps.
template <class Model>
std::vector<Answer> answers(const Model& model, const std::vector<Request>& requests) {
  ContinuousBatch batch(model, 1024, 8);
  std::vector<Answer> out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    batch.add(collected(requests[i], out[i]));
    batch.step();
  }
  while (batch.running() > 0) batch.step();
  return out;
}

/// Requests with and without pictures, those with an odd number observed if `observe`.
std::vector<Request> some_requests(const models::VlmConfig& c, bool observe) {
  std::vector<Request> out;
  const auto prompts = some_prompts(c, 7);
  for (std::size_t i = 0; i < prompts.size(); ++i)
    out.push_back(request(prompts[i], i, 3 + Index(i) * 5 % 9, observe && i % 2 == 1));
  return out;
}

}  // namespace

TEST_CASE("observed attention is that of a rollout's maps") {
  const auto c = config("nano");
  const models::Vlm<float> model(c, image_token, 3);
  const auto requests = some_requests(c, true);
  const auto got = answers(model, requests);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    INFO("request " << i);
    REQUIRE(got[i].error.empty());
    if (!requests[i].observe || !requests[i].prompt.sees()) {
      for (const auto& seen : got[i].seen) CHECK(seen.empty());
      continue;
    }
    const auto rolled = sample(model, {&requests[i].prompt}, 1, requests[i].sampling, {i},
                               end_token, Watch::patches);
    REQUIRE(got[i].tokens == rolled[0].tokens);
    std::vector<float> seen;
    for (const auto& token : got[i].seen) seen.insert(seen.end(), token.begin(), token.end());
    CHECK(bits(seen) == bits(rolled[0].seen));
    const auto values =
        static_cast<std::size_t>(c.decoder.layers * c.decoder.heads * c.image_tokens());
    for (const auto& token : got[i].seen) {
      REQUIRE(token.size() == values);
      CHECK(std::all_of(token.begin(), token.end(), [](float x) { return x >= 0; }));
      const float sum = std::accumulate(token.begin(), token.end(), 0.0f);
      CHECK(sum > 0);
      CHECK(sum < static_cast<float>(c.decoder.layers * c.decoder.heads));
    }
  }
}

TEST_CASE("observing changes no bit of any answer") {
  const auto c = config("nano");
  const models::Vlm<float> model(c, image_token, 3);
  const auto plain = answers(model, some_requests(c, false));
  const auto observed = answers(model, some_requests(c, true));
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(plain[i].tokens == observed[i].tokens);
    CHECK(plain[i].logp == observed[i].logp);
  }
}

TEST_CASE("a request observed after another has left sees only its own picture") {
  const auto c = config("nano");
  const models::Vlm<float> model(c, image_token, 3);
  const auto requests = some_requests(c, true);
  ContinuousBatch batch(model, 256);
  for (const std::size_t i : {1, 3, 1}) {
    Answer got;
    batch.add(collected(requests[i], got));
    while (batch.running() > 0) batch.step();
    const auto alone = answers(model, {requests[i]});
    CHECK(got.seen == alone[0].seen);
  }
}

TEST_CASE("tiles and newlines of a published checkpoint are observed as by a rollout") {
  const Folder place("observed_tiles");
  phyx::PublishedSettings settings;
  settings.prompt_template = place.put("t.txt", "<image>\n{question}\n<|assistant|>\n");
  const auto granite =
      phyx::load_published<Cpu>(settings, std::string(GAZE_GOLDEN_DIR) + "/hf/granite");
  const std::vector<image::Image> pictures = {smooth_picture(70, 30)};
  auto r = request(granite->question("why ?", pictures, 6), 4, 6, true);
  r.sampling.greedy = true;
  const models::Prompt* prompt = &r.prompt;
  const std::uint64_t id = 4;
  const auto rolled = rollout(granite->model, std::span(&prompt, 1), 1, r.sampling, end_token,
                              r.random, std::span(&id, 1), Watch::patches);
  const auto got = answers(granite->model, {r})[0];
  CHECK(got.tokens == rolled[0].tokens);
  std::vector<float> seen;
  for (const auto& token : got.seen) seen.insert(seen.end(), token.begin(), token.end());
  CHECK(bits(seen) == bits(rolled[0].seen));
  const auto& c = granite->checkpoint.model.decoder;
  CHECK(static_cast<Index>(got.seen[0].size()) ==
        c.layers * c.heads * granite->grids(pictures)[0].tokens());
}

TEST_CASE("prompts that cannot be observed are refused") {
  const auto c = config("nano");
  const models::Vlm<float> model(c, image_token, 3);
  ContinuousBatch batch(model, 256);
  const auto last = request(image_prompt(c, 1, 0), 0, 3, true);
  CHECK(contains(error_of([&] { batch.add(last); }), "ends with its picture"));
  // 4097 image tokens among 65536 slots are more than 2^28 marks.
  auto many = image_prompt(c, 1, 4);
  many.tokens.insert(many.tokens.begin(), std::size_t(4097 - c.image_tokens()), image_token);
  ContinuousBatch large(model, Index{1} << 16);
  CHECK(contains(error_of([&] { large.add(request(many, 0, 3, true)); }), "the limit is"));
  CHECK(large.running() == 0);
}

}  // namespace test_attention_observer
