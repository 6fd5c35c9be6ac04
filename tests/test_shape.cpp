// SPDX-License-Identifier: MIT
// Shapes, strides, broadcasting, and tensors as handles to strided values.
#include "gaze/core/shape.hpp"

#include <sstream>

#include "gaze/cpu/kernels.hpp"
#include "gaze/ops/views.hpp"
#include "tests/test.hpp"

namespace test_shape {

using Catch::Contains;
using gaze::broadcast;
using gaze::broadcast_strides;
using gaze::Index;
using gaze::Shape;
using Floats = gaze::Tensor<float>;

TEST_CASE("a shape knows its sizes and its product", "[shape]") {
  const Shape s{2, 3, 4};
  CHECK(s.rank() == 3);
  CHECK(s.numel() == 24);
  CHECK(s.at(-1) == 4);
  CHECK(s.at(0) == 2);
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{3, 0}.numel() == 0);
  CHECK(s == Shape{2, 3, 4});
  CHECK_FALSE(s == Shape{2, 3});
  CHECK_FALSE(s == Shape{2, 3, 5});
  CHECK(Shape::filled(2, 7) == Shape{7, 7});
  std::ostringstream out;
  out << s << Shape{};
  CHECK(out.str() == "[2,3,4][]");
  CHECK_THROWS_WITH(s.at(3), Contains("dimension 3 of [2,3,4]"));
  CHECK_THROWS_WITH(s.at(-4), Contains("dimension -4"));
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1}), Contains("at most 6"));
  CHECK_THROWS_WITH(Shape::filled(7, 1), Contains("at most 6"));
}

TEST_CASE("a tensor with a negative or absurd size is refused", "[shape]") {
  CHECK_THROWS_AS(Floats({-1}), gaze::Error);
  CHECK_THROWS_AS(Floats({-2, -3}), gaze::Error);
  CHECK_THROWS_AS(Floats({Index{1} << 40, Index{1} << 40}), gaze::Error);
  CHECK_THROWS_AS(Floats({Index{1} << 60}), gaze::Error);
}

TEST_CASE("contiguous strides step over the sizes to the right", "[shape]") {
  CHECK(contiguous_strides(Shape{2, 3, 4}) == Shape{12, 4, 1});
  CHECK(contiguous_strides(Shape{5}) == Shape{1});
  CHECK(contiguous_strides(Shape{}) == Shape{});
}

TEST_CASE("broadcasting aligns trailing dimensions and expands 1", "[shape]") {
  CHECK(broadcast({2, 3}, {3}, "t") == Shape{2, 3});
  CHECK(broadcast({4, 1}, {1, 5}, "t") == Shape{4, 5});
  CHECK(broadcast({}, {2, 2}, "t") == Shape{2, 2});
  CHECK(broadcast({1}, {0}, "t") == Shape{0});
  CHECK(broadcast({2, 1, 3}, {4, 1}, "t") == Shape{2, 4, 3});
  CHECK_THROWS_WITH(broadcast({2, 3}, {2}, "t"),
                    Contains("[gaze::t]") && Contains("[2,3] and [2]"));
  CHECK_THROWS_WITH(broadcast({2}, {0}, "t"), Contains("do not broadcast"));
  CHECK(broadcast_strides({3, 1}, {1, 1}, {2, 3, 4}) == Shape{0, 1, 0});
  CHECK(broadcast_strides({}, {}, {2}) == Shape{0});
}

TEST_CASE("tensors are handles; copies share values", "[shape]") {
  const Floats a = Floats::from({2, 2}, {1, 2, 3, 4});
  Floats b = a;
  b.data()[0] = 9;
  CHECK(a.to_vector() == std::vector<float>{9, 2, 3, 4});
  CHECK(Floats::zeros({3}).to_vector() == std::vector<float>(3, 0.0f));
  CHECK(Floats::full({2}, 5).to_vector() == std::vector<float>{5, 5});
  CHECK(Floats::scalar(4).item() == 4);
  CHECK_FALSE(Floats().defined());
  CHECK_THROWS_WITH(a.item(), Contains("[2,2] is not one number"));
  CHECK_THROWS_WITH(Floats::from({3}, {1, 2}), Contains("has 3 elements, got 2"));
  const auto version = a.version();
  b.changed();
  CHECK(a.version() == version + 1);
}

TEST_CASE("views share values with different strides", "[shape]") {
  const Floats a = Floats::from({2, 3}, {1, 2, 3, 4, 5, 6});
  const Floats t = permute(a, {1, 0});
  CHECK(t.data() == a.data());
  CHECK(t.shape() == Shape{3, 2});
  CHECK_FALSE(t.contiguous());
  CHECK(t.to_vector() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(slice(a, 0, 1, 2).contiguous());
  CHECK_FALSE(slice(a, 1, 0, 2).contiguous());
  CHECK(slice(slice(a, 1, 1, 3), 0, 1, 2).to_vector() == std::vector<float>{5, 6});
  CHECK(expand(slice(a, 1, 2, 3), {2, 2}).to_vector() == std::vector<float>{3, 3, 6, 6});
  CHECK(reshape(a, {3, 2}).data() == a.data());
  CHECK(reshape(t, {6}).data() != a.data());
  CHECK(contiguous(a).data() == a.data());
  CHECK(Floats({4, 0}).to_vector().empty());
}

TEST_CASE("the allocator counts what is in use and its peak", "[shape]") {
  using Memory = gaze::Allocator<gaze::Cpu>;
  const std::size_t before = Memory::in_use();
  {
    Memory::reset_peak();
    const Floats a({1000}), b({1000});
    CHECK(Memory::in_use() >= before + 8000);
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
  }
  CHECK(Memory::in_use() == before);
  CHECK(Memory::peak() >= before + 8000);
}

TEST_CASE("the allocator's cache obeys its limit", "[shape]") {
  using Memory = gaze::Allocator<gaze::Cpu>;
  { const Floats a({1000}); }
  CHECK(Memory::kept() >= 4000);
  Memory::keep_at_most(5000);
  CHECK(Memory::kept() <= 5000);
  { const Floats a({1000}), b({1000}), c({2000}); }
  CHECK(Memory::kept() >= 4000);
  CHECK(Memory::kept() <= 5000);
  Memory::keep_at_most(0);
  CHECK(Memory::kept() == 0);
  Memory::keep_at_most(static_cast<std::size_t>(-1));
  { const Floats a({1000}); }
  CHECK(Memory::kept() >= 4000);
}

TEST_CASE("errors distinguish negative sizes from sizes that are too large", "[shape]") {
  for (const Shape& shape : {Shape{-1, 2}, Shape{2, -1}, Shape{0, -5}, Shape{-2, -2}})
    CHECK_THROWS_WITH(Floats::zeros(shape), Contains("negative size"));
  CHECK_THROWS_WITH(Floats::zeros({-1, 2}), Contains("shape [-1,2] has a negative size"));
  CHECK_THROWS_WITH(Floats::zeros({Index{1} << 40, 1 << 20}), Contains("no memory holds"));
}

}  // namespace test_shape
