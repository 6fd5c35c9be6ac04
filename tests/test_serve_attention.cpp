// SPDX-License-Identifier: MIT
// The extension gaze_attention: its events, maps and refusals, with small models that see.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gaze/cpu/kernels.hpp"
#include "gaze/image/png.hpp"
#include "gaze/io/base64.hpp"
#include "phyx/eval/published_model.hpp"
#include "phyx/serve/attention_maps.hpp"
#include "tests/own_chat.hpp"
#include "tests/picture_formulas.hpp"
#include "tests/served.hpp"
#include "tests/test.hpp"
#include "tests/tiny_checkpoint.hpp"

namespace test_serve_attention {
namespace {

using namespace gaze;
using namespace gaze::test;
using namespace gaze::phyx;
using serve::AttentionMaps;

/// The content of a message: pictures, then a question.
io::Json content(const std::vector<image::Image>& pictures) {
  io::Json out = io::Json::array();
  for (const image::Image& p : pictures) {
    const std::string url = "data:image/png;base64," + io::base64_encode(image::encode_png(p));
    out.push_back({{"type", "image_url"}, {"image_url", {{"url", url}}}});
  }
  out.push_back({{"type", "text"}, {"text", "what is it ?"}});
  return out;
}

io::Json fields(bool stream, Index max_tokens = 8) {
  return {
      {"temperature", 0}, {"max_tokens", max_tokens}, {"stream", stream}, {"gaze_attention", true}};
}

/// An answer of a stream: the first event, and of the others the text and the tokens' objects.
struct Streamed {
  io::Json first, tokens = io::Json::array();
  std::string text, finish;
};

Streamed streamed(const HttpResult& r) {
  INFO(r.body);
  REQUIRE(r.status == 200);
  auto events = r.events();
  REQUIRE(events.size() > 2);
  CHECK(events.back() == "[DONE]");
  events.pop_back();
  Streamed out;
  out.first = io::Json::parse(events.front());
  for (std::size_t i = 1; i < events.size(); ++i) {
    const io::Json event = io::Json::parse(events[i]), &choice = event["choices"][0];
    CHECK_FALSE(event.contains("gaze_attention"));
    if (choice["delta"].contains("content"))
      out.text += choice["delta"]["content"].get<std::string>();
    if (choice.contains("gaze_attention")) out.tokens.push_back(choice["gaze_attention"]);
    if (!choice["finish_reason"].is_null()) out.finish = choice["finish_reason"].get<std::string>();
  }
  return out;
}

/// Map `number` of a picture with its values, from the bytes and their scale.
std::vector<double> restored(const io::Json& head, const io::Json& token, std::size_t picture,
                             std::size_t number) {
  const auto bytes = io::base64_decode(token["maps"].get<std::string>());
  std::size_t at = 0;
  const auto cells = [&](std::size_t p) {
    return head["pictures"][p]["rows"].get<std::size_t>() *
           head["pictures"][p]["columns"].get<std::size_t>();
  };
  for (std::size_t p = 0; p < picture; ++p) at += token["scales"][p].size() * cells(p);
  at += number * cells(picture);
  const double scale = token["scales"][picture][number];
  std::vector<double> out;
  for (std::size_t i = 0; i < cells(picture); ++i) out.push_back(scale * bytes.at(at + i) / 255);
  return out;
}

double sum(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

void check_close(const std::vector<double>& got, const std::vector<double>& want, double margin) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - want[i]) <= margin);
}

/// The mean map is the mean of its heads' maps, and shares are the sums of the mean maps.
void check_token(const io::Json& head, const io::Json& token) {
  const std::size_t heads = head["layers"].get<std::size_t>() * head["heads"].get<std::size_t>();
  REQUIRE(head["detail"] == "heads");
  for (std::size_t p = 0; p < head["pictures"].size(); ++p) {
    REQUIRE(token["scales"][p].size() == 1 + heads);
    const auto mean = restored(head, token, p, 0);
    std::vector<double> of_heads(mean.size(), 0.0);
    double rounding = token["scales"][p][0].get<double>() / 510 + 1e-7;
    for (std::size_t h = 1; h <= heads; ++h) {
      const auto map = restored(head, token, p, h);
      for (std::size_t i = 0; i < map.size(); ++i)
        of_heads[i] += map[i] / static_cast<double>(heads);
      rounding += token["scales"][p][h].get<double>() / 510 / static_cast<double>(heads);
    }
    check_close(mean, of_heads, rounding);
    const double share = token["shares"][p];
    CHECK(share > 0);
    CHECK(share < 1);
    CHECK(std::abs(share - sum(mean)) <= rounding * static_cast<double>(mean.size()));
  }
}

}  // namespace

TEST_CASE("a stream has the maps of each token as it is generated") {
  const Folder place("attention_stream");
  const std::string folder = tiny_smolvlm(place);
  const Served s({.path = folder, .cache_tokens = 4096});
  const auto picture = smooth_picture(70, 40);
  const auto alone = load_published<Cpu>({}, folder);
  SamplingSettings sampling;
  sampling.greedy = true;
  sampling.max_tokens = 8;
  std::string expected;
  std::vector<float> attention;
  answer(
      *alone, "what is it ?", {&picture, 1}, sampling, 0,
      [&](const std::string& piece) { expected += piece; }, &attention);
  const auto map = alone->grids({&picture, 1}).front().map(attention);

  const Streamed got = streamed(s.send_user(content({picture}), fields(true)));
  CHECK(got.text == expected);
  CHECK(got.finish == "length");
  const io::Json head = got.first["gaze_attention"];
  // 96 x 64 pixels: 3 x 2 tiles of 2 x 2 tokens.
  CHECK(head ==
        io::Json{{"layers", 2},
                 {"heads", 4},
                 {"pictures", {{{"width", 70}, {"height", 40}, {"columns", 6}, {"rows", 4}}}},
                 {"detail", "heads"}});
  CHECK(got.first["choices"][0]["delta"]["role"] == "assistant");
  REQUIRE(got.tokens.size() == 8);
  std::string text;
  std::vector<double> mean(24, 0.0);
  for (const io::Json& token : got.tokens) {
    check_token(head, token);
    text += token["token"].get<std::string>();
    const auto one = restored(head, token, 0, 0);
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += one[i] / 8;
  }
  CHECK(text == expected);
  check_close(mean, {map.begin(), map.end()}, 2e-3);
  CHECK(std::abs(sum(mean) - std::accumulate(map.begin(), map.end(), 0.0)) < 2e-3);
}

TEST_CASE("a whole answer has the maps of its stream, and others have none") {
  const Folder place("attention_whole");
  const Served s({.path = tiny_smolvlm(place), .cache_tokens = 4096});
  const std::vector<image::Image> pictures = {smooth_picture(70, 40), smooth_picture(20, 60)};
  const Streamed stream = streamed(s.send_user(content(pictures), fields(true)));
  const HttpResult r = s.send_user(content(pictures), fields(false));
  REQUIRE(r.status == 200);
  io::Json whole = r.json()["choices"][0]["gaze_attention"];
  CHECK(whole["tokens"] == stream.tokens);
  for (const io::Json& token : stream.tokens) check_token(stream.first["gaze_attention"], token);
  CHECK(stream.first["gaze_attention"]["pictures"].size() == 2);
  whole.erase("tokens");
  CHECK(whole == stream.first["gaze_attention"]);
  for (const bool streams : {false, true}) {
    io::Json without = fields(streams);
    without["gaze_attention"] = false;
    const HttpResult plain = s.send_user(content(pictures), without);
    CHECK(plain.status == 200);
    CHECK_FALSE(contains(plain.body, "gaze_attention"));
    if (!streams) CHECK(plain.json()["choices"][0]["message"] == r.json()["choices"][0]["message"]);
  }
}

TEST_CASE("tokens that a stop string holds back have their events") {
  const Folder place("attention_stop");
  const Served s({.path = tiny_smolvlm(place), .cache_tokens = 4096});
  const auto picture = smooth_picture(70, 40);
  const Streamed all = streamed(s.send_user(content({picture}), fields(true)));
  const std::string stop = all.text.substr(2, 3);
  io::Json stopped = fields(true);
  stopped["stop"] = stop;
  const Streamed got = streamed(s.send_user(content({picture}), stopped));
  CHECK(got.finish == "stop");
  CHECK(got.text == all.text.substr(0, all.text.find(stop)));
  std::string text;
  for (const io::Json& token : got.tokens) text += token["token"].get<std::string>();
  CHECK(contains(text, stop));
  CHECK(all.text.substr(0, text.size()) == text);
}

TEST_CASE("a model of our own has a map of its image tokens") {
  const Folder place("attention_own");
  const Served s({.path = trained_folder(place), .cache_tokens = 4096});
  const Streamed got = streamed(s.send_user(content({smooth_picture(20, 10)}), fields(true)));
  const io::Json head = got.first["gaze_attention"];
  const auto side = models::preset("nano").image_side();
  const io::Json picture = {{"width", 20}, {"height", 10}, {"columns", side}, {"rows", side}};
  CHECK(head["pictures"] == io::Json::array({picture}));
  REQUIRE_FALSE(got.tokens.empty());
  for (const io::Json& token : got.tokens) check_token(head, token);
}

TEST_CASE("the extension is refused by name where there is nothing to show") {
  const Folder place("attention_refused");
  const Served seeing({.path = tiny_smolvlm(place), .cache_tokens = 4096});
  const Served text({.path = tiny_checkpoint(place), .cache_tokens = 4096});
  const auto check = [](const HttpResult& r, const std::string& field, const std::string& reason) {
    INFO(r.body);
    CHECK(r.status == 400);
    CHECK(r.json()["error"]["param"].get<std::string>() == field);
    CHECK(contains(r.json()["error"]["message"].get<std::string>(), reason));
  };
  const auto picture = smooth_picture(70, 40);
  check(text.send_user("why?", fields(true)), "gaze_attention", "reads text only");
  check(seeing.send_user("why?", fields(false)), "gaze_attention", "no picture");
  io::Json two = fields(true);
  two["n"] = 2;
  check(seeing.send_user(content({picture}), two), "gaze_attention", "needs n to be 1");
  two["gaze_attention"] = "yes";
  check(seeing.send_user(content({picture}), two), "gaze_attention", "");
  // 20 pictures of 40 image tokens each among 2^19 slots are more than 2^28 marks.
  const Served large({.path = tiny_smolvlm(place), .cache_tokens = 1 << 19});
  const std::vector<image::Image> many(20, smooth_picture(70, 70));
  check(large.send_user(content(many), fields(true)), "gaze_attention", "too much memory");
  CHECK(get(text.server.http().port(), "/v1/models").json()["data"][0]["gaze"] ==
        io::Json{{"sees", false}});
  CHECK(get(seeing.server.http().port(), "/v1/models/smolvlm").json()["gaze"] ==
        io::Json{{"sees", true}});
}

TEST_CASE("maps of whole answers are bounded by less detail, or refused") {
  const Folder place("attention_bounded");
  const Served s({.path = tiny_smolvlm(place, 150000), .cache_tokens = 130000},
                 {.max_tokens = 130000});
  const std::vector<image::Image> pictures(20, smooth_picture(70, 70));  // 20 x 36 cells
  const auto answer = [&](Index max_tokens, const std::string& stop) {
    io::Json asked = fields(false, max_tokens);
    if (!stop.empty()) asked["stop"] = stop;
    return s.send_user(content(pictures), asked);
  };
  const auto detail = [](const HttpResult& r) {
    INFO(r.body.substr(0, 300));
    REQUIRE(r.status == 200);
    return r.json()["choices"][0]["gaze_attention"]["detail"].get<std::string>();
  };
  const HttpResult few = answer(4, "");
  CHECK(detail(few) == "heads");  // 6480 bytes
  const auto text = few.json()["choices"][0]["message"]["content"].get<std::string>();
  REQUIRE_FALSE(text.empty());
  const std::string stop = text.substr(0, 1);
  CHECK(detail(answer(12000, stop)) == "layers");  // 2160 bytes
  CHECK(detail(answer(40000, stop)) == "mean");    // 720 bytes
  const HttpResult refused = answer(100000, stop);
  CHECK(refused.status == 400);
  CHECK(refused.json()["error"]["param"] == "max_tokens");
}

TEST_CASE("a client that reads its maps too slowly loses its stream", "[slow]") {
  /// Every prompt has a picture whose maps are nearly 256 KiB for each token.
  struct WideModel : FakeModel {
    WideModel() : FakeModel(true) {}
    serve::ChatPrompt encode(std::span<const serve::ChatMessage> messages) const override {
      serve::ChatPrompt out = FakeModel::encode(messages);
      out.pictures.push_back({{100, 100}, models::token_grid(48)});
      out.layers = 10;
      out.heads = 11;
      return out;
    }
  };
  const WideModel model;
  FakeControl control;
  control.seen = 10 * 11 * 48 * 48;
  const serve::ChatServer server(
      model, [&] { return std::make_unique<FakeBatch>(control, 3000); },
      TestOptions{.max_tokens = 2000}.settings());
  HttpClient client(server.http().port());
  client.send(TestServer::request("loop", R"("stream": true, "gaze_attention": true)"));
  client.read_until("gaze_attention");
  CHECK(eventually([&] { return server.scheduler().running() == 0; }));
  const auto events = parsed_response(client.read_all()).events();
  REQUIRE(events.size() > 200);
  CHECK(events.size() < 600);
  CHECK(contains(events.back(), "too slowly"));
}

TEST_CASE("the detail of maps is the finest that fits") {
  serve::ChatPrompt prompt;
  prompt.pictures.push_back({{100, 100}, models::token_grid(3)});
  prompt.layers = 2;
  prompt.heads = 4;
  const auto detail = [&](std::size_t bytes) {
    const AttentionMaps maps(prompt, bytes);
    return std::pair(maps.json()["detail"].get<std::string>(), maps.token_bytes());
  };
  CHECK(detail(81) == std::pair<std::string, std::size_t>("heads", 81));
  CHECK(detail(80) == std::pair<std::string, std::size_t>("layers", 27));
  CHECK(detail(26) == std::pair<std::string, std::size_t>("mean", 9));
  CHECK(detail(1) == std::pair<std::string, std::size_t>("mean", 9));

  GeneratedToken token{7, 0, {}, false, std::vector<float>(8 * 9, 0.0f)};
  token.seen[2 * 9 + 4] = 0.5f;  // head 2 of layer 0, in the middle
  const auto maps = AttentionMaps(prompt, 27)(token);
  CHECK(maps.token == 7);
  CHECK(maps.shares == std::vector<float>{0.0625f});
  CHECK(maps.scales == std::vector<std::vector<float>>{{0.0625f, 0.125f, 0.0f}});
  std::vector<std::uint8_t> want(27, 0);
  want[4] = want[9 + 4] = 255;
  CHECK(maps.maps == want);
  token.seen.pop_back();
  CHECK_THROWS_AS(AttentionMaps(prompt, 27)(token), Error);
}

}  // namespace test_serve_attention
