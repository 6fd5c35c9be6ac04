// SPDX-License-Identifier: MIT
// One forward for everything: rows in a flat batch, and a TokenLayout that defines which keys each
// row sees. Three ways to compute the same completions give the same bits:
//   1. each sequence alone (prompt and completion in one pass),
//   2. all completions in one batch behind one shared prompt,
//   3. the prompt into a cache, then one row per completion and step, as in generation.
#include <cstdio>
#include <cstring>

#include "gaze/gaze.hpp"

using namespace gaze;

namespace {

const AttentionSizes sizes{4, 2, 16, 0.25};  // 4 query heads share 2 key-value heads of size 16
constexpr Index prompt_rows = 37, own_rows = 21,
                image_rows = 16;  // the prompt starts with an image
constexpr std::uint64_t completions = 3;

// Query, key and value of a row, named by sequence (0: the prompt) and position.
void append_row(std::vector<float>& rows, std::uint64_t sequence, Index position) {
  const Philox random(1, Purpose::data);
  const auto address = sequence * 1000 + static_cast<std::uint64_t>(position);
  for (Index c = 0; c < sizes.columns(); ++c)
    rows.push_back(static_cast<float>(random.normal(address, static_cast<std::uint64_t>(c))));
}

// Marks: column 0 is 1 at the image's keys, column 1 everywhere else in the prompt.
Tensor<float> mark_prompt(Index slots) {
  auto marks = Tensor<float>::zeros({slots, 2});
  for (Index i = 0; i < prompt_rows; ++i) marks.data()[i * 2 + (i < image_rows ? 0 : 1)] = 1;
  return marks;
}

AttentionResult<float, Cpu> attend(const std::vector<float>& rows, const TokenLayout& layout,
                                   KeyValueStore<float, Cpu>* cache = nullptr) {
  const auto qkv = Tensor<float>::from({layout.rows(), sizes.columns()}, rows);
  return attention(qkv, sizes, std::make_shared<TokenLayout>(layout), mark_prompt(layout.slots),
                   cache);
}

bool same_bits(const Tensor<float>& a, Index row_a, const Tensor<float>& b, Index row_b, Index n) {
  const Index w = a.size(1);
  return std::memcmp(a.data() + row_a * w, b.data() + row_b * w, std::size_t(n * w) * 4) == 0;
}

}  // namespace

int main() {
  TokenLayout shared, cached;
  std::vector<float> rows, prompt;
  const Segment start = shared.add_sequence(prompt_rows), first = cached.add_sequence(prompt_rows);
  for (Index t = 0; t < prompt_rows; ++t) append_row(prompt, 0, t);
  rows = prompt;
  std::vector<Index> own_slot;
  for (std::uint64_t g = 1; g <= completions; ++g) {
    shared.add_continuation(start, own_rows);
    for (Index t = 0; t < own_rows; ++t) append_row(rows, g, t);
    own_slot.push_back(cached.reserve(own_rows, prompt_rows));
  }
  const auto batch = attend(rows, shared);
  std::printf("%d rows in one batch instead of %d in %d sequences\n\n", int(shared.rows()),
              int(completions * (prompt_rows + own_rows)), int(completions));

  KeyValueStore<float, Cpu> cache(sizes, cached.slots);
  const NoGrad no_grad;
  attend(prompt, cached, &cache);
  bool all = true;
  for (std::uint64_t g = 1; g <= completions; ++g) {
    const Index row = prompt_rows + static_cast<Index>(g - 1) * own_rows;
    TokenLayout alone;
    alone.add_sequence(prompt_rows + own_rows);
    std::vector<float> sequence = prompt;
    for (Index t = 0; t < own_rows; ++t) append_row(sequence, g, t);
    const bool one_pass =
        same_bits(batch.out, row, attend(sequence, alone).out, prompt_rows, own_rows);
    bool decoding = true;
    for (Index t = 0; t < own_rows; ++t) {
      TokenLayout step;
      step.add_step(first.slot, prompt_rows, own_slot[g - 1], t);
      step.slots = cached.slots;
      std::vector<float> one;
      append_row(one, g, t);
      decoding = decoding && same_bits(batch.out, row + t, attend(one, step, &cache).out, 0, 1);
    }
    std::printf("completion %d: one pass %s, decoding with a cache %s\n", int(g),
                one_pass ? "same bits" : "DIFFERS", decoding ? "same bits" : "DIFFERS");
    all = all && one_pass && decoding;
  }

  // The attention of the rows of completion 1, from the same pass; by head [N, H * M].
  std::printf("\ncompletion 1, row 0, looks at (image, rest of the prompt, itself):\n");
  for (Index h = 0; h < sizes.heads; ++h) {
    const float* mark = batch.marks.data() + prompt_rows * batch.marks.size(1) + h * 2;
    const double image = mark[0], rest = mark[1];
    std::printf("  head %d   %.3f  %.3f  %.3f\n", int(h), image, rest, 1 - image - rest);
  }
  return all ? 0 : 1;
}
