// SPDX-License-Identifier: MIT
// Questions about pictures to tiny checkpoints of each family: tokens, logits and answers are those
// of transformers' processors and models (tests/golden/make_prompts_golden.py).
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/continuous_batch.hpp"
#include "phyx/eval/logits.hpp"
#include "phyx/eval/published_model.inl"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/picture_formulas.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_picture_prompts {
namespace {

using namespace gaze;
using models::hf::ChatContent;
using models::hf::ChatMessage;
using Published = phyx::PublishedModel<Cpu>;

std::string golden_folder(const std::string& name) { return test::golden_path("hf/" + name); }

std::vector<ChatMessage> messages_of(const io::Json& golden) {
  std::vector<ChatMessage> out;
  for (const io::Json& m : golden["messages"]) {
    std::vector<ChatContent> content;
    for (const io::Json& part : m["content"]) {
      const bool picture = part["type"] == "image";
      content.push_back({picture ? "" : part["text"].get<std::string>(), picture});
    }
    out.emplace_back(m["role"].get<std::string>(), std::move(content));
  }
  return out;
}

std::vector<image::Image> pictures_of(const io::Json& golden) {
  std::vector<image::Image> out;
  for (const io::Json& size : golden["sizes"])
    out.push_back(test::smooth_picture(size[0].get<int>(), size[1].get<int>()));
  return out;
}

std::vector<std::int32_t> expanded(const io::Json& runs) {
  std::vector<std::int32_t> out;
  for (const io::Json& run : runs)
    out.insert(out.end(), run[1].get<std::size_t>(), run[0].get<std::int32_t>());
  return out;
}

/// The greedy tokens after a prompt, whatever they are.
std::vector<std::int32_t> greedy(const Published& m, const models::Prompt& prompt, Index count) {
  GenerationRequest<models::Prompt> r;
  r.prompt = prompt;
  r.sampling.greedy = true;
  r.sampling.max_tokens = count;
  std::vector<std::int32_t> out;
  r.use = [&](const GeneratedToken& t) {
    out.push_back(t.id);
    return true;
  };
  ContinuousBatch batch(m.model, 512);
  batch.add(std::move(r));
  while (batch.running() > 0) batch.step();
  return out;
}

double distance_to(const io::Json& golden, const std::vector<float>& logits) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double expected = golden[i].get<double>();
    difference += (logits[i] - expected) * (logits[i] - expected);
    size += expected * expected;
  }
  return std::sqrt(difference / size);
}

void check_case(const Published& m, const io::Json& golden) {
  const auto messages = messages_of(golden);
  const auto pictures = pictures_of(golden);
  const models::Prompt prompt = m.prompt(messages, pictures);
  CHECK(prompt.tokens == expanded(golden["ids"]));
  const models::Prompt* one = &prompt;
  const NoGrad no_grad;
  const auto all = m.model.all_logits(std::span(&one, 1)).to_vector();
  const std::vector<float> last(all.end() - m.model.vocabulary(), all.end());
  CHECK(distance_to(golden["logits"], last) < 1e-5);
  CHECK(greedy(m, prompt, 16) == golden["answer"].get<std::vector<std::int32_t>>());
}

}  // namespace

TEST_CASE("conversations with pictures have the tokens, logits and answers of transformers") {
  const io::Json golden = test::golden_json("prompts_golden.json");
  const auto smolvlm = phyx::load_published<Cpu>({}, golden_folder("idefics3"));
  for (const io::Json& c : golden["idefics3"]) {
    INFO(c["sizes"].dump());
    check_case(*smolvlm, c);
  }
  const test::Folder place("picture_prompts");
  phyx::PublishedSettings settings;
  settings.prompt_template = place.put("t.txt", golden["granite_template"].get<std::string>());
  const auto granite = phyx::load_published<Cpu>(settings, golden_folder("granite"));
  for (const io::Json& c : golden["granite"]) {
    INFO(c["sizes"].dump());
    check_case(*granite, c);
  }
}

TEST_CASE("gaze logits takes several pictures in a row, each with its own tiles") {
  const test::Folder place("picture_logits");
  phyx::PublishedSettings settings;
  settings.prompt_template = place.put("t.txt", "A <image> B <image> {question}");
  const std::string folder = golden_folder("granite");
  const auto model = phyx::load_published<Cpu>(settings, folder);
  const std::vector<image::Image> pictures = {test::smooth_picture(60, 20),
                                              test::smooth_picture(20, 70)};
  const models::Prompt prompt = model->question("why?", pictures, 4);

  // The inputs as transformers' processor writes them: tiles of each picture, filled up with zeros.
  Index most = 0;
  std::vector<Index> counts;
  std::vector<std::int64_t> sizes;
  for (const image::Image& p : pictures) {
    counts.push_back(models::hf::plan_tiles(*model->pictures, {p.width, p.height}).tiles());
    most = std::max(most, counts.back());
    sizes.insert(sizes.end(), {p.height, p.width});
  }
  REQUIRE(counts[0] != counts[1]);
  const Index side = model->checkpoint.model.vit.image, size = 3 * side * side;
  sizes.insert(sizes.end(), {20, 20});  // of a third picture, which has no place
  std::vector<float> values(static_cast<std::size_t>(3 * most * size), 0.0f);
  auto from = prompt.values->begin();
  for (Index i = 0; i < 2; ++i) {
    std::copy_n(from, counts[std::size_t(i)] * size, values.begin() + i * most * size);
    from += counts[std::size_t(i)] * size;
  }
  const std::vector<std::int64_t> ids(prompt.tokens.begin(), prompt.tokens.end());
  const auto entry = [](const std::string& name, const char* type, std::vector<std::int64_t> shape,
                        auto data) {
    io::TensorEntry e{name, type, std::move(shape), {}};
    const auto bytes = std::as_bytes(std::span(data));
    e.data.assign(bytes.begin(), bytes.end());
    return e;
  };
  const auto write = [&](std::int64_t written) {
    const auto first = values.begin();
    io::write_safetensors(
        place.file("in"),
        {entry("input_ids", "I64", {1, std::int64_t(ids.size())}, ids),
         entry("pixel_values", "F32", {written, most, 3, side, side},
               std::vector<float>(first, first + written * most * size)),
         entry("image_sizes", "I64", {written, 2},
               std::vector<std::int64_t>(sizes.begin(), sizes.begin() + 2 * written))});
    phyx::write_logits({.model = folder, .inputs = place.file("in"), .out = place.file("out")});
  };
  write(2);
  const io::SafetensorsFile out(place.file("out"));
  std::vector<float> logits(static_cast<std::size_t>(out.info("logits").elements()));
  out.read<float>("logits", out.info("logits").shape, std::span(logits));
  const models::Prompt* one = &prompt;
  const NoGrad no_grad;
  CHECK(logits == model->model.all_logits(std::span(&one, 1)).to_vector());
  CHECK(test::contains(test::error_of([&] { write(1); }), "input_ids: row 0 has"));
  CHECK(test::contains(test::error_of([&] { write(3); }),
                       "3 pictures, but input_ids has the image tokens of 2"));
  sizes[0] = sizes[1] = 75;  // more tiles than the file has for a picture
  CHECK(test::contains(test::error_of([&] { write(2); }),
                       concat("pixel_values: ", most, " tiles, but picture 0 has 5")));
}

TEST_CASE("a Granite model's logits can be left undivided, as newer transformers does") {
  const test::Folder place("undivided_logits");
  phyx::PublishedSettings settings;
  settings.prompt_template = place.put("t.txt", "{question}");
  const std::string folder = golden_folder("granite");
  const auto divided = phyx::load_published<Cpu>(settings, folder);
  settings.logits_scaling = false;
  const auto undivided = phyx::load_published<Cpu>(settings, folder);
  const auto by = static_cast<float>(divided->checkpoint.model.decoder.logits_divisor);
  REQUIRE(by != 1);
  const models::Prompt prompt = divided->question("why?", {}, 4);
  const models::Prompt* one = &prompt;
  const NoGrad no_grad;
  const auto small = divided->model.all_logits(std::span(&one, 1)).to_vector();
  const auto large = undivided->model.all_logits(std::span(&one, 1)).to_vector();
  for (std::size_t i = 0; i < small.size(); ++i)
    REQUIRE(large[i] == Catch::Approx(by * small[i]).epsilon(1e-5).margin(1e-6));
  CHECK(test::contains(
      test::error_of([&] { phyx::load_published<Cpu>(settings, golden_folder("idefics3")); }),
      "without logits_scaling"));
}

TEST_CASE("a picture needs a place in the prompt, and a place a picture") {
  const test::Folder place("picture_places");
  const std::string folder = golden_folder("idefics3");
  const auto picture = test::smooth_picture(20, 10);
  phyx::PublishedSettings settings;
  settings.prompt_template = place.put("without.txt", "U: {question} A:");
  const auto without = phyx::load_published<Cpu>(settings, folder);
  CHECK(without->question("why?", {}, 4).tokens.size() == 10);
  CHECK(test::contains(test::error_of([&] {
                         without->question("why?", {&picture, 1}, 4);
                       }),
                       "the prompt has 0 places for pictures, and there are 1"));
  settings.prompt_template = place.put("with.txt", "U: <image>{question} A:");
  const auto with = phyx::load_published<Cpu>(settings, folder);
  CHECK(with->question("why?", {&picture, 1}, 4).values != nullptr);
  CHECK(test::contains(test::error_of([&] { with->question("why?", {}, 4); }),
                       "the prompt has 1 place for pictures, and there are 0"));
  // Written by a user, the picture's token is text.
  const auto smolvlm = phyx::load_published<Cpu>({}, folder);
  const auto tokens = smolvlm->question("<image>", {}, 4).tokens;
  CHECK(std::count(tokens.begin(), tokens.end(), smolvlm->checkpoint.image_token) == 0);
}

TEST_CASE("pictures that config.json does not expect are refused when a folder is loaded") {
  const test::Folder place("picture_mismatch");
  for (const auto& file : std::filesystem::directory_iterator(golden_folder("granite")))
    std::filesystem::copy_file(file, place.path / file.path().filename());
  const io::Json pictures = io::read_json_object(place.file("preprocessor_config.json"));
  const auto error = [&](const io::Json& changed) {
    place.put("preprocessor_config.json", changed.dump());
    return test::error_of([&] { phyx::load_published<Cpu>({}, place.path.string()); });
  };
  CHECK(error(pictures).empty());
  io::Json fewer = pictures;
  fewer["image_grid_pinpoints"].erase(std::size_t{0});
  CHECK(test::contains(error(fewer),
                       "preprocessor_config.json: image_grid_pinpoints differ from "
                       "those of config.json"));
  io::Json smaller = pictures;
  smaller["size"] = smaller["crop_size"] = {{"height", 5}, {"width", 5}};
  CHECK(test::contains(error(smaller), "tiles of 5 pixels, but config.json says 25"));
}

TEST_CASE("the attention on the tokens of several tiles adds up to that on the pictures") {
  const io::Json golden = test::golden_json("prompts_golden.json");
  const auto m = phyx::load_published<Cpu>({}, golden_folder("idefics3"));
  const io::Json& c = golden["idefics3"][2];
  const models::Prompt prompt = m->prompt(messages_of(c), pictures_of(c));
  const models::Prompt* one = &prompt;
  const auto seen = [&](models::Watch watch) {
    return m->model.prefill(std::span(&one, 1), 1, 1, watch).first.seen;
  };
  const auto marks = seen(models::Watch::marks), patches = seen(models::Watch::patches);
  const auto tokens = static_cast<std::size_t>(
      std::count(prompt.tokens.begin(), prompt.tokens.end(), m->checkpoint.image_token));
  CHECK(tokens == 4 * static_cast<std::size_t>(prompt.values->size() / (3 * 32 * 32)));
  const std::size_t heads = marks.size() / models::mark_count;  // of all layers
  REQUIRE(patches.size() == heads * tokens);
  for (std::size_t h = 0; h < heads; ++h) {
    double sum = 0;
    for (std::size_t t = 0; t < tokens; ++t) sum += patches[h * tokens + t];
    const float* mark = marks.data() + h * models::mark_count;
    CHECK(sum == Catch::Approx(mark[static_cast<int>(models::Mark::image)]).epsilon(1e-5));
    CHECK(sum + mark[static_cast<int>(models::Mark::text)] == Catch::Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("splitting can be switched off where the family allows it") {
  phyx::PublishedSettings settings;
  settings.split_images = false;
  const auto m = phyx::load_published<Cpu>(settings, golden_folder("idefics3"));
  const auto picture = test::smooth_picture(100, 80);
  const models::Prompt prompt = m->question("why?", {&picture, 1}, 4);
  CHECK(prompt.values->size() == 3 * 32 * 32);
  CHECK(test::contains(
      test::error_of([&] { phyx::load_published<Cpu>(settings, golden_folder("granite")); }),
      "pictures of this family, llava_next, cannot be left unsplit"));
}

}  // namespace test_picture_prompts
