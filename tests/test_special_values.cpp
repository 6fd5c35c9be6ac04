// SPDX-License-Identifier: MIT
// NaN, infinities and signed zeros in every operation, in float64 and in float32 at every
// instruction set; rows that do not affect each other.
#include "tests/restore.hpp"
#include "tests/special_values.hpp"

namespace test_special_values {

using namespace gaze;
using namespace gaze::test;

TEST_CASE("NaN, infinities and signed zeros propagate as specified", "[ops]") {
  const Restore restore;
  for (const SpecialCase& c : special_cases()) check_special<double, Cpu>(c, c.functions.wide);
  for (const Isa isa : every_isa) {
    if (!supported(isa)) continue;
    set_isa(isa);
    INFO(name(isa));
    for (const SpecialCase& c : special_cases()) check_special<float, Cpu>(c, c.functions.narrow);
  }
}

TEST_CASE("comparisons with NaN are false, except not_equal", "[ops]") {
  const auto narrow_nan = static_cast<float>(not_a_number);
  const auto narrow_infinity = static_cast<float>(infinity);
  const auto x = Tensor<float>::from({3}, {narrow_nan, 0, narrow_infinity});
  const auto y = Tensor<float>::from({3}, {narrow_nan, -0.0f, narrow_nan});
  using Whole = std::vector<std::int32_t>;
  CHECK(equal(x, y).to_vector() == Whole{0, 1, 0});
  CHECK(not_equal(x, y).to_vector() == Whole{1, 0, 1});
  CHECK(less(x, y).to_vector() == Whole{0, 0, 0});
  CHECK(less_equal(x, y).to_vector() == Whole{0, 1, 0});
  CHECK(greater(x, y).to_vector() == Whole{0, 0, 0});
  CHECK(greater_equal(x, y).to_vector() == Whole{0, 1, 0});
}

TEST_CASE("a NaN in one row does not affect the other rows", "[ops]") {
  const auto plain = random_tensor<float>({3, 8}, 1);
  auto spoilt = Tensor<float>::from(plain.shape(), plain.to_vector());
  spoilt.data()[8 + 3] = static_cast<float>(not_a_number);
  const auto w = random_tensor<float>({8}, 2), b = random_tensor<float>({8}, 3);
  const auto matrix = random_tensor<float>({5, 8}, 4);
  const auto target = indices({1, 2, 3});
  const auto rows = [](const Tensor<float>& y) {
    return std::array{slice(y, 0, 0, 1).to_vector(), slice(y, 0, 1, 2).to_vector(),
                      slice(y, 0, 2, 3).to_vector()};
  };
  const auto check = [&](const char* op, auto f) {
    INFO(op);
    const auto good = rows(f(plain)), bad = rows(f(spoilt));
    CHECK(good[0] == bad[0]);
    CHECK(good[2] == bad[2]);
    CHECK(std::all_of(bad[1].begin(), bad[1].end(), [](float x) { return std::isnan(x); }));
  };
  check("rms_norm", [&](const auto& x) { return rms_norm(x, w, 1e-5f); });
  check("layer_norm", [&](const auto& x) { return layer_norm(x, w, b, 1e-5f); });
  check("matmul", [&](const auto& x) { return matmul(x, matrix, false, true); });
  check("softmax", [&](const auto& x) { return softmax(x, 1); });
  check("logsumexp", [&](const auto& x) { return logsumexp(x, {1}); });
  check("linear_logprob", [&](const auto& x) { return linear_logprob(x, matrix, target).logp; });
  check("entropy", [&](const auto& x) { return linear_logprob(x, matrix, target).entropy; });
}

}  // namespace test_special_values
