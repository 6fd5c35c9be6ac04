// SPDX-License-Identifier: MIT
// A program of a user's own on another processor or another standard library (compile_portable.sh):
// a product in float and one in bf16, in memory of a resource of its own. Exit code 0 where the
// values are right, 3 with the message of an Error.
#include <cstdio>
#include <cstdlib>

#include "gaze/gaze.hpp"

namespace {

/// The program's memory, counted.
class Counted : public gaze::MemoryResource {
 public:
  int given = 0, taken = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    ++given;
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  }
  void do_deallocate(void* p, std::size_t, std::size_t) override {
    ++taken;
    std::free(p);
  }
  bool do_is_equal(const gaze::MemoryResource& other) const noexcept override {
    return this == &other;
  }
};

/// [1 2; 3 4] [5 6; 7 8] is [19 22; 43 50], exactly in float and from bf16.
bool products_are_right() {
  using namespace gaze;
  const std::vector<float> a = {1, 2, 3, 4}, b = {5, 6, 7, 8}, right = {19, 22, 43, 50};
  const auto x = Tensor<float>::from({2, 2}, a), y = Tensor<float>::from({2, 2}, b);
  if (matmul(x, y).to_vector() != right) return false;
  const std::vector<bf16> p(a.begin(), a.end()), q(b.begin(), b.end());
  std::vector<float> c(4);
  cpu::gemm(args::Gemm<bf16>{.transpose_a = false,
                             .transpose_b = false,
                             .m = 2,
                             .n = 2,
                             .k = 2,
                             .a = p.data(),
                             .lda = 2,
                             .b = q.data(),
                             .ldb = 2,
                             .c = c.data(),
                             .ldc = 2});
  return c == right;
}

}  // namespace

int main() {
  try {
    Counted memory;
    gaze::Allocator<gaze::Cpu>::use(&memory);
    const bool right = products_are_right();
    gaze::Allocator<gaze::Cpu>::use(nullptr);
    return right && memory.given > 0 && memory.given == memory.taken ? 0 : 1;
  } catch (const gaze::Error& error) {
    std::puts(error.what());
    return 3;
  }
}
