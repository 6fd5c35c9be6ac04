// SPDX-License-Identifier: MIT
// Properties of operations beyond golden files and finite differences: ties, NaN and infinities,
// sort indices, new tensors, same bits at any number of threads, and errors that name the
// operation.
#include <limits>

#include "gaze/gaze.hpp"
#include "tests/numbers.hpp"
#include "tests/op_case.hpp"
#include "tests/texts.hpp"

namespace test_ops_values {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;
using D = Tensor<double>;
using Values = std::vector<double>;
using Whole = std::vector<std::int32_t>;

D zeros(const Shape& shape) { return D::zeros(shape); }

}  // namespace

TEST_CASE("the first of equal elements is the maximum or minimum and gets the gradient", "[ops]") {
  const D x = leaf({2, 3}, {5, 5, 1, 1, 1, 5});
  CHECK(argmax(x.detach(), 1).to_vector() == Whole{0, 2});
  CHECK(argmin(x.detach(), 1).to_vector() == Whole{2, 0});
  CHECK(argmax(x.detach(), 1).shape() == Shape({2, 1}));
  backward(add(sum(max(x, {1})), scale(sum(min(x, {1})), 10.0)));
  CHECK(x.grad().to_vector() == Values{1, 0, 10, 10, 0, 1});
}

TEST_CASE("reductions take one axis, several, or none for all", "[ops]") {
  const D x = random_tensor<double>({2, 3}, 1);
  const auto check = [&](auto f) {
    CHECK(f(x, 1).to_vector() == f(x, {1}).to_vector());
    CHECK(f(x, -1).shape() == Shape({2, 1}));
    CHECK(f(x, {0, -1}).shape() == Shape({1, 1}));
  };
  using Along = const Axes&;
  check([](const D& v, Along axes) { return sum(v, axes); });
  check([](const D& v, Along axes) { return mean(v, axes); });
  check([](const D& v, Along axes) { return variance(v, axes); });
  check([](const D& v, Along axes) { return max(v, axes); });
  check([](const D& v, Along axes) { return min(v, axes); });
  check([](const D& v, Along axes) { return logsumexp(v, axes); });
  CHECK(mean(x, 0).to_vector() == mean(x, {0}).to_vector());
  CHECK(variance(x, 0, 1).to_vector() == variance(x, {0}, 1).to_vector());
  CHECK(variance(x).shape() == Shape());
  CHECK(variance(x).item() == Catch::Approx(variance(x, {0, 1}).item()));
  CHECK(logsumexp(x).item() == Catch::Approx(std::log(sum(exp(x)).item())));
}

TEST_CASE("NaN and infinities are never lost", "[ops]") {
  const D x = D::from({5}, {2, not_a_number, 1, infinity, not_a_number});
  CHECK(argmax(x, 0).item() == 1);
  CHECK(argmin(x, 0).item() == 1);
  CHECK(std::isnan(max(x).item()));
  CHECK(std::isnan(logsumexp(x, {0}).item()));
  CHECK(sort(x, 0).indices.to_vector() == Whole{2, 0, 3, 1, 4});
  CHECK(sort(x, 0, true).indices.to_vector() == Whole{1, 4, 3, 0, 2});
  CHECK(logsumexp(D::full({3}, -infinity), {0}).item() == -infinity);
  CHECK(logsumexp(D::from({2}, {infinity, 1}), {0}).item() == infinity);
  CHECK(logsumexp(D::full({2}, 1000), {0}).item() == Catch::Approx(1000 + std::log(2.0)));
  CHECK(softmax(D::from({3}, {-infinity, 0, 0}), 0).to_vector() == Values{0, 0.5, 0.5});
  const auto narrow = Tensor<float>::full({1, 3}, -std::numeric_limits<float>::infinity());
  CHECK(logsumexp(narrow, {1}).item() == -std::numeric_limits<float>::infinity());
  const D low = leaf({2, 2}, {-infinity, -infinity, 0, 0});
  backward(sum(where(equal(low.detach(), low.detach()), logsumexp(low, {1}), D::scalar(0))));
  CHECK(low.grad().to_vector() == Values{0, 0, 1, 1});
}

TEST_CASE("the branch that where() did not select does not affect the gradient", "[ops]") {
  const D x = leaf({3}, {0, 4, -1});
  const auto positive = greater(x.detach(), D::scalar(0));
  backward(sum(where(positive, rsqrt(where(positive, x, D::scalar(1))), D::scalar(0))));
  CHECK(x.grad().to_vector() == Values{0, -0.0625, 0});
  const D y = leaf({3}, {not_a_number, 1, infinity});
  backward(sum(masked_fill(y, not_equal(y.detach(), D::scalar(1)), 0)));
  CHECK(y.grad().to_vector() == Values{0, 1, 0});
}

TEST_CASE("sort is stable, and topk is its prefix", "[ops]") {
  const D x = D::from({2, 4}, {3, 1, 3, 2, 0, 0, 7, 0});
  const auto up = sort(x, 1), down = sort(x, 1, true), top = topk(x, 2, 1);
  CHECK(up.values.to_vector() == Values{1, 2, 3, 3, 0, 0, 0, 7});
  CHECK(up.indices.to_vector() == Whole{1, 3, 0, 2, 0, 1, 3, 2});
  CHECK(down.indices.to_vector() == Whole{0, 2, 3, 1, 2, 0, 1, 3});
  CHECK(top.values.to_vector() == Values{3, 3, 7, 0});
  CHECK(top.indices.to_vector() == Whole{0, 2, 2, 0});
  CHECK(gather(x, 1, up.indices).to_vector() == up.values.to_vector());
  const auto columns = sort(x, 0);
  CHECK(columns.indices.to_vector() == Whole{1, 1, 0, 1, 0, 0, 1, 0});
  const auto big = random_tensor<float>({3, 5000}, 4);
  const auto all = sort(big, 1, true), some = topk(big, 100, 1);
  CHECK(slice(all.values, 1, 0, 100).to_vector() == some.values.to_vector());
}

TEST_CASE("results have the same bits at any number of threads", "[ops]") {
  const int before = threads();
  const auto x = random_tensor<float>({300, 7, 40}, 1), w = random_tensor<float>({300, 40, 9}, 2);
  const auto all = [&] {
    Tensor<float> in = x.detach(), with = w.detach();
    in.requires_grad();
    with.requires_grad();
    const std::vector<Tensor<float>> results{sum(in, {0}),
                                             sum(in, {1, 2}),
                                             variance(in, {0, 2}),
                                             logsumexp(in, {0}),
                                             softmax(in, 1),
                                             cumsum(in, 0),
                                             sort(in, 0).values,
                                             matmul(in, with),
                                             erf(in),
                                             pow(abs(in), 1.5f),
                                             einsum("bik,bkj->kj", std::vector{in, with}),
                                             log_softmax(in, -1),
                                             max(in, {1})};
    std::vector<float> values;
    for (const auto& y : results) {
      const auto v = y.to_vector();
      values.insert(values.end(), v.begin(), v.end());
      backward(sum(mul(y, y)));
    }
    for (const auto& leaf : {in, with}) {
      const auto v = leaf.grad().to_vector();
      values.insert(values.end(), v.begin(), v.end());
    }
    return values;
  };
  set_threads(1);
  const auto expected = all();
  for (const int count : {2, 4}) {
    set_threads(count);
    CHECK(all() == expected);
  }
  set_threads(before);
}

TEST_CASE("a batched product equals the products of its matrices", "[ops]") {
  const auto a = random_tensor<float>({3, 33, 17}, 1), b = random_tensor<float>({3, 17, 29}, 2);
  const auto all = matmul(a, b);
  for (Index i = 0; i < 3; ++i) {
    const auto one =
        matmul(reshape(slice(a, 0, i, i + 1), {33, 17}), reshape(slice(b, 0, i, i + 1), {17, 29}));
    CHECK(slice(all, 0, i, i + 1).to_vector() == one.to_vector());
  }
}

TEST_CASE("a convolution equals the product with its patches", "[ops]") {
  const auto image = random_tensor<double>({2, 3, 8, 8}, 1),
             w = random_tensor<double>({5, 3, 4, 4}, 2);
  const auto y = conv2d(image, w, D(), {4, 4, 4, 4});
  CHECK(y.shape() == Shape({2, 5, 2, 2}));
  double expected = 0;  // of image 1, output 4, row 0, column 1
  for (Index c = 0; c < 3; ++c)
    for (Index i = 0; i < 4; ++i)
      for (Index j = 0; j < 4; ++j)
        expected +=
            image.data()[((3 + c) * 8 + i) * 8 + 4 + j] * w.data()[((12 + c) * 4 + i) * 4 + j];
  CHECK(contiguous(y).data()[(5 + 4) * 4 + 1] == Catch::Approx(expected));
}

TEST_CASE("a window is given by one side or by height and width", "[ops]") {
  const auto x = random_tensor<double>({1, 2, 5, 5}, 1), w = random_tensor<double>({4, 2, 3, 3}, 2);
  CHECK(unfold(x, 3).shape() == Shape({1, 9, 18}));
  CHECK(unfold(x, {3, 3}).to_vector() == unfold(x, 3).to_vector());
  CHECK(unfold(x, {3, 2}).shape() == Shape({1, 12, 12}));
  CHECK(unfold(x, {3, 3, 2}).shape() == Shape({1, 4, 18}));
  CHECK(conv2d(x, w, {}, {3, 3}).to_vector() == conv2d(x, w, {}, 3).to_vector());
  CHECK(conv2d(x, w, {}, {.kernel_h = 3, .padding_h = 1}).shape() == Shape({1, 4, 5, 5}));
}

TEST_CASE("cast changes the type and preserves value and gradient", "[ops]") {
  Tensor<float> x = Tensor<float>::from({3}, {1.5f, -2.5f, 0.1f});
  x.requires_grad();
  const auto wide = cast<double>(x);
  CHECK(wide.to_vector() == Values{1.5, -2.5, static_cast<double>(0.1f)});
  backward(sum(mul(wide, D::from({3}, {2, 3, 0.1}))));
  CHECK(x.grad().to_vector() == std::vector<float>{2, 3, 0.1f});
  CHECK(cast<std::int32_t>(x.detach()).to_vector() == Whole{1, -2, 0});
  CHECK(cast<double>(indices({7, -3})).to_vector() == Values{7, -3});
  CHECK_THAT(error_of([&] { cast<std::int32_t>(x); }), Contains("[gaze::cast] has no derivative"));
  for (const double bad : {not_a_number, infinity, 2147483648.0, -2147483649.0})
    CHECK_THAT(error_of([&] { cast<std::int32_t>(D::full({1}, bad)); }), Contains("[gaze::cast]"));
  CHECK(cast<std::int32_t>(D::from({2}, {2147483647, -2147483648.0})).to_vector() ==
        Whole{2147483647, std::numeric_limits<std::int32_t>::min()});
}

TEST_CASE("creation functions return the expected values", "[ops]") {
  CHECK(ones<double>({2}).to_vector() == Values{1, 1});
  CHECK(ones_like(zeros({1, 2})).shape() == Shape({1, 2}));
  CHECK(zeros_like(ones<float>({2})).to_vector() == std::vector<float>{0, 0});
  CHECK(arange<double>(1, 2, 0.25).to_vector() == Values{1, 1.25, 1.5, 1.75});
  CHECK(arange<std::int32_t>(5, 0, -2).to_vector() == Whole{5, 3, 1});
  CHECK(arange<float>(3, 3).numel() == 0);
  CHECK(linspace<double>(-1, 1, 5).to_vector() == Values{-1, -0.5, 0, 0.5, 1});
  CHECK(linspace<double>(2, 7, 1).to_vector() == Values{2});
  CHECK(eye<double>(2).to_vector() == Values{1, 0, 0, 1});
  CHECK(error_of([] { arange<double>(0, 1, 0); }) == "[gaze::arange] from 0 to 1 by 0");
  CHECK_THAT(error_of([] { linspace<float>(0, 1, -1); }), Contains("[gaze::linspace]"));
  const Philox random(3, Purpose::test);
  const auto u = uniform<float>({20000}, random, 1, -1, 3);
  const auto n = normal<double>({20000}, random, 2, 5, 2);
  CHECK(min(u).item() >= -1);
  CHECK(max(u).item() < 3);
  CHECK(mean(u).item() == Catch::Approx(1).margin(0.05));
  CHECK(mean(n).item() == Catch::Approx(5).margin(0.05));
  CHECK(variance(n, {0}).item() == Catch::Approx(4).margin(0.15));
  CHECK(uniform<float>({7}, random, 1, -1, 3).to_vector() == slice(u, 0, 0, 7).to_vector());
}

TEST_CASE("the accuracy of long float sums does not depend on their length", "[ops]") {
  const auto x = Tensor<float>::full({2, 100000}, 0.1f);
  CHECK(static_cast<double>(mean(x, {1}).data()[1]) == Catch::Approx(0.1).epsilon(1e-5));
  CHECK(variance(x, {1}).data()[0] < 1e-12f);
  CHECK(logsumexp(x, {1}).data()[0] == Catch::Approx(0.1 + std::log(1e5)).epsilon(1e-6));
  CHECK(slice(cumsum(x, 1), 1, 99999, 100000).data()[0] == Catch::Approx(1e4).epsilon(1e-6));
}

TEST_CASE("a changed value or index that backward needs is detected", "[ops]") {
  const auto noticed = [](const std::string& op, const auto& changed, const D& y) {
    changed.changed();
    CHECK_THAT(error_of([&] { backward(sum(y)); }), Contains("[gaze::" + op + "]"));
  };
  const D x = leaf({2, 2}, {1, 2, 3, 4});
  const auto index = reshape(indices({1, 0}), {2, 1});
  noticed("gather", index, gather(x, 1, index));
  noticed("scatter_add", index, scatter_add(slice(x, 1, 0, 1), 1, index, 3));
  const auto mask = less(x.detach(), D::scalar(2));
  noticed("where", mask, where(mask, x, D::scalar(0)));
  for (const auto& [op, f] : std::vector<std::pair<std::string, Function<double>>>{
           {"erf", [](const auto& v) { return erf(v[0]); }},
           {"pow", [](const auto& v) { return pow(v[0], 2); }},
           {"variance", [](const auto& v) { return variance(v[0], {1}); }},
           {"logsumexp", [](const auto& v) { return logsumexp(v[0], {1}); }},
           {"cross_entropy", [](const auto& v) { return cross_entropy(v[0], indices({0, 1})); }},
           {"matmul", [](const auto& v) {
              return matmul(reshape(v[0], {1, 2, 2}), v[0], true);
            }}})
    noticed(op, x, f({x}));
  const D y = softmax(x, 1);
  y.changed();
  CHECK_THAT(error_of([&] { backward(sum(y)); }), Contains("[gaze::softmax]"));
}

TEST_CASE("invalid axes, shapes and indices are refused by name, with the shapes", "[ops]") {
  const D a = zeros({2, 3}), b = zeros({4, 5});
  const auto refused = [](auto f, const std::string& what) {
    CHECK_THAT(error_of(f), Contains(what));
  };
  refused([&] { sum(a, {0, 0}); }, "[gaze::sum] axes [0,0] of [2,3]");
  refused([&] { max(a, {2}); }, "[gaze::max] axes [2] of [2,3]");
  refused([&] { mean(a, 2); }, "[gaze::mean] axes [2] of [2,3]");
  refused([&] { max(zeros({2, 0}), {1}); }, "[gaze::max] of no elements: shape [2,0]");
  refused([&] { argmax(zeros({0}), 0); }, "[gaze::argmax] of no elements");
  refused([&] { mean(zeros({2, 0}), {1}); }, "[gaze::mean] of no elements: axes [1] of [2,0]");
  refused([&] { variance(a, {0}, 2); }, "[gaze::variance] of 2 elements with correction 2");
  refused([&] { softmax(a, -3); }, "[gaze::softmax] axes [-3] of [2,3]");
  refused([&] { pow(a, b); }, "[gaze::pow] shapes do not broadcast: [2,3] and [4,5]");
  refused([&] { less(a, b); }, "[gaze::less] shapes do not broadcast: [2,3] and [4,5]");
  refused([&] { where(less(a, a), a, b); }, "[gaze::where] shapes do not broadcast");
  refused([&] { masked_fill(zeros({3}), equal(a, a), 0); }, "[gaze::masked_fill] mask [2,3]");
  refused([&] { stack(std::vector{a, b}, 0); }, "[gaze::stack] shapes differ: [2,3] and [4,5]");
  refused([&] { stack(std::vector{a}, 3); }, "[gaze::stack] a new dimension 3 in [2,3]");
  refused([&] { stack(Inputs<double>{}, 0); }, "[gaze::stack] no tensors");
  refused([&] { repeat(a, {2}); }, "[gaze::repeat] [2] times for shape [2,3]");
  refused([&] { repeat(a, {1, -1}); }, "[gaze::repeat]");
  refused([&] { pad(a, {1}, {1}); }, "[gaze::pad] by [1] and [1] around [2,3]");
  refused([&] { pad(a, {-1, 0}, {0, 0}); }, "[gaze::pad]");
  refused([&] { gather(a, 1, indices({0})); }, "[gaze::gather] x [2,3], index [1]");
  refused([&] { gather(a, 0, Indices<Cpu>::zeros({1, 2})); }, "differ beside axis 0");
  refused([&] { gather(a, 1, Indices<Cpu>::full({2, 1}, 3)); }, "index 3 at 0 is outside the 3");
  refused([&] { gather(a, 1, Indices<Cpu>::full({2, 1}, -2)); }, "[gaze::gather] index -2");
  refused(
      [&] {
        scatter_add(a, 1, Indices<Cpu>::zeros({2, 2}), 3);
      },
      "[gaze::scatter_add] x [2,3]");
  refused([&] { scatter_add(a, 1, Indices<Cpu>::full({2, 3}, 4), 4); }, "index 4 at 0");
  refused([&] { embedding(zeros({3}), indices({0})); }, "[gaze::embedding] table [3], ids [1]");
  refused([&] { topk(a, 4, 1); }, "[gaze::topk] 4 of 3 elements along axis 1 of [2,3]");
  refused([&] { matmul(zeros({2, 3, 4}), zeros({3, 4, 5})); }, "[gaze::matmul] shapes do not");
  refused(
      [&] {
        matmul(zeros({2, 3, 4}), zeros({3, 4}));
      },
      "[gaze::matmul] inner sizes differ: [2,3,4] x [3,4]");
  refused([&] { einsum("ij,jk->ik", std::vector{a}); }, "has 2 operands, got 1");
  refused([&] { einsum("ijk->i", std::vector{a}); }, "ijk does not name the dimensions of [2,3]");
  refused([&] { einsum("ij,jk->ik", std::vector{a, b}); }, "sizes of j differ: 3 and 4 in [4,5]");
  refused([&] { einsum("ij->ii", std::vector{a}); }, "twice in the result");
  refused([&] { einsum("ij->k", std::vector{a}); }, "k of the result is in no operand");
  refused([&] { einsum("i...->i", std::vector{a}); }, "[gaze::einsum] 'i...->i': letters");
  refused([&] { conv2d(a, a, D(), {2, 2}); }, "[gaze::conv2d] needs images [B,C,H,W], got [2,3]");
  const D image = zeros({1, 2, 4, 4}), w = zeros({3, 2, 2, 2});
  refused([&] { conv2d(image, w, D(), {3, 3}); }, "[gaze::conv2d] x [1,2,4,4], weight [3,2,2,2]");
  refused([&] { conv2d(image, w, zeros({2}), {2, 2}); }, "[gaze::conv2d] bias [2]");
  refused([&] { unfold(image, {5, 5}); }, "[gaze::unfold] a kernel of 5x5 is larger");
  refused([&] { unfold(image, {2, 2, 0, 1}); }, "[gaze::unfold] kernel 2x2, stride 0x1");
  refused([&] { cross_entropy(a, indices({0})); },
          "[gaze::cross_entropy] logits [2,3], target [1]");
  refused([&] { cross_entropy(a, indices({0, 3})); }, "[gaze::cross_entropy] index 3 at 1");
  refused([&] { cross_entropy(a, indices({-1, -1})); }, "no row of [2,3] has a target");
}

}  // namespace test_ops_values
