// SPDX-License-Identifier: MIT
// Gradient cases of what joins, indexes and sorts, of batched products, einsum and convolution.
#pragma once
#include "gaze/ops/convolution.hpp"
#include "gaze/ops/einsum.hpp"
#include "gaze/ops/joins.hpp"
#include "gaze/ops/losses.hpp"
#include "gaze/ops/select.hpp"
#include "gaze/ops/sort.hpp"
#include "tests/op_case.hpp"

namespace gaze::test {

inline void add_join_cases(Cases& to) {
  const auto stacked = [&](const std::string& what, std::vector<Shape> shapes, int dimension) {
    add_case(to, "stack", what, std::move(shapes),
             [=](const auto& x) { return stack(x, dimension); });
  };
  stacked("front", {{2, 3}, {2, 3}, {2, 3}}, 0);
  stacked("middle", {{2, 3}, {2, 3}}, 1);
  stacked("last", {{2, 3}, {2, 3}}, -1);
  stacked("scalars", {{}, {}, {}}, 0);
  stacked("empty", {{0, 2}, {0, 2}}, 1);
  add_case(to, "stack", "views, one twice", {{3, 2}, {2, 3}}, [](const auto& x) {
    const auto turned = permute(x[0], {1, 0});
    return stack(std::vector{turned, x[1], turned}, 1);
  });
  const auto repeated = [&](const std::string& what, const Shape& shape, const Shape& times) {
    add_case(to, "repeat", what, {shape}, [=](const auto& x) { return repeat(x[0], times); });
  };
  repeated("rows", {2, 3}, {3, 1});
  repeated("columns", {2, 3}, {1, 2});
  repeated("both", {2, 3}, {2, 3});
  repeated("new dimensions", {2, 3}, {2, 1, 2, 2});
  repeated("scalar", {}, {3});
  repeated("no times", {2, 3}, {2, 0});
  repeated("nothing", {0, 3}, {2, 2});
  add_case(to, "repeat", "view", {{3, 4}}, [](const auto& x) {
    return repeat(permute(slice(x[0], 0, 0, 2), {1, 0}), {2, 2});
  });
  const auto padded = [&](const std::string& what, const Shape& shape, const Shape& before,
                          const Shape& after, double value) {
    add_case(to, "pad", what, {shape},
             [=](const auto& x) { return pad(x[0], before, after, constant(x, value)); });
  };
  padded("all sides", {2, 3}, {1, 2}, {3, 1}, 0);
  padded("with a value", {2, 2, 2}, {0, 1, 0}, {1, 0, 2}, 0.5);
  padded("nothing around", {2, 3}, {0, 0}, {0, 0}, 1);
  padded("around nothing", {0, 2}, {1, 0}, {1, 1}, 2);
  padded("vector", {3}, {2}, {0}, -1);
  padded("scalar", {}, {}, {}, 1);
  add_case(to, "pad", "view", {{3, 4}}, [](const auto& x) {
    return pad(permute(slice(x[0], 1, 1, 3), {1, 0}), {1, 0}, {0, 1}, 0);
  });
}

inline void add_index_cases(Cases& to) {
  const auto picked = [&](const std::string& what, const Shape& shape, int axis,
                          const Indices<Cpu>& index) {
    add_case(to, "gather", what, {shape},
             [=](const auto& x) { return gather(x[0], axis, beside(x, index)); });
  };
  picked("last axis", {2, 4}, 1, reshape(indices({3, 0, 0, 1, 1, 1}), {2, 3}));
  picked("first axis", {4, 2}, 0, reshape(indices({3, 0, 2, -1, 2, 1}), {3, 2}));
  picked("middle axis", {2, 3, 2}, 1, reshape(indices({2, 0, 1, 1}), {2, 1, 2}));
  picked("index is a view", {2, 4}, 1, spread({2, 2}, {3, 0, 1, 1}));
  picked("nothing", {2, 4}, 1, Indices<Cpu>::zeros({2, 0}));
  picked("none of nothing", {2, 0}, 1, Indices<Cpu>::full({2, 2}, -1));
  add_case(to, "gather", "view", {{4, 3}}, [](const auto& x) {
    return gather(permute(x[0], {1, 0}), 1, reshape(beside(x, indices({3, 0, 1})), {3, 1}));
  });
  add_case(to, "gather", "where the greatest are", {{3, 5}},
           [](const auto& x) { return gather(x[0], 1, argmax(x[0].detach(), 1)); });
  const auto scattered = [&](const std::string& what, const Shape& shape, int axis,
                             const Indices<Cpu>& index, Index size) {
    add_case(to, "scatter_add", what, {shape},
             [=](const auto& x) { return scatter_add(x[0], axis, beside(x, index), size); });
  };
  scattered("last axis", {2, 3}, 1, reshape(indices({3, 0, 0, 1, 1, 1}), {2, 3}), 4);
  scattered("first axis", {3, 2}, 0, reshape(indices({3, 0, 2, -1, 2, 1}), {3, 2}), 4);
  scattered("middle axis", {2, 1, 2}, 1, reshape(indices({2, 0, 1, 1}), {2, 1, 2}), 3);
  scattered("index is a view", {2, 2}, 1, spread({2, 2}, {3, 0, 1, 1}), 4);
  scattered("nothing", {2, 0}, 1, Indices<Cpu>::zeros({2, 0}), 3);
  add_case(to, "scatter_add", "view", {{2, 3}}, [](const auto& x) {
    return scatter_add(permute(x[0], {1, 0}), 1,
                       reshape(beside(x, indices({0, 0, 1, 0, 1, 1})), {3, 2}), 2);
  });
}

inline void add_sorting_cases(Cases& to) {
  const auto sorted = [&](const std::string& what, const Shape& shape, int axis, bool descending) {
    add_case(to, "sort", what, {shape},
             [=](const auto& x) { return sort(x[0], axis, descending).values; });
  };
  sorted("ascending", {3, 5}, 1, false);
  sorted("descending", {3, 5}, -1, true);
  sorted("first axis", {4, 3}, 0, false);
  sorted("middle axis", {2, 4, 2}, 1, true);
  sorted("no elements", {3, 0}, 1, false);
  sorted("no rows", {0, 3}, 1, false);
  add_case(to, "sort", "view", {{4, 3}}, [](const auto& x) {
    return sort(permute(slice(x[0], 0, 1, 4), {1, 0}), 1).values;
  });
  const auto top = [&](const std::string& what, const Shape& shape, Index k, int axis) {
    add_case(to, "topk", what, {shape}, [=](const auto& x) { return topk(x[0], k, axis).values; });
  };
  top("two", {3, 5}, 2, 1);
  top("first axis", {5, 3}, 3, 0);
  top("all", {2, 4}, 4, -1);
  top("none", {2, 4}, 0, 1);
  add_case(to, "topk", "view", {{4, 3}}, [](const auto& x) {
    return topk(permute(x[0], {1, 0}), 2, 1).values;
  });
  add_case(to, "topk", "squared, input twice", {{3, 4}}, [](const auto& x) {
    return add(square(topk(x[0], 2, 1).values), slice(x[0], 1, 0, 2));
  });
}

inline void add_batched_cases(Cases& to) {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const std::string kind = std::string(ta ? "t" : "n") + (tb ? "t" : "n");
      const auto product = [=](const auto& x) { return matmul(x[0], x[1], ta, tb); };
      const auto with = [](Shape batch, bool turned, Index rows, Index columns) {
        Shape shape = Shape::filled(batch.rank() + 2, turned ? rows : columns);
        std::copy(batch.begin(), batch.end(), &shape[0]);
        shape[batch.rank()] = turned ? columns : rows;
        return shape;
      };
      const auto batches = [&](const std::string& what, const Shape& a, const Shape& b) {
        add_case(to, "matmul", kind + " " + what, {with(a, ta, 3, 2), with(b, tb, 2, 4)}, product);
      };
      batches("batch", {3}, {3});
      batches("batch of batches", {2, 2}, {2, 2});
      batches("first stretches", {}, {3});
      batches("second stretches", {3}, {});
      batches("both stretch", {2, 1}, {3});
      batches("empty batch", {0}, {1});
    }
  add_case(to, "matmul", "batched views", {{3, 2, 4}, {3, 5, 2}}, [](const auto& x) {
    return matmul(permute(x[0], {1, 2, 0}), permute(x[1], {2, 0, 1}));
  });
  add_case(to, "matmul", "batch with itself", {{2, 3, 3}},
           [](const auto& x) { return matmul(x[0], x[0], false, true); });
  const auto sums = [&](const std::string& equation, std::vector<Shape> shapes) {
    add_case(to, "einsum", equation, std::move(shapes),
             [=](const auto& x) { return einsum(equation, x); });
  };
  sums("ij,jk->ik", {{2, 3}, {3, 4}});
  sums("ji,jk->ik", {{3, 2}, {3, 4}});
  sums("ij,kj->ik", {{2, 3}, {4, 3}});
  sums("ij,jk->ki", {{2, 3}, {3, 4}});
  sums("ij,jk", {{2, 3}, {3, 4}});
  sums("bhtd,bhsd->bhts", {{2, 2, 3, 2}, {2, 2, 4, 2}});
  sums("bhts,bhsd->bthd", {{2, 2, 3, 4}, {2, 2, 4, 2}});
  sums("bti,oi->bto", {{2, 3, 2}, {4, 2}});
  sums("i,i->", {{4}, {4}});
  sums("i,j->ij", {{3}, {4}});
  sums("bi,bi->b", {{3, 4}, {3, 4}});
  sums("bi,b->bi", {{3, 4}, {3}});
  sums("ij,ij->ij", {{2, 3}, {2, 3}});
  sums("ij->ji", {{2, 3}});
  sums("ijk->j", {{2, 3, 2}});
  sums("ii->i", {{3, 3}});
  sums("ii", {{3, 3}});
  sums("bii,ij->bj", {{2, 3, 3}, {3, 2}});
  sums("ij,jk,kl->il", {{2, 3}, {3, 2}, {2, 4}});
  sums("ij,kl->jl", {{2, 3}, {2, 4}});
  sums("ib,jb,b->ij", {{2, 3}, {4, 3}, {3}});
  add_case(to, "einsum", "nothing", {{0, 3}, {3, 2}},
           [](const auto& x) { return einsum("ij,jk->ki", x); });
  add_case(to, "einsum", "views", {{3, 2}, {4, 3}}, [](const auto& x) {
    return einsum("ij,jk->ik", std::vector{permute(x[0], {1, 0}), permute(x[1], {1, 0})});
  });
}

inline void add_convolution_cases(Cases& to) {
  const Window patches{2, 2, 2, 2}, same{3, 3, 1, 1, 1, 1}, uneven{3, 2, 2, 1, 1, 0};
  const auto unfolded = [&](const std::string& what, const Shape& shape, const Window& window) {
    add_case(to, "unfold", what, {shape}, [=](const auto& x) { return unfold(x[0], window); });
  };
  unfolded("patches", {2, 2, 4, 4}, patches);
  unfolded("overlapping", {1, 1, 3, 4}, same);
  unfolded("uneven", {1, 2, 5, 3}, uneven);
  unfolded("a rest", {1, 1, 5, 5}, patches);
  unfolded("no images", {0, 2, 4, 4}, patches);
  const auto convolved = [&](const std::string& what, std::vector<Shape> shapes,
                             const Window& window) {
    add_case(to, "conv2d", what, std::move(shapes), [=](const auto& x) {
      using Value = std::decay_t<decltype(x[0])>;
      return conv2d(x[0], x[1], x.size() > 2 ? x[2] : Value(), window);
    });
  };
  convolved("patches", {{2, 2, 4, 4}, {3, 2, 2, 2}, {3}}, patches);
  convolved("overlapping", {{1, 2, 3, 4}, {2, 2, 3, 3}, {2}}, same);
  convolved("uneven", {{1, 2, 5, 3}, {2, 2, 3, 2}}, uneven);
  convolved("no images", {{0, 2, 4, 4}, {3, 2, 2, 2}, {3}}, patches);
  add_case(to, "conv2d", "views", {{4, 4, 2}, {2, 2, 2, 3}}, [=](const auto& x) {
    using Value = std::decay_t<decltype(x[0])>;
    const auto image = reshape(permute(x[0], {2, 0, 1}), {1, 2, 4, 4});
    return conv2d(image, permute(x[1], {3, 0, 1, 2}), Value(), patches);
  });
  const auto loss = [&](const std::string& what, const Shape& shape,
                        const std::vector<std::int32_t>& target) {
    add_case(to, "cross_entropy", what, {shape},
             [=](const auto& x) { return cross_entropy(x[0], beside(x, indices(target))); });
  };
  loss("plain", {3, 5}, {4, 0, 2});
  loss("rows without a target", {4, 3}, {-1, 2, -1, 0});
  loss("one class", {2, 1}, {0, 0});
  add_case(to, "cross_entropy", "views", {{5, 3}}, [](const auto& x) {
    return cross_entropy(permute(x[0], {1, 0}), beside(x, spread({3}, {4, -1, 2})));
  });
  add_case(to, "cross_entropy", "scaled, input twice", {{3, 4}}, [](const auto& x) {
    return mul(x[0], cross_entropy(x[0], beside(x, indices({1, 2, 3}))));
  });
}

inline void add_shape_cases(Cases& to) {
  add_join_cases(to);
  add_index_cases(to);
  add_sorting_cases(to);
  add_batched_cases(to);
  add_convolution_cases(to);
}

}  // namespace gaze::test
