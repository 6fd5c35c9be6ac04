// SPDX-License-Identifier: MIT
// gaze ask --overlay with published checkpoints: tiny ones of both families that see.
#include "gaze/image/decode.hpp"
#include "gaze/image/png.hpp"
#include "gaze/image/resize.hpp"
#include "tests/picture_formulas.hpp"
#include "tests/program.hpp"
#include "tests/tiny_checkpoint.hpp"

namespace test_cli_overlay {
namespace {

using namespace gaze;
using namespace gaze::test;

std::string golden(const std::string& name) { return std::string(GAZE_GOLDEN_DIR) + "/hf/" + name; }

/// Writes a picture of 60 x 30 pixels.
std::string picture() {
  io::write_file(at("picture.png"),
                 std::span<const std::uint8_t>(image::encode_png(smooth_picture(60, 30))));
  return at("picture.png");
}

}  // namespace

TEST_CASE("gaze ask draws the attention of published checkpoints on the picture") {
  if (!have_program()) return;
  const std::string form = at("template.txt");
  io::write_file(form, std::string_view("<|user|>\n<image>\n{question}\n<|assistant|>\n"));
  for (const Words& model : {Words{"--model", golden("idefics3")},
                             Words{"--model", golden("granite"), "--prompt-template", form}}) {
    Words ask = {"ask", "--image", picture(), "--max-tokens", "8", "why ?"};
    ask.insert(ask.end(), model.begin(), model.end());
    const Done plain = gaze_run(ask);
    const std::string overlay = at("overlay.png");
    fs::remove(overlay);
    ask.insert(ask.end(), {"--overlay", overlay});
    const Done drawn = gaze_run(ask);
    INFO(drawn.err);
    CHECK(drawn.code == 0);
    CHECK(drawn.out == plain.out);
    const auto got = image::decode_image(io::read_file(overlay), overlay);
    CHECK(got.width == 512);
    CHECK(got.height == 256);
    const auto before = image::resize(smooth_picture(60, 30), 512, 256, image::Filter::bicubic);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < got.rgb.size(); ++i) changed += got.rgb[i] != before.rgb[i];
    CHECK(changed > got.rgb.size() / 10);
  }
}

TEST_CASE("gaze ask refuses an overlay without a picture, or of a model that reads text only") {
  if (!have_program()) return;
  refused({"ask", "--model", golden("idefics3"), "--overlay", at("o.png"), "why?"},
          {"an overlay needs an image"}, at("o.png"));
  const Folder place("cli_overlay");
  refused({"ask", "--model", tiny_checkpoint(place), "--image", picture(), "--overlay", at("o.png"),
           "why?"},
          {"reads text only"}, at("o.png"));
}

}  // namespace test_cli_overlay
