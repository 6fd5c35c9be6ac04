// SPDX-License-Identifier: MIT
// The graph: what is recorded and what is not, accumulation, freed memory, and that no gradient
// is ever lost or wrong in silence.
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/rows.hpp"
#include "tests/gradcheck.hpp"

namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;
using D = Tensor<double>;
using Values = std::vector<double>;

D leaf(const Shape& shape, const Values& values) {
  D x = D::from(shape, values);
  x.requires_grad();
  return x;
}

Indices<Cpu> indices(const std::vector<std::int32_t>& values) {
  return Indices<Cpu>::from({static_cast<Index>(values.size())}, values);
}

std::size_t in_use() { return Allocator<Cpu>::in_use(); }

}  // namespace

TEST_CASE("nothing is recorded without a leaf, within NoGrad or after detach()", "[autograd]") {
  const D plain = D::from({2}, {1, 2});
  const D w = leaf({2}, {3, 4});
  CHECK_FALSE(mul(plain, plain).needs_grad());
  CHECK(mul(plain, w).needs_grad());
  {
    const NoGrad no_grad;
    CHECK_FALSE(mul(plain, w).needs_grad());
    {
      const Recording recording;
      CHECK(mul(plain, w).needs_grad());
    }
    CHECK_FALSE(mul(plain, w).needs_grad());
  }
  CHECK(mul(plain, w).needs_grad());
  const D cut = mul(w, w).detach();
  CHECK_FALSE(cut.needs_grad());
  backward(sum(mul(cut, w)));
  CHECK(w.grad().to_vector() == Values{9, 16});
}

TEST_CASE("gradients of a leaf add up over two backwards until they are cleared", "[autograd]") {
  const D w = leaf({2}, {3, 4});
  CHECK_FALSE(w.grad().defined());
  backward(sum(square(w)));
  CHECK(w.grad().to_vector() == Values{6, 8});
  backward(sum(w));
  CHECK(w.grad().to_vector() == Values{7, 9});
  w.node()->clear();
  CHECK_FALSE(w.grad().defined());
  backward(sum(w));
  CHECK(w.grad().to_vector() == Values{1, 1});
}

TEST_CASE("a value that is used several times gets the sum of its gradients", "[autograd]") {
  const D x = leaf({}, {3});
  const D a = square(x), b = scale(a, 2.0), c = mul(a, b);  // c = 2 x^4
  backward(add(c, a));                                      // + x^2
  CHECK(x.grad().item() == Catch::Approx(8 * 27 + 6));
  const D y = leaf({}, {2});
  D power = y;
  for (int i = 0; i < 4; ++i) power = mul(power, power);  // y^16
  backward(power);
  CHECK(y.grad().item() == Catch::Approx(16 * std::pow(2.0, 15)));
}

TEST_CASE("backward of what is not one number, or was not recorded, throws", "[autograd]") {
  const D w = leaf({2}, {3, 4});
  CHECK_THROWS_WITH(backward(square(w)), Contains("[gaze::backward] the loss must be one number"));
  CHECK_THROWS_WITH(backward(D::scalar(1)), Contains("nothing was recorded"));
  CHECK_THROWS_WITH(backward(square(w), D::zeros({3})), Contains("seed has shape [3]"));
  const D stretched = expand(D::scalar(1), {2});
  CHECK_THROWS_WITH(backward(square(w), stretched), Contains("contiguous"));
  CHECK_FALSE(w.grad().defined());
  backward(square(w), D::from({2}, {1, 10}));
  CHECK(w.grad().to_vector() == Values{6, 80});
  const D alone = leaf({}, {5});
  backward(alone);
  CHECK(alone.grad().item() == 1);
}

TEST_CASE("a graph that was walked cannot be walked again in silence", "[autograd]") {
  const D w = leaf({2}, {3, 4});
  const D h = square(w), loss = sum(h);
  backward(loss);
  CHECK_THROWS_WITH(backward(loss), Contains("walked before"));
  CHECK_THROWS_WITH(backward(sum(scale(h, 2.0))), Contains("a result of square was walked"));
  CHECK(w.grad().to_vector() == Values{6, 8});
  CHECK(h.to_vector() == Values{9, 16});  // values outlive the graph
}

TEST_CASE("changing a value in place that backward needs throws", "[autograd]") {
  const D x = leaf({2, 2}, {1, 2, 3, 4}), w = leaf({2, 2}, {1, 0, 0, 1});
  D h = matmul(x, w);
  const D loss = sum(square(h));
  h.data()[0] = 100;
  h.changed();
  CHECK_THROWS_WITH(backward(loss), Contains("[gaze::square]") && Contains("changed in place"));
  const D y = sum(matmul(x, w));
  w.changed();
  CHECK_THROWS_WITH(backward(y), Contains("[gaze::matmul]"));
  const D fine = sum(scale(x, 2.0));  // keeps no value
  x.changed();
  x.node()->clear();  // of what matmul began before it noticed
  CHECK_NOTHROW(backward(fine));
}

TEST_CASE("rotary turns in place, and what needed the values before notices", "[autograd]") {
  const D x = leaf({1, 4}, {1, 2, 3, 4});
  const D h = scale(x, 1.0), kept = square(h);
  const D y = rotary(h, 1, 4, 100.0, indices({3}));
  CHECK_THROWS_WITH(backward(add(sum(kept), sum(y))), Contains("[gaze::square]"));
}

TEST_CASE("whole numbers that backward needs are guarded too", "[autograd]") {
  const D table = leaf({3, 2}, {1, 2, 3, 4, 5, 6});
  auto index = indices({2, 0});
  const D y = sum(gather_rows(table, index));
  const auto z = linear_logprob(table, table.detach(), indices({0, 1, 2}));
  index.data()[0] = 1;
  index.changed();
  CHECK_THROWS_WITH(backward(y), Contains("[gaze::gather_rows]"));
  table.node()->clear();
  CHECK_NOTHROW(backward(sum(z.logp)));
}

TEST_CASE("an operation without a derivative refuses inputs that need one", "[autograd]") {
  const D x = D::from({2}, {1, 2}), w = leaf({2}, {3, 4});
  CHECK_NOTHROW(refuse_gradient("rank", x));
  CHECK_THROWS_WITH(refuse_gradient("rank", x, w),
                    Contains("[gaze::rank] has no derivative") && Contains("detach()"));
  const NoGrad no_grad;
  CHECK_NOTHROW(refuse_gradient("rank", x, w));
}

TEST_CASE("only leaves can be asked for a gradient", "[autograd]") {
  D w = leaf({2}, {3, 4});
  CHECK_NOTHROW(w.requires_grad());
  D h = square(w);
  CHECK_THROWS_WITH(h.requires_grad(), Contains("not a leaf: made by square"));
}

TEST_CASE("an operation with two results: any of them may be unused", "[autograd]") {
  const Values xs{1, -1, 0.5, 2}, ws{1, 0, 0, 1, 1, 1};
  const auto gradient = [&](double of_logp, double of_entropy) {
    const D x = leaf({2, 2}, xs), w = D::from({3, 2}, ws);
    std::vector<D> terms;
    {
      const auto y = linear_logprob(x, w, indices({2, 0}));
      if (of_logp != 0) terms.push_back(scale(sum(y.logp), of_logp));
      if (of_entropy != 0) terms.push_back(scale(sum(y.entropy), of_entropy));
    }  // the results themselves are gone before backward
    backward(terms.size() == 2 ? add(terms[0], terms[1]) : terms[0]);
    return x.grad().to_vector();
  };
  const Values logp = gradient(1, 0), entropy = gradient(0, 1), both = gradient(2, -3);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(std::abs(logp[i]) > 1e-6);
    CHECK(std::abs(entropy[i]) > 1e-6);
    CHECK(both[i] == Catch::Approx(2 * logp[i] - 3 * entropy[i]));
  }
}

TEST_CASE("a chain of 100,000 operations is walked and freed without recursion", "[autograd]") {
  const D w = leaf({}, {1});
  const auto chain = [&] {
    D y = w;
    for (int i = 0; i < 100000; ++i) y = neg(y);
    return y;
  };
  { const D dropped = chain(); }  // never walked
  backward(chain());
  CHECK(w.grad().item() == 1);
}

TEST_CASE("memory returns to what it was, walked or not", "[autograd]") {
  const D w = leaf({64, 64}, Values(64 * 64, 0.01));
  backward(sum(w));  // w's own gradient stays
  const std::size_t before = in_use();
  const auto graph = [&] {
    const D h = tanh(matmul(w, w));
    const auto y = linear_logprob(h, w, indices(std::vector<std::int32_t>(64, 3)));
    return add(sum(y.logp), sum(y.entropy));
  };
  { const D dropped = graph(); }
  CHECK(in_use() == before);
  backward(graph());
  CHECK(in_use() == before);
  const D loss = graph();
  backward(loss);
  CHECK(in_use() <= before + 256);  // the loss itself; the graph was freed as it was walked
}

TEST_CASE("backward frees what it has used", "[autograd]") {
  constexpr Index size = 1 << 14;
  const D w = leaf({size}, Values(size, 0.5));
  Allocator<Cpu>::reset_peak();
  const std::size_t before = in_use();
  D y = w;
  for (int i = 0; i < 20; ++i) y = tanh(y);
  const D loss = sum(y);
  y = D();
  const std::size_t forward = in_use() - before;
  backward(loss);
  CHECK(Allocator<Cpu>::peak() - before < forward + 4 * size * sizeof(double));
  CHECK(in_use() - before < 2 * size * sizeof(double));
}

TEST_CASE("checkpoint gives the same gradients from a lower peak", "[autograd]") {
  constexpr Index size = 1 << 14;
  const D x = leaf({size}, random_tensor<double>({size}, 5).to_vector());
  const D w = leaf({size}, random_tensor<double>({size}, 6).to_vector());
  const auto block = [&w](const D& in) {
    D h = in;
    for (int i = 0; i < 8; ++i) h = tanh(mul(h, w));
    return h;
  };
  const auto run = [&](auto&& apply) {
    w.node()->clear();
    x.node()->clear();
    Allocator<Cpu>::reset_peak();
    const std::size_t before = in_use();
    D y = x;
    for (int i = 0; i < 6; ++i) y = apply(y);
    backward(sum(y));
    return Allocator<Cpu>::peak() - before;
  };
  run(block);  // both gradients exist from now on
  const std::size_t plain = run(block);
  const Values dx = x.grad().to_vector(), dw = w.grad().to_vector();
  const std::size_t lean = run([&](const D& in) { return checkpoint(block, in); });
  CHECK(lean < plain / 2);
  CHECK(distance(D::from({size}, dx), x.grad()) < 1e-12);
  CHECK(distance(D::from({size}, dw), w.grad()) < 1e-12);
}

TEST_CASE("a checkpoint that captures a result used elsewhere throws", "[autograd]") {
  const D w = leaf({2}, {3, 4});
  const D h = square(w);
  const auto f = [&h](const D& in) { return mul(in, h); };
  CHECK_NOTHROW(backward(sum(checkpoint(f, w))));
  const D other = square(w);
  const auto g = [&other](const D& in) { return mul(in, other); };
  CHECK_THROWS_WITH(backward(add(sum(checkpoint(g, w)), sum(other))), Contains("walked before"));
}

TEST_CASE("a checkpoint within NoGrad is the function itself", "[autograd]") {
  const D w = leaf({2}, {3, 4});
  const NoGrad no_grad;
  const D y = checkpoint([](const D& x) { return square(x); }, w);
  CHECK(y.to_vector() == Values{9, 16});
  CHECK_FALSE(y.needs_grad());
}

TEST_CASE("float and double do not share a gradient by accident", "[autograd]") {
  static_assert(std::is_same_v<GradOf<float>, float>);
  Tensor<float> x = Tensor<float>::from({2}, {1, 2});
  x.requires_grad();
  backward(sum(mul(x, x)));
  CHECK(x.grad().to_vector() == std::vector<float>{2, 4});
}
