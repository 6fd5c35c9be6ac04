// SPDX-License-Identifier: MIT
// Fuzz target: any bytes decode to an image of the inspected size or throw an Error, and decoding
// twice gives the same result. See README.md.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>

#include "gaze/image/decode.hpp"
#include "gaze/image/png.hpp"
#include "gaze/image/resize.hpp"

namespace {

void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "FINDING: %s\n", what);
  std::abort();
}

void decode(std::span<const std::uint8_t> bytes) {
  using namespace gaze::image;
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    decode({data, size});
  } catch (const gaze::Error&) {  // the file is refused
  } catch (const std::exception& e) {
    require(false, e.what());
  }
  return 0;
}
