// SPDX-License-Identifier: MIT
// gaze ask.
#include "phyx/eval/ask.hpp"

#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

#include "gaze/image/decode.hpp"
#include "gaze/io/atomic_file.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/device.hpp"
#include "phyx/cli/published_options.hpp"
#include "phyx/cli/sampling.hpp"
#ifdef GAZE_WITH_CUDA
#include "phyx/eval/ask.inl"
#include "phyx/eval/published_model.inl"
#endif

namespace gaze::phyx::cli {

namespace {

struct AskOptions {
  AskSettings s;
  std::string device = "cpu";
  PublishedSettings published;
  bool sample = false;

  void add(CLI::App& app) {
    app.add_option("--model", s.model,
                   "folder or .safetensors file of a trained model, or folder of a published "
                   "checkpoint")
        ->required();
    add_published(app, published);
    app.add_option("--image", s.image, "PNG or JPEG")->check(CLI::ExistingFile);
    app.add_option("--overlay", s.overlay,
                   "write the image with its attention overlay to this PNG file");
    app.add_flag("--sample", sample, "sample instead of greedy decoding");
    app.add_option("--seed", s.seed)->transform(whole(0, largest));
    add_sampling(app, s.sampling);
    add_device(app, device);
    app.add_option("question", s.question)->required();
  }
  void run() {
    s.sampling.greedy = !sample;
    if (models::hf::is_published_checkpoint(s.model)) return ask_published();
    check_own_model(published, s.model);
    const auto answer = on_device(device, [&](auto chosen) { return ask<decltype(chosen)>(s); });
    std::printf("%s\n", for_standard_output(answer).c_str());
  }

  /// Prints the answer while it is generated.
  void ask_published() const {
    GAZE_CHECK(s.overlay.empty() || !s.image.empty(), "ask", "an overlay needs an image");
    std::vector<image::Image> pictures;
    if (!s.image.empty()) pictures.push_back(image::decode_image(io::read_file(s.image), s.image));
    on_device(device, [&](auto chosen) {
      using Device = decltype(chosen);
      const auto model = load_published<Device>(published, s.model);
      const auto say = [](const std::string& text) {
        std::fputs(for_standard_output(text).c_str(), stdout);
        std::fflush(stdout);
      };
      if (s.overlay.empty()) return answer(*model, s.question, pictures, s.sampling, s.seed, say);
      const models::TokenGrid grid = model->grids(pictures).front();
      std::vector<float> attention;
      answer(*model, s.question, pictures, s.sampling, s.seed, say, &attention);
      draw(grid, attention, pictures.front());
    });
    std::printf("\n");
  }

  /// Writes the overlay of a prompt's picture.
  void draw(const models::TokenGrid& grid, const std::vector<float>& attention,
            const image::Image& picture) const {
    const HeatMap map{grid.map(attention), grid.rows(), grid.columns()};
    const auto png = heat_overlay(picture, map, overlay_size(picture));
    io::write_file(s.overlay, std::span<const std::uint8_t>(png));
  }
};

}  // namespace

void add_ask(CLI::App& app) {
  add_command<AskOptions>(app, "ask", "answer a question about an image");
}

}  // namespace gaze::phyx::cli
