// SPDX-License-Identifier: MIT
// Fuzz target: any bytes decode to an image of the inspected size or throw an Error, and decoding
// twice gives the same result.
#include <cstdint>
#include <span>
#include <string_view>

#include "gaze/image/decode.hpp"
#include "gaze/image/png.hpp"
#include "gaze/image/resize.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_image {

using namespace gaze::image;
using gaze::fuzz::require;

void run(std::string_view input) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  DecodeLimits limits;
  limits.max_pixels = 1 << 16;  // so that one input takes milliseconds
  limits.max_side = 4096;
  const auto [width, height] = image_size(bytes, "fuzz", limits);
  const Image image = decode_image(bytes, "fuzz", limits);
  require(image.width == width && image.height == height, "another size than inspected");
  require(image.rgb.size() == 3 * static_cast<std::size_t>(width * height), "not every pixel");
  require(decode_image(bytes, "fuzz", limits).rgb == image.rgb, "other pixels the second time");
  const Image small = resize(image, 24, 24, Filter::bicubic);
  require(decode_image(encode_png(small)).rgb == small.rgb, "our own PNG comes back changed");
}

const gaze::fuzz::Target target("image", run);

}  // namespace fuzz_image
