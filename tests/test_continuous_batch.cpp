// SPDX-License-Identifier: MIT
// Continuous batching: the same tokens alone and among others, slots, stops and failures.
#include "gaze/generate/continuous_batch.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/language_model.hpp"
#include "tests/restore.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace test_continuous_batch {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Approx;
using Request = GenerationRequest<models::Prompt>;

/// What a request received.
struct Answer {
  Tokens tokens;
  std::vector<double> logp;
  std::vector<std::vector<Alternative>> top;
  int done = 0;
  bool ended = false;
  std::string error;
};

models::LanguageModel<float> text_model() {
  return models::LanguageModel<float>({config("nano").decoder, vocabulary}, 3);
}

Request text_request(std::uint64_t seed, Index prompt, Index answer) {
  Request r;
  r.prompt.tokens = random_tokens(seed, prompt);
  r.sampling.max_tokens = answer;
  r.random = Philox(seed, Purpose::sampling);
  r.logp = true;
  return r;
}

/// The request, with its answer collected in `to`.
Request collected(Request r, Answer& to) {
  r.use = [&to](const GeneratedToken& t) {
    to.tokens.push_back(t.id);
    to.logp.push_back(t.logp);
    to.top.push_back(t.top);
    return true;
  };
  r.done = [&to](bool ended, std::exception_ptr error) {
    ++to.done;
    to.ended = ended;
    if (error) to.error = error_of([&] { std::rethrow_exception(error); });
  };
  return r;
}

template <class Model>
Answer alone(const Model& model, const Request& r) {
  Answer out;
  ContinuousBatch batch(model, static_cast<Index>(r.prompt.tokens.size()) + r.sampling.max_tokens);
  batch.add(collected(r, out));
  while (batch.running() > 0) batch.step();
  return out;
}

void check_same(const Answer& got, const Answer& want) {
  CHECK(got.tokens == want.tokens);
  CHECK(got.logp == want.logp);  // the same bits
  CHECK(got.done == 1);
  CHECK(got.error.empty());
  REQUIRE(got.top.size() == want.top.size());
  for (std::size_t t = 0; t < got.top.size(); ++t) {
    REQUIRE(got.top[t].size() == want.top[t].size());
    for (std::size_t i = 0; i < got.top[t].size(); ++i) {
      CHECK(got.top[t][i].token == want.top[t][i].token);
      CHECK(got.top[t][i].logp == want.top[t][i].logp);
    }
  }
}

}  // namespace

TEST_CASE("a request alone draws the tokens of a rollout") {
  const auto model = text_model();
  for (const bool greedy : {true, false}) {
    Request r = text_request(4, 37, 20);
    r.sampling.greedy = greedy;
    r.sampling.temperature = 0.8;
    r.sampling.top_p = 0.9;
    r.sample_id = 12;
    r.ends = {end_token};
    const models::Prompt* prompts[] = {&r.prompt};
    const std::uint64_t ids[] = {12};
    const auto rolled = rollout(model, std::span<const models::Prompt* const>(prompts), 1,
                                r.sampling, end_token, r.random, ids, Watch::nothing);
    const Answer got = alone(model, r);
    CHECK(got.tokens == rolled[0].tokens);
    CHECK(got.ended == rolled[0].ended);
  }
}

TEST_CASE("log-probabilities and alternatives are those of the training forward") {
  const auto model = text_model();
  Request r = text_request(5, 9, 6);
  r.sampling.temperature = 0.5;
  r.top = 4;
  const Answer got = alone(model, r);
  const models::Group group{&r.prompt, {got.tokens}};
  const auto logp = model.logprobs(std::span(&group, 1)).logp.to_vector();
  for (std::size_t t = 0; t < got.tokens.size(); ++t) {
    CHECK(got.logp[t] == Approx(logp[t]).margin(1e-5));
    REQUIRE(got.top[t].size() == 4);
    for (std::size_t i = 1; i < 4; ++i) CHECK(got.top[t][i - 1].logp >= got.top[t][i].logp);
    for (const Alternative& a : got.top[t])
      if (a.token == got.tokens[t]) CHECK(a.logp == got.logp[t]);
    CHECK(got.top[t][0].logp >= got.logp[t]);
  }
}

TEST_CASE("log-probabilities are computed only if they are asked for") {
  const auto model = text_model();
  Request r = text_request(5, 9, 6);
  r.logp = false;
  const Answer plain = alone(model, r);
  CHECK(plain.logp == std::vector<double>(6, 0.0));
  r.logp = true;
  CHECK(alone(model, r).tokens == plain.tokens);
}

TEST_CASE("requests that come and go get the same bits as alone") {
  const auto model = text_model();
  std::vector<Request> requests;
  std::vector<Answer> want;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const Index prompt = i % 4 == 3 ? 90 + Index(i) * 5 : 1 + Index(i * 17 % 41);
    Request r = text_request(10 + i, prompt, 3 + Index(i * 7 % 19));  // blocks of keys are 64
    r.sampling.greedy = i % 3 == 0;
    r.sampling.temperature = 0.5 + 0.1 * double(i);
    r.sampling.repetition_penalty = i % 4 == 1 ? 1.3 : 1;
    r.top = Index(i % 3);
    r.ends = {end_token};
    want.push_back(alone(model, r));
    requests.push_back(std::move(r));
  }
  const Restore restore;
  const std::pair<Index, int> rows_and_threads[] = {{256, 1}, {256, 4}, {5, 2}, {1, 2}};
  for (const auto& [prompt_rows, threads] : rows_and_threads) {
    INFO(prompt_rows << " rows of prompts in a step, " << threads << " threads");
    set_threads(threads);
    ContinuousBatch batch(model, 320, prompt_rows);
    std::vector<Answer> got(requests.size());
    std::size_t next = 0;
    Index most = 0;
    while (next < requests.size() || batch.running() > 0) {
      if (next < requests.size() && batch.fits(requests[next])) {
        batch.add(collected(requests[next], got[next]));
        ++next;
      }
      batch.step();
      most = std::max(most, batch.running());
    }
    CHECK(most >= 2);
    for (std::size_t i = 0; i < got.size(); ++i) {
      INFO("request " << i);
      check_same(got[i], want[i]);
    }
  }
}

TEST_CASE("prompts with pictures run beside prompts of text") {
  const auto c = config("nano");
  const models::Vlm<float> model(c, image_token, 3);
  std::vector<Request> requests;
  for (std::uint64_t i = 0; i < 5; ++i) {
    Request r = text_request(40 + i, 12, 9);
    if (i % 2 == 0) r.prompt = image_prompt(c, 60 + i, 4);
    requests.push_back(std::move(r));
  }
  ContinuousBatch batch(model, 1024, 8);
  std::vector<Answer> got(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) batch.add(collected(requests[i], got[i]));
  while (batch.running() > 0) batch.step();
  for (std::size_t i = 0; i < requests.size(); ++i) check_same(got[i], alone(model, requests[i]));
}

TEST_CASE("slots are used again, in any order of ends") {
  gaze::detail::SlotBlocks blocks(96);
  const Index a = blocks.take(32), b = blocks.take(16), c = blocks.take(48);
  CHECK(a == 0);
  CHECK(b == 32);
  CHECK(c == 48);
  CHECK_FALSE(blocks.has(16));
  blocks.give_back(b, 16);
  CHECK(blocks.has(16));
  CHECK_FALSE(blocks.has(32));
  blocks.give_back(c, 48);  // joins the block before
  CHECK(blocks.has(64));
  CHECK_FALSE(blocks.has(80));
  CHECK(blocks.take(16) == 32);
  blocks.give_back(a, 32);
  CHECK(blocks.has(48));
  CHECK_FALSE(blocks.has(64));
  blocks.give_back(32, 16);  // joins both sides
  CHECK(blocks.take(96) == 0);
}

TEST_CASE("a request ends at its limit, its end token, when its reader stops or is cancelled") {
  const auto model = text_model();
  const Answer whole = alone(model, text_request(7, 6, 10));
  CHECK(whole.tokens.size() == 10);
  CHECK_FALSE(whole.ended);

  Request ending = text_request(7, 6, 10);
  ending.ends = {-5, whole.tokens[4]};
  const Answer ended = alone(model, ending);
  CHECK(ended.ended);
  const auto first = std::find(whole.tokens.begin(), whole.tokens.end(), whole.tokens[4]);
  CHECK(ended.tokens == Tokens(whole.tokens.begin(), first + 1));

  ContinuousBatch batch(model, 64);
  Answer stopped, cancelled;
  Request r = collected(text_request(7, 6, 10), stopped);
  r.use = [&, use = r.use](const GeneratedToken& t) { return use(t) && stopped.tokens.size() < 3; };
  batch.add(std::move(r));
  bool gone = false;
  r = collected(text_request(7, 6, 10), cancelled);
  r.cancelled = [&] { return gone; };
  batch.add(std::move(r));
  CHECK(batch.running() == 2);
  for (int i = 0; i < 5; ++i) batch.step();
  CHECK(batch.running() == 1);
  gone = true;
  batch.step();
  CHECK(batch.running() == 0);
  CHECK(stopped.tokens == Tokens(whole.tokens.begin(), whole.tokens.begin() + 3));
  CHECK(cancelled.tokens == Tokens(whole.tokens.begin(), whole.tokens.begin() + 5));
  CHECK(stopped.done == 1);
  CHECK(cancelled.done == 1);
  CHECK(batch.fits(text_request(1, 60, 4)));
}

TEST_CASE("a request that fails leaves the others alone") {
  auto model = text_model();
  const Answer want = alone(model, text_request(8, 5, 6));
  ContinuousBatch batch(model, 64);
  Answer good, bad;
  batch.add(collected(text_request(8, 5, 6), good));
  Request r = collected(text_request(9, 5, 6), bad);
  r.use = [](const GeneratedToken&) -> bool { throw Error("test", "the reader is gone"); };
  batch.add(std::move(r));
  while (batch.running() > 0) batch.step();
  check_same(good, want);
  CHECK(contains(bad.error, "the reader is gone"));
  CHECK(bad.done == 1);

  auto& embedding = model.parameters().find("decoder.embedding")->value;
  std::fill_n(embedding.data(), embedding.numel(), std::numeric_limits<float>::quiet_NaN());
  CHECK(contains(alone(model, text_request(8, 5, 6)).error, "not finite"));
}

TEST_CASE("requests that cannot run are refused, and the batch goes on") {
  const auto model = text_model();
  ContinuousBatch batch(model, 50);
  CHECK(batch.slots() == 64);
  Answer answer;
  CHECK(batch.ever_fits(text_request(1, 40, 24)));
  CHECK_FALSE(batch.ever_fits(text_request(1, 41, 24)));
  CHECK(contains(error_of([&] { batch.add(text_request(1, 41, 24)); }),
                 "a prompt of 41 tokens and 24 more do not fit; 64 slots in all"));
  CHECK(contains(error_of([&] { batch.add(text_request(1, 0, 24)); }), "the prompt is empty"));
  Request r = text_request(1, 4, 4);
  r.sampling.temperature = 0;
  CHECK(contains(error_of([&] { batch.add(r); }), "temperature"));
  CHECK(batch.running() == 0);
  batch.add(collected(text_request(1, 40, 24), answer));
  CHECK_FALSE(batch.fits(text_request(1, 1, 1)));
  while (batch.running() > 0) batch.step();
  CHECK(answer.tokens.size() == 24);
}

}  // namespace test_continuous_batch
