// SPDX-License-Identifier: MIT
// Exercise 5: C = A B^T with B [N, K] stored by rows. The kernel multiplies a panel [K, 4] whose
// rows are contiguous. Pack columns j to j + 3 of B^T, which are rows of B, into such a panel.
#include <vector>

#include "docs/book/exercises/check.hpp"
#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

constexpr Index width = 4;

/// panel[p, q] = B[j + q, p] for p < k, q < width.
void pack(Index k, const double* b, Index j, double* panel) {
  // YOUR CODE: begin
  for (Index p = 0; p < k * width; ++p) panel[p] = b[j * k + p];
  // YOUR CODE: end
}

void multiply(Index m, Index n, Index k, const double* a, const double* b, double* c) {
  std::vector<double> panel(static_cast<std::size_t>(k * width));
  for (Index j = 0; j < n; j += width) {
    pack(k, b, j, panel.data());
    for (Index i = 0; i < m; ++i)
      for (Index p = 0; p < k; ++p)
        for (Index q = 0; q < width; ++q)
          c[i * n + j + q] += a[i * k + p] * panel[static_cast<std::size_t>(p * width + q)];
  }
}

}  // namespace

int main() {
  exercise::Check check;
  const Index m = 3, n = 8, k = 5;
  const Philox random(5, Purpose::test);
  Tensor<double> a({m, k}), b({n, k});
  for (Index i = 0; i < a.numel(); ++i) a.data()[i] = random.normal(std::uint64_t(i), 0);
  for (Index i = 0; i < b.numel(); ++i) b.data()[i] = random.normal(std::uint64_t(i), 1);
  std::vector<double> c(static_cast<std::size_t>(m * n), 0.0);
  multiply(m, n, k, a.data(), b.data(), c.data());
  const auto want = matmul(a, b, false, true).to_vector();
  for (std::size_t i = 0; i < c.size(); ++i) check.near("c", c[i], want[i]);
  return check.verdict();
}
