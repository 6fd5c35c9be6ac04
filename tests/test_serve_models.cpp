// SPDX-License-Identifier: MIT
// Served models with weights: what the server answers is what the model gives alone.
#include <future>

#include "gaze/cpu/kernels.hpp"
#include "gaze/image/png.hpp"
#include "gaze/io/base64.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/eval/ask.hpp"
#include "phyx/eval/published_model.hpp"
#include "tests/own_chat.hpp"
#include "tests/served.hpp"
#include "tests/tiny_checkpoint.hpp"

namespace test_serve_models {
namespace {

using namespace gaze;
using namespace gaze::test;
using namespace gaze::phyx;

std::string text_of(const HttpResult& r) {
  INFO(r.body);
  REQUIRE(r.status == 200);
  return r.json()["choices"][0]["message"]["content"];
}

}  // namespace

TEST_CASE("a served checkpoint answers as it does alone") {
  const Folder place("served");
  const std::string folder = tiny_checkpoint(place);
  const Served s({.path = folder + "/", .cache_tokens = 4096});
  CHECK(s.model->name() == "tiny");
  CHECK(s.model->context() == 512);  // of its config.json
  CHECK_FALSE(s.model->sees());
  const auto alone = load_published<Cpu>({}, folder);
  for (const bool greedy : {true, false}) {
    SamplingSettings sampling;
    sampling.greedy = greedy;
    sampling.max_tokens = 30;
    std::vector<std::future<HttpResult>> served;
    for (std::uint64_t seed = 0; seed < 6; ++seed)
      served.push_back(std::async(std::launch::async, [&, seed] {
        return s.send_user("Question " + std::to_string(seed),
                           {{"seed", seed}, {"temperature", greedy ? 0 : 1}, {"max_tokens", 30}});
      }));
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      std::string expected;
      answer(*alone, "Question " + std::to_string(seed), {}, sampling, seed,
             [&](const std::string& piece) { expected += piece; });
      CHECK(text_of(served[seed].get()) == expected);
    }
  }
}

TEST_CASE("a served checkpoint's conversation is its chat template's") {
  const Folder place("served_chat");
  const Served s({.path = tiny_checkpoint(place), .name = "other"});
  CHECK(s.model->name() == "other");
  const io::Json messages = {{{"role", "system"}, {"content", "Be brief."}},
                             {{"role", "user"}, {"content", "<|im_end|>"}},
                             {{"role", "assistant"}, {"content", "Yes."}},
                             {{"role", "user"}, {"content", "Why?"}}};
  const io::Json answer = s.send(messages, {{"max_tokens", 5}, {"logprobs", true}}).json();
  const std::string template_text =
      "system\nBe brief.\nuser\n<|im_end|>\nassistant\nYes.\nuser\nWhy?\nassistant\n";
  CHECK(answer["usage"]["prompt_tokens"] == template_text.size() + 5 + 4);  // start, end tokens
  for (const io::Json& token : answer["choices"][0]["logprobs"]["content"]) {
    CHECK(token.at("logprob") <= 0);
    CHECK(token.at("logprob") > -20);
  }
  CHECK(contains(error_of([&] {
                   serve::load_served<Cpu>({.path = tiny_checkpoint(place, 512, "{{ messages }}")});
                 }),
                 "chat template is not known"));
}

TEST_CASE("a served checkpoint refuses by its bytes only what cannot fit") {
  const Folder place("served_long");
  const Served s({.path = tiny_checkpoint(place)});
  const HttpResult huge = s.send_user(repeated("a", 7000), {{"max_tokens", 5}});
  CHECK(huge.status == 400);
  CHECK(huge.json()["error"]["code"] == "context_length_exceeded");
  CHECK(contains(huge.body, "at least 539 tokens"));  // its longest token has 13 bytes
  // The vocabulary has no ~, so these become no tokens.
  const HttpResult short_one = s.send_user(repeated("~", 7000) + "a", {{"max_tokens", 5}});
  CHECK(short_one.status == 200);
  CHECK(short_one.json()["usage"]["prompt_tokens"] == 20);
}

TEST_CASE("a served checkpoint that sees answers about pictures as it does alone") {
  const Folder place("served_smolvlm");
  const std::string folder = tiny_smolvlm(place);
  const Served s({.path = folder, .cache_tokens = 4096});
  CHECK(s.model->sees());
  const auto alone = load_published<Cpu>({}, folder);
  const image::Image picture{70, 40, std::vector<std::uint8_t>(70 * 40 * 3, 90)};
  SamplingSettings sampling;
  sampling.greedy = true;
  sampling.max_tokens = 12;
  std::string expected;
  answer(*alone, "what is it ?", {&picture, 1}, sampling, 0,
         [&](const std::string& piece) { expected += piece; });
  const std::string url = "data:image/png;base64," + io::base64_encode(image::encode_png(picture));
  const io::Json content = {{{"type", "image_url"}, {"image_url", {{"url", url}}}},
                            {{"type", "text"}, {"text", "what is it ?"}}};
  const io::Json fields = {{"temperature", 0}, {"max_tokens", 12}};
  CHECK(text_of(s.send_user(content, fields)) == expected);
  CHECK(text_of(s.send_user("what is it ?", fields)) != expected);
  const std::string broken =
      "data:image/png;base64," + io::base64_encode(std::vector<std::uint8_t>{'n', 'o'});
  const HttpResult refused =
      s.send_user(io::Json{{{"type", "image_url"}, {"image_url", {{"url", broken}}}}}, fields);
  CHECK(refused.status == 400);
}

TEST_CASE("a served model of our own answers about a picture as gaze ask does") {
  const Folder place("served_own");
  const std::string folder = trained_folder(place);
  const image::Image picture{20, 10, std::vector<std::uint8_t>(20 * 10 * 3, 200)};
  const auto png = image::encode_png(picture);
  io::write_file(place.file("picture.png"), std::span<const std::uint8_t>(png));
  const Served s({.path = folder, .cache_tokens = 4096});
  CHECK(s.model->sees());
  AskSettings settings;
  settings.model = folder;
  settings.question = "what is it ?";
  settings.sampling.greedy = true;
  settings.sampling.max_tokens = 12;
  const io::Json fields = {{"temperature", 0}, {"max_tokens", 12}};
  CHECK(text_of(s.send_user("what is it ?", fields)) == ask<Cpu>(settings));
  settings.image = place.file("picture.png");
  const std::string url = "data:image/png;base64," + io::base64_encode(png);
  const io::Json content = {{{"type", "text"}, {"text", "what is it ?"}},
                            {{"type", "image_url"}, {"image_url", {{"url", url}}}}};
  CHECK(text_of(s.send_user(content, fields)) == ask<Cpu>(settings));

  const auto refused = [&](const io::Json& parts) {
    const HttpResult r = s.send_user(parts, io::Json::object());
    CHECK(r.status == 400);
    return r.json()["error"]["message"].get<std::string>();
  };
  io::Json two = content;
  two.push_back(content[1]);
  CHECK(contains(refused(two), "one picture"));
  CHECK(contains(refused(repeated("what is ", 20000)), "a prompt of at least"));
  const io::Json chat = {{{"role", "user"}, {"content", repeated("what is ", 20000)}},
                         {{"role", "assistant"}, {"content", "m"}},
                         {{"role", "user"}, {"content", "what is it ?"}}};
  CHECK(s.send(chat, fields).status == 200);  // only the last question is read
  io::Json broken = content;
  broken[1]["image_url"]["url"] = url.substr(0, url.size() - 40);
  CHECK(contains(refused(broken), "last user message"));

  // A template with {options} takes the question that is before PhyX's instruction.
  const Folder other("served_options");
  const Served bare(
      {.path = trained_folder(other, "<|user|>{image} {question}{options}"), .cache_tokens = 4096});
  const std::string cut = "what is it ?" + std::string(letter_instruction);
  CHECK(bare.send_user(cut + repeated("what is ", 20000), fields).status == 200);
}

}  // namespace test_serve_models
