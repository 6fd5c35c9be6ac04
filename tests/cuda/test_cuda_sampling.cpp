// SPDX-License-Identifier: MIT
// Tokens drawn on the device against those drawn on the host from the same random numbers.
#include <cmath>
#include <limits>
#include <random>

#include "cuda/kernels.hpp"
#include "gaze/generate/sampling.hpp"
#include "tests/cuda/device.hpp"
#include "tests/cuda/on_device.hpp"

namespace test_cuda_sampling {

using namespace gaze;
using namespace gaze::test;

TEST_CASE("top-k and top-p draw the same tokens as sampling.hpp") {
  GAZE_NEEDS_DEVICE();
  std::mt19937 random(7);
  const Philox philox(11, Purpose::sampling);
  const Index n = 12;
  std::vector<std::uint64_t> samples;
  for (Index r = 0; r < n; ++r) samples.push_back(std::uint64_t(r) * 977 + (1ull << 40));
  const OnDevice<std::uint64_t> gs(samples);
  const OnDevice<std::int32_t> token(n), step(std::vector<std::int32_t>{5});
  for (const Index v : {1, 2, 300, 1000}) {
    auto logits = rounded<float>(numbers<float>(n * v, random));
    for (std::size_t i = 0; i < logits.size(); ++i) {
      logits[i] *= 3;
      if (i % 3 == 1) logits[i] = std::round(logits[i]);  // ties
    }
    const OnDevice<float> gl(logits);
    for (const float inverse : {0.7f, 1.0f, 1.5f}) {
      std::vector<float> lse;
      std::vector<std::vector<float>> p;
      for (Index r = 0; r < n; ++r) {
        const float* const row = logits.data() + r * v;
        double total = 0;
        for (Index j = 0; j < v; ++j) total += std::exp(double(row[j]) * double(inverse));
        lse.push_back(float(std::log(total)));
        auto& of_row = p.emplace_back();
        for (Index j = 0; j < v; ++j) of_row.push_back(std::exp(row[j] * inverse - lse.back()));
      }
      const OnDevice<float> ge(lse);
      for (const int top_k : {0, 1, 5, 50})
        for (const double top_p : {1.0, 0.9, 0.3, 1e-6})
          for (const double min_p : {0.0, 0.1}) {
            SamplingSettings s;
            s.top_k = top_k;
            s.top_p = top_p;
            s.min_p = min_p;
            cuda::draw_cut_tokens(args::DrawTokens<float>{.n = n,
                                                          .v = v,
                                                          .logits = gl.data(),
                                                          .inv_temperature = inverse,
                                                          .lse = ge.data(),
                                                          .greedy = false,
                                                          .cut = {top_k, top_p, min_p},
                                                          .random = philox,
                                                          .sample = gs.data(),
                                                          .step = step.data(),
                                                          .token = token.data()});
            const auto got = token.host();
            for (std::size_t r = 0; r < got.size(); ++r) {
              auto weights = p[r];
              CHECK(got[r] == draw(weights, philox.uniform(samples[r], 5), s));
            }
          }
    }
  }
}

TEST_CASE("a row with zero probability everywhere draws no token") {
  GAZE_NEEDS_DEVICE();
  const Philox philox(11, Purpose::sampling);
  const Index n = 3;
  const OnDevice<std::uint64_t> samples(std::vector<std::uint64_t>{1, 2, 3});
  const OnDevice<std::int32_t> token(n), step(std::vector<std::int32_t>{0});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Index v : {1, 40, 1000}) {
    // Row 0: all logits far below the given lse. Row 1: valid. Row 2: NaNs.
    std::vector<float> logits(static_cast<std::size_t>(n * v), 0.0f);
    logits[static_cast<std::size_t>(2 * v - 1)] = 60;
    std::fill_n(logits.begin() + 2 * v, v, nan);
    const OnDevice<float> gl(logits), lse(std::vector<float>{1e9f, 60, nan});
    const auto check = [&](bool nans) {
      const auto got = token.host();
      CHECK(got[0] == -1);
      CHECK(got[1] == v - 1);
      if (nans) CHECK(got[2] == -1);
    };
    const args::DrawTokens<float> draw{.n = n,
                                       .v = v,
                                       .logits = gl.data(),
                                       .inv_temperature = 1,
                                       .lse = lse.data(),
                                       .greedy = false,
                                       .cut = {5, 0.9, 0.01},
                                       .random = philox,
                                       .sample = samples.data(),
                                       .step = step.data(),
                                       .token = token.data()};
    cuda::draw_tokens(draw);
    check(false);  // NaNs appear in the log-probability of the drawn token
    cuda::draw_cut_tokens(draw);
    check(true);
  }
}

}  // namespace test_cuda_sampling
