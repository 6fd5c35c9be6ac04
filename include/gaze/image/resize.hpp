// SPDX-License-Identifier: MIT
// Antialiased resize, bit for bit equal to Pillow's, and pixels as a model's input.
// (Pillow before version 13, which swaps the passes if the height shrinks most.)
//
// A reduction by r widens the filter r times, so that every input pixel contributes. Rows first,
// then columns; in each pass weights are integers with 22 fractional bits and the sum is rounded to
// the nearest of 0 to 255. Models were trained on images resized this way; other rounding would
// change their input.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/image/image.hpp"

namespace gaze::image {

/// The weight of neighbours by their distance: linear over 1 pixel, cubic over 2, Lanczos over 3.
enum class Filter { bilinear, bicubic, lanczos };

namespace detail {

inline constexpr int kWeightBits = 22;

/// Support of a filter: it is zero beyond this distance.
inline double filter_support(Filter filter) {
  return filter == Filter::bilinear ? 1.0 : filter == Filter::bicubic ? 2.0 : 3.0;
}

/// sin(pi x) / (pi x).
inline double sinc(double x) {
  x *= std::numbers::pi;
  return x == 0.0 ? 1.0 : std::sin(x) / x;
}

/// The filter at distance x: the triangle; Keys's cubic convolution with a = -1/2
/// ("Cubic convolution interpolation for digital image processing", 1981); or sinc under the
/// central lobe of a sinc three times as wide (Lanczos).
inline double filter_weight(Filter filter, double x) {
  x = std::fabs(x);
  if (filter == Filter::bilinear) return x < 1.0 ? 1.0 - x : 0.0;
  if (filter == Filter::lanczos) return x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
  constexpr double a = -0.5;
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

/// One output pixel of a pass: inputs first, first + 1, … with these weights.
struct Taps {
  int first;
  std::vector<std::int32_t> weights;
};

/// The taps of a pass from `in` to `out` pixels.
inline std::vector<Taps> filter_taps(int in, int out, Filter filter) {
  const double scale = static_cast<double>(in) / out;
  const double stretch = std::max(scale, 1.0);
  const double support = filter_support(filter) * stretch;
  std::vector<Taps> taps(static_cast<std::size_t>(out));
  std::vector<double> weights;
  for (int i = 0; i < out; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), in);
    double sum = 0.0;
    weights.clear();
    for (int x = first; x < last; ++x) {
      weights.push_back(filter_weight(filter, (x - center + 0.5) * (1.0 / stretch)));
      sum += weights.back();
    }
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.first = first;
    for (const double w : weights) {
      const double fixed = (sum != 0.0 ? w / sum : w) * (1 << kWeightBits);
      tap.weights.push_back(static_cast<std::int32_t>(fixed + (fixed < 0 ? -0.5 : 0.5)));
    }
  }
  return taps;
}

/// The weighted sum of pixels `stride` bytes apart, rounded to a byte.
inline std::uint8_t weighted(const std::uint8_t* pixels, std::size_t stride,
                             const std::vector<std::int32_t>& weights) {
  std::int64_t sum = std::int64_t{1} << (kWeightBits - 1);
  for (std::size_t k = 0; k < weights.size(); ++k)
    sum += std::int64_t{pixels[k * stride]} * weights[k];
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> kWeightBits, 0, 255));
}

inline Image resize_rows(const Image& in, int width, Filter filter) {
  const auto taps = filter_taps(in.width, width, filter);
  const std::size_t in_row = static_cast<std::size_t>(in.width) * 3;
  Image out{width, in.height, {}};
  out.rgb.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(in.height) * 3);
  for (std::size_t y = 0; y < static_cast<std::size_t>(in.height); ++y) {
    for (const Taps& tap : taps) {
      const std::uint8_t* from = &in.rgb[y * in_row + static_cast<std::size_t>(tap.first) * 3];
      for (std::size_t c = 0; c < 3; ++c) out.rgb.push_back(weighted(from + c, 3, tap.weights));
    }
  }
  return out;
}

inline Image resize_columns(const Image& in, int height, Filter filter) {
  const std::size_t row = static_cast<std::size_t>(in.width) * 3;
  Image out{in.width, height, {}};
  out.rgb.reserve(row * static_cast<std::size_t>(height));
  for (const Taps& tap : filter_taps(in.height, height, filter)) {
    const std::uint8_t* from = &in.rgb[static_cast<std::size_t>(tap.first) * row];
    for (std::size_t i = 0; i < row; ++i) out.rgb.push_back(weighted(from + i, row, tap.weights));
  }
  return out;
}

inline void check_image(const Image& image, const char* where) {
  GAZE_CHECK(image.width > 0 && image.height > 0 &&
                 image.rgb.size() == static_cast<std::size_t>(image.width) *
                                         static_cast<std::size_t>(image.height) * 3,
             where, image.rgb.size(), " bytes are not an image of ", image.width, "x",
             image.height);
}

}  // namespace detail

/// Resizes the image like Image.resize((width, height), filter) of Pillow < 13.
inline Image resize(const Image& image, int width, int height, Filter filter) {
  detail::check_image(image, "resize");
  GAZE_CHECK(width > 0 && height > 0, "resize", "invalid size ", width, "x", height);
  Image out = width == image.width ? image : detail::resize_rows(image, width, filter);
  return height == image.height ? out : detail::resize_columns(out, height, filter);
}

/// Mean and standard deviation of each channel of byte * rescale; by default white is 1.
struct Normalization {
  std::array<float, 3> mean{0.5f, 0.5f, 0.5f};
  std::array<float, 3> std{0.5f, 0.5f, 0.5f};
  double rescale = 1.0 / 255;
};

namespace detail {
/// (byte * rescale - mean) / std of every byte, for each channel. The product is of doubles and
/// rounded to float, the rest is float: as transformers computes it with NumPy, bit for bit. (With
/// rescale = 1/255 the product rounds to the same float as byte / 255 does.)
inline std::array<std::array<float, 256>, 3> normalization_table(const Normalization& norm) {
  GAZE_CHECK(norm.rescale > 0, "to_float", "a scale of pixels is ", norm.rescale);
  std::array<std::array<float, 256>, 3> table{};
  for (std::size_t c = 0; c < 3; ++c) {
    GAZE_CHECK(norm.std[c] > 0, "to_float", "a standard deviation is ", norm.std[c]);
    for (std::size_t v = 0; v < 256; ++v) {
      const auto scaled = static_cast<float>(static_cast<double>(v) * norm.rescale);
      table[c][v] = (scaled - norm.mean[c]) / norm.std[c];
    }
  }
  return table;
}
}  // namespace detail

/// Normalised values [3][H][W].
inline std::vector<float> to_float(const Image& image, const Normalization& norm = {}) {
  detail::check_image(image, "to_float");
  const auto table = detail::normalization_table(norm);
  const std::size_t pixels = image.rgb.size() / 3;
  std::vector<float> out(image.rgb.size());
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) out[c * pixels + i] = table[c][image.rgb[i * 3 + c]];
  }
  return out;
}

/// Normalised values as one row per square patch, [P][3 * patch * patch]: patches from the
/// top left row by row; within a row channel, then y, then x (a flattened convolution weight).
/// Both sides must be multiples of `patch`.
inline std::vector<float> to_patches(const Image& image, int patch,
                                     const Normalization& norm = {}) {
  detail::check_image(image, "to_patches");
  GAZE_CHECK(patch > 0 && image.width % patch == 0 && image.height % patch == 0, "to_patches",
             image.width, "x", image.height, " pixels are not whole patches of ", patch);
  const auto table = detail::normalization_table(norm);
  const auto side = static_cast<std::size_t>(patch), width = static_cast<std::size_t>(image.width);
  const std::size_t across = width / side, down = static_cast<std::size_t>(image.height) / side;
  std::vector<float> out;
  out.reserve(image.rgb.size());
  for (std::size_t p = 0; p < across * down; ++p) {
    const std::size_t top = p / across * side, left = p % across * side;
    for (std::size_t i = 0; i < 3 * side * side; ++i) {
      const std::size_t c = i / (side * side), y = top + i / side % side, x = left + i % side;
      out.push_back(table[c][image.rgb[(y * width + x) * 3 + c]]);
    }
  }
  return out;
}

}  // namespace gaze::image
