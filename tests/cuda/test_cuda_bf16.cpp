// SPDX-License-Identifier: MIT
// Operands of bf16 in attention: the operation and the model, against the CPU's float64 of rounded
// values, with the kernels on tensor cores and with the plain ones.
#include "cuda/host/choice.hpp"
#include "tests/cuda/device.hpp"
#include "tests/numbers.hpp"
#include "tests/small_model.hpp"

namespace test_cuda_bf16 {
namespace {

using namespace gaze;
using namespace gaze::test;

/// Restores the choice of kernels when it goes out of scope.
struct Chosen {
  cuda::KernelChoice before = cuda::kernel_choice;
  ~Chosen() { cuda::kernel_choice = before; }
};

template <class T, class Device = Cpu>
Tensor<T, Device> values(const Shape& shape, unsigned seed, bool rounded) {
  const Philox random(seed, Purpose::test);
  std::vector<T> all(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto x = static_cast<float>(random.normal(1, i));
    all[i] = static_cast<T>(rounded ? static_cast<float>(bf16(x)) : x);
  }
  return Tensor<T, Device>::from(shape, all);
}

struct Results {
  std::vector<double> out, marks, gradient;
};

/// Attention of a group with a shared prompt, and the gradient of a weighted sum of its results.
template <class T, class Device>
Results attend(const AttentionSizes& sizes, Index marks, bool rounded) {
  auto layout = std::make_shared<TokenLayout>();
  const Segment prompt = layout->add_sequence(21);
  for (const Index n : {9, 1}) layout->add_continuation(prompt, n);
  layout->end_group();
  const Index n = layout->rows();
  auto qkv = values<T, Device>({n, sizes.columns()}, 1, rounded);
  qkv.requires_grad();
  const auto columns =
      marks ? values<float, Device>({layout->slots, marks}, 2, rounded) : Tensor<float, Device>();
  const auto y = attention(qkv, sizes, layout, columns);
  auto loss = sum(mul(y.out, values<T, Device>(y.out.shape(), 3, rounded)));
  if (marks) loss = add(loss, sum(mul(y.marks, values<T, Device>(y.marks.shape(), 4, rounded))));
  backward(loss);
  const auto wide = [](const Tensor<T, Device>& x) {
    const auto all = x.defined() ? x.to_vector() : std::vector<T>();
    return std::vector<double>(all.begin(), all.end());
  };
  return {wide(y.out), wide(y.marks), wide(qkv.grad())};
}

}  // namespace

TEST_CASE("attention of rounded operands, on tensor cores and plain", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const Chosen restore;
  for (const bool fast : {true, false})
    for (const Index marks : {0, 3})
      for (const Index head : {8, 36, 64}) {  // 36: no kernel on tensor cores, in bf16
        cuda::kernel_choice.fast = fast;
        const AttentionSizes sizes{4, 2, head, 0.3, true};
        INFO((fast ? "fast" : "plain") << ", heads of " << head << ", " << marks << " marks");
        const Results want = attend<double, Cpu>(sizes, marks, true);
        const Results got = attend<float, Cuda>(sizes, marks, false);  // which it rounds itself
        CHECK(relative_error(got.out, want.out) < 5e-3);
        CHECK(relative_error(got.marks, want.marks) < 5e-3);
        CHECK(relative_error(got.gradient, want.gradient) < 5e-3);
        CHECK(relative_error(got.out, want.out) > 1e-5);  // the weights were rounded too
      }
}

TEST_CASE("attention keeps float64, mixed types and the CPU unrounded", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const AttentionSizes whole{4, 2, 8, 0.3}, rounded{4, 2, 8, 0.3, true};
  CHECK(attend<double, Cuda>(rounded, 3, false).out == attend<double, Cuda>(whole, 3, false).out);
  CHECK(attend<float, Cpu>(rounded, 3, false).out == attend<float, Cpu>(whole, 3, false).out);
  CHECK(attend<float, Cuda>(rounded, 3, false).out != attend<float, Cuda>(whole, 3, false).out);
}

TEST_CASE("rounded keys and values use half the memory", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const auto bytes = [](const AttentionSizes& sizes, Index slots) {
    const std::size_t before = Allocator<Cuda>::in_use();
    const KeyValueStore<float, Cuda> store(sizes, slots);
    return Allocator<Cuda>::in_use() - before;
  };
  CHECK(bytes({4, 2, 32, 1}, 512) == 2 * 512 * 2 * 32 * sizeof(float));
  CHECK(bytes({4, 2, 32, 1, true}, 512) == 2 * 512 * 2 * 32 * sizeof(bf16));
}

TEST_CASE("a cache built for the other operand type is refused", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const AttentionSizes whole{4, 2, 8, 0.3}, rounded{4, 2, 8, 0.3, true};
  auto layout = std::make_shared<TokenLayout>();
  layout->add_sequence(3);
  const auto qkv = values<float, Cuda>({3, whole.columns()}, 1, false);
  KeyValueStore<float, Cuda> cache(whole, layout->slots);
  CHECK_THAT(error_of([&] { attention(qkv, rounded, layout, {}, &cache); }),
             Catch::Contains("the cache holds whole keys, the operands are rounded"));
}

TEST_CASE("the model's attention is rounded with its products", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const auto c = in_bf16(with_head_size(8));
  const models::Vlm<float, Cuda> model(c, image_token, 3);
  const auto prompts = some_prompts(c, 3);
  const auto all = pointers(prompts);
  const auto state = model.prefill(std::span(all), 2, 5, Watch::marks);
  for (const auto& layer : state.cache) CHECK(layer.of<bf16>().keys.defined());
  const models::Vlm<float, Cpu> host(c, image_token, 3);
  const auto want = host.prefill(std::span(all), 2, 5, Watch::marks).first;
  const auto got = state.first.logits.to_vector(), near = want.logits.to_vector();
  CHECK(relative_error(got, near) < 0.02);
  for (std::size_t i = 0; i < want.seen.size(); ++i)
    CHECK(state.first.seen[i] == Catch::Approx(want.seen[i]).margin(0.01));
}

TEST_CASE("rows of a table in bf16 are widened", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const auto table = values<float, Cpu>({11, 37}, 5, true).to_vector();
  std::vector<bf16> narrow;
  for (const float x : table) narrow.push_back(bf16(x));
  const Weight<float, Cuda> weight{Tensor<float, Cuda>(),
                                   Tensor<bf16, Cuda>::from({11, 37}, narrow)};
  const auto rows = gather_rows(weight, Indices<Cuda>::from({3}, {10, -1, 4})).to_vector();
  for (std::size_t j = 0; j < 37; ++j) {
    CHECK(rows[j] == table[10 * 37 + j]);
    CHECK(rows[37 + j] == 0);
    CHECK(rows[2 * 37 + j] == table[4 * 37 + j]);
  }
}

TEST_CASE("a ViT block saves its attention operands at half the size", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const Index n = 256, width = 16;
  Parameters<float, Cuda> parameters;
  const models::VitBlock<float, Cuda> block(parameters, "block", {16, 1, width, 1, 2, 24, 1e-5});
  parameters.allocate(3);
  parameters.multiply_in_bf16();
  auto layout = std::make_shared<TokenLayout>();
  layout->add_bidirectional(n);
  auto x = values<float, Cuda>({n, width}, 1, false);
  x.requires_grad();
  const auto kept = [&](bool rounded) {
    parameters.find("block.qkv.weight")->multiplied_in_bf16 = rounded;
    block(x, layout);  // rounds the weight, copies the layout
    const std::size_t before = Allocator<Cuda>::in_use();
    const auto y = block(x, layout);
    return Allocator<Cuda>::in_use() - before;
  };
  const std::size_t whole = kept(false), rounded = kept(true);
  // Queries, keys and values, the key-value store, and the input of the product.
  CHECK(whole - rounded >= (3 + 2) * n * width * (sizeof(float) - sizeof(bf16)));
}

}  // namespace test_cuda_bf16
