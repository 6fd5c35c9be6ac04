// SPDX-License-Identifier: MIT
// Sizes that overflow integers or memory: every operation, reader and layout reports them by name
// instead of wrapping around.
#include "gaze/core/checked.hpp"
#include "gaze/gaze.hpp"
#include "tests/test.hpp"

namespace test_sizes {
namespace {

using namespace gaze;
using Catch::Contains;

constexpr Index huge = Index{1} << 62;
constexpr Index most = std::numeric_limits<Index>::max();

/// A view of one number as a tensor larger than any memory.
Tensor<float> stretched(const Shape& shape) { return expand(Tensor<float>::full({1}, 2), shape); }

#define CHECK_REFUSED(operation, expression)                                            \
  CHECK_THROWS_WITH(expression, Contains(std::string("[gaze::") + (operation) + "]") && \
                                    (Contains("elements") || Contains("size")))

}  // namespace

TEST_CASE("elements are counted without overflow", "[shape]") {
  const auto count = [](std::initializer_list<Index> sizes) {
    return element_count(std::span(sizes.begin(), sizes.size()));
  };
  CHECK(count({}) == 1);
  CHECK(count({2, 3, 4}) == 24);
  CHECK(count({most}) == most);
  CHECK(count({huge, 1, 1}) == huge);
  CHECK(!count({huge, 2}));
  CHECK(!count({huge + 1, 4}));  // 4 in 64 bits
  CHECK(!count({-1}));
  CHECK(!count({-2, -2}));
  CHECK(count({5, 0}) == 0);
  CHECK(!count({0, huge, 2}));  // its strides do not exist
  CHECK(!count({huge, 2, 0}));
  CHECK(!count({-1, 0}));
  CHECK(Shape({2, 3}).numel() == 6);
  CHECK_THROWS_WITH(Shape({huge, 2}).numel("op"),
                    "[gaze::op] shape [4611686018427387904,2] has "
                    "more elements than 64 bits can count");
  CHECK_THROWS_WITH(Shape({-1, 2}).numel("op"), "[gaze::op] shape [-1,2] has a negative size");
}

TEST_CASE("sums and products of sizes, and sizes in 32 bits, are checked", "[shape]") {
  CHECK(checked_sum("op", most - 1, 1) == most);
  CHECK(checked_product("op", huge, 1) == huge);
  CHECK_THROWS_WITH(checked_sum("op", most, 1), Contains("[gaze::op]") && Contains(" + 1"));
  CHECK_THROWS_WITH(checked_product("op", huge, 2), Contains("[gaze::op]") && Contains(" x 2"));
  CHECK(checked_int32("op", "n", 2147483647) == 2147483647);
  CHECK_THROWS_WITH(checked_int32("op", "n", 2147483648),
                    "[gaze::op] n is 2147483648, which is not within 0 to 2147483647");
  CHECK_THROWS_AS(checked_int32("op", "n", -1), Error);
  CHECK_THROWS_AS(checked_int32("op", "n", 17, 16), Error);
}

TEST_CASE("a tensor needs sizes that fit in memory", "[shape]") {
  CHECK_THROWS_WITH(Tensor<float>({huge, 4}), Contains("[gaze::Tensor]") && Contains("64 bits"));
  CHECK_THROWS_WITH(Tensor<float>({-1, 2}), Contains("[-1,2] has a negative size"));
  CHECK_THROWS_WITH(Tensor<float>({-2, -2}), Contains("negative"));
  CHECK_THROWS_WITH(Tensor<float>({Index{1} << 47}), Contains("no memory holds"));
  CHECK_THROWS_WITH(Tensor<float>::from({huge, 4}, {}), Contains("64 bits"));
  CHECK_THROWS_WITH(stretched({huge}).to_vector(), Contains("no memory holds"));
  CHECK(Tensor<float>::zeros({3, 0, 5}).numel() == 0);
  Parameters<float> parameters;
  CHECK_THROWS_WITH(parameters.add("w", {huge, 4}, {}, "model"), Contains("64 bits"));
  CHECK_THROWS_WITH(parameters.add("w", {huge}, {}, "model"), Contains("no memory holds w"));
}

TEST_CASE("views refuse shapes whose number of elements overflows", "[ops]") {
  const auto x = Tensor<float>::from({4}, {1, 2, 3, 4});
  CHECK_REFUSED("reshape", reshape(x, {huge + 1, 4}));
  CHECK_REFUSED("reshape", reshape(x, {-1, huge, 4}));
  CHECK_REFUSED("reshape", reshape(x, {-2, -2}));
  CHECK_REFUSED("reshape", reshape(x, {-1, -4}));
  CHECK_REFUSED("reshape", reshape(x, {-3}));
  CHECK_REFUSED("reshape", reshape(Tensor<float>::zeros({0}), {0, huge, 4}));
  CHECK(reshape(x, {2, -1}).shape() == Shape({2, 2}));
  CHECK(reshape(Tensor<float>::zeros({0, 3}), {-1, 3}).shape() == Shape({0, 3}));
  CHECK_REFUSED("expand", stretched({huge, 4}));
  CHECK_REFUSED("repeat", repeat(x, {huge}));
  CHECK_REFUSED("repeat", repeat(x, {huge, 4}));
  CHECK_REFUSED("pad", pad(x, {most}, {1}));
  CHECK_REFUSED("pad", pad(Tensor<float>::zeros({2, 2}), {huge, 3}, {0, 0}));
  CHECK_REFUSED("concatenate", concatenate(std::vector{stretched({huge}), stretched({huge})}, 0));
  CHECK_THROWS_AS(stack(std::vector{stretched({huge}), stretched({huge})}, 0), Error);
}

TEST_CASE("products and broadcasts refuse results that overflow", "[ops]") {
  const auto tall = stretched({huge, 1}), wide = stretched({1, huge});
  CHECK_REFUSED("add", add(tall, wide));
  CHECK_REFUSED("maximum", maximum(tall, wide));
  CHECK_REFUSED("less", less(tall, wide));
  CHECK_REFUSED("where",
                where(less(Tensor<float>::scalar(1), Tensor<float>::scalar(2)), tall, wide));
  const auto many = stretched({huge / 2, 1, 2, 1}), others = stretched({1, 8, 1, 2});
  CHECK_REFUSED("matmul", matmul(many, others));
  CHECK_REFUSED("matmul", matmul(stretched({2, huge / 2, 1}), stretched({2, 1, 2})));
  CHECK_THROWS_AS(einsum("i,j->ij", std::vector{stretched({huge}), stretched({huge})}), Error);
  CHECK_THROWS_AS(
      einsum("bik,bkj->bij", std::vector{stretched({2, huge / 2, 1}), stretched({2, 1, 4})}),
      Error);
}

TEST_CASE("new tensors and patches refuse sizes that overflow", "[ops]") {
  CHECK_REFUSED("Tensor", eye<float>(huge));
  CHECK_REFUSED("Tensor", ones<float>({huge, 4}));
  CHECK_THROWS_AS(linspace<float>(0, 1, most), Error);
  CHECK_THROWS_AS(arange<float>(0, 1e30f), Error);
  const auto table = Tensor<float>::zeros({2, 3});
  const auto index = Indices<Cpu>::zeros({2});
  CHECK_REFUSED("Tensor", scatter_add_rows(table, index, huge));
  CHECK_REFUSED("Tensor", scatter_add(table, 0, Indices<Cpu>::zeros({2, 3}), huge));
  const auto image = Tensor<float>::zeros({1, 1, 4, 4});
  CHECK_REFUSED("unfold", unfold(image, {2, 2, 1, 1, huge, 0}));
  CHECK_REFUSED("unfold", unfold(image, {huge, huge, 1, 1, huge / 2, huge / 2}));
  CHECK_REFUSED("unfold", unfold(image, {1, 1, 1, 1, Index{1} << 40, Index{1} << 40}));
}

TEST_CASE("a layout names the size that overflows 32 bits", "[attention]") {
  constexpr Index limit = kMostKeys;
  TokenLayout layout;
  CHECK_THROWS_WITH(layout.add_sequence(limit + 1),
                    Contains("[gaze::TokenLayout]") && Contains("1073741825"));
  CHECK_THROWS_AS(layout.add_sequence(most), Error);
  CHECK_THROWS_AS(layout.add_sequence(Index{1} << 32), Error);  // 0 in 32 bits
  CHECK_THROWS_AS(layout.reserve(limit + 1, 0), Error);
  CHECK_THROWS_AS(layout.reserve(most, 5), Error);
  CHECK_THROWS_AS(layout.reserve(1, most), Error);
  CHECK_THROWS_AS(layout.reserve(-1, 0), Error);
  CHECK((layout.rows() == 0 && layout.slots == 0));

  Segment prefix = layout.add_sequence(3);
  CHECK(prefix.length == 3);
  prefix.length = kMostKeys;
  CHECK_THROWS_WITH(layout.add_continuation(prefix, 1),
                    Contains("position") && Contains("1073741825"));
  CHECK(layout.rows() == 3);
  layout.slots = limit;
  CHECK_THROWS_WITH(layout.add_sequence(1), Contains("slots"));
  CHECK(layout.rows() == 3);

  CHECK_THROWS_WITH(layout.add_step(0, limit, 0, 1), Contains("position"));
  CHECK_THROWS_WITH(layout.add_step(0, 0, limit, 1), Contains("slot"));
  CHECK_THROWS_AS(layout.add_step(Index{1} << 32, 0, 0, 0), Error);
  CHECK_THROWS_AS(layout.add_step(0, 0, 0, limit + 1), Error);
  CHECK_THROWS_AS(layout.add_step(0, 0, 0, -1), Error);
  CHECK((layout.rows() == 3 && layout.slot.size() == 3 && layout.keys.size() == 3));
  layout.add_step(0, 3, 16, 2);
  CHECK((layout.position.back() == 5 && layout.slot.back() == 18));
}

TEST_CASE("attention refuses sizes that its kernels do not support", "[attention]") {
  const auto layout = std::make_shared<TokenLayout>();
  layout->add_sequence(2);
  const auto qkv = Tensor<float>::zeros({2, 12});
  const auto attend = [&](Index heads, Index kv_heads, Index size) {
    return attention(qkv, AttentionSizes{heads, kv_heads, size, 1.0}, layout);
  };
  CHECK(attend(1, 1, 4).out.shape() == Shape({2, 4}));
  CHECK_THROWS_WITH(attend(huge, 1, 4), Contains("the number of heads is 4611686018427387904"));
  CHECK_THROWS_WITH(attend(1, 1, huge), Contains("the size of a head"));
  CHECK_THROWS_WITH(attend(1, 1, 0), Contains("head size 0"));
  CHECK_THROWS_WITH(attend(1, 0, 4), Contains("do not share"));
  AttentionShape shape{1, 1, 4, Index{1} << 32, 1, 16};
  CHECK_THROWS_WITH(check_attention_sizes("attention", shape),
                    Contains("the number of marks is 4294967296"));
  shape = {1, 1, 4, 0, 1, Index{1} << 32};
  CHECK_THROWS_WITH(check_attention("attention", shape, 0, nullptr),
                    Contains("the number of slots is 4294967296"));
}

}  // namespace test_sizes
