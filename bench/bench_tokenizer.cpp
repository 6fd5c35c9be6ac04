// SPDX-License-Identifier: MIT
// The byte-level BPE tokeniser: encoding, decoding, and the hardest words.
//
//   bench_tokenizer [Google Benchmark's options]   with the vocabulary of the golden test
//   bench_tokenizer --serve FILE    for bench/peers/check_byte_pair.py: reads texts as JSON
//   strings,
//       one a line, and prints a line [ids, plain ids, decoded, decoded without special tokens] for
//       each; then the CPU seconds of reading FILE and of these four for all texts
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/text/byte_pair.hpp"

// For a compilation without CMake, which runs in the root of the repository.
#ifndef GAZE_GOLDEN_DIR
#define GAZE_GOLDEN_DIR "tests/golden"
#endif

namespace {

using gaze::io::Json;
using gaze::text::BytePairTokenizer;
using gaze::text::SpecialTokens;
using Ids = std::vector<std::int32_t>;

// ---- Google Benchmark -------------------------------------------------------------------------

BytePairTokenizer golden_tokenizer() {
  const std::string path = GAZE_GOLDEN_DIR "/byte_pair_golden.json";
  const Json golden = gaze::io::parse_json(gaze::io::read_file(path), path);
  return BytePairTokenizer::parse(golden["tokenizer"].dump(), path);
}

std::string repeated(const std::string& part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

void encode(benchmark::State& state, const std::string& text) {
  const BytePairTokenizer tokenizer = golden_tokenizer();
  std::size_t tokens = 0;
  for (auto _ : state) benchmark::DoNotOptimize(tokens = tokenizer.encode(text).size());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["tokens"] = static_cast<double>(tokens);
}

void decode(benchmark::State& state, const std::string& text) {
  const BytePairTokenizer tokenizer = golden_tokenizer();
  const Ids ids = tokenizer.encode(text);
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.decode(ids).size());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void register_rows() {
  const std::string prose = repeated(
      "A block of mass 12 kg slides down a plane, inclined at 30 degrees. Doesn't it slow down?\n",
      100000);
  const auto add = [](const char* name, auto run, const std::string& text) {
    benchmark::RegisterBenchmark(name, run, text)->Unit(benchmark::kMillisecond);
  };
  add("tokenizer/encode/prose_100kB", encode, prose);
  add("tokenizer/decode/prose_100kB", decode, prose);
  add("tokenizer/encode/one_letter_1MB", encode, repeated("a", 1000000));
  add("tokenizer/encode/one_word_1MB", encode, repeated("theslidingblockofmassin", 1000000));
  add("tokenizer/encode/spaces_1MB", encode, repeated(" ", 1000000));
  add("tokenizer/encode/cyrillic_1MB", encode,
      repeated("\xD0\xBC\xD0\xB0\xD1\x81\xD1\x81\xD0\xB0 ", 1000000));
}

// ---- serving for bench/peers ------------------------------------------------------------------

/// CPU time, which excludes waiting on a busy machine.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// The results of one operation on all texts, and the least seconds of three rounds.
template <class Result, class Input, class Operation>
std::vector<Result> timed(const std::vector<Input>& inputs, double& seconds, Operation operation) {
  std::vector<Result> results(inputs.size());
  seconds = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 3; ++round) {
    const double start = processor_seconds();
    for (std::size_t i = 0; i < inputs.size(); ++i) results[i] = operation(inputs[i]);
    seconds = std::min(seconds, processor_seconds() - start);
  }
  return results;
}

void serve(const std::string& path) {
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);)
    texts.push_back(gaze::io::parse_json(line, "stdin").get<std::string>());
  double seconds[5] = {};
  const double start = processor_seconds();
  const auto bpe = BytePairTokenizer::load(path);
  seconds[0] = processor_seconds() - start;
  const auto ids = timed<Ids>(texts, seconds[1], [&](const auto& t) { return bpe.encode(t); });
  const auto plain =
      timed<Ids>(texts, seconds[2], [&](const auto& t) { return bpe.encode_plain(t); });
  const auto decoded =
      timed<std::string>(ids, seconds[3], [&](const Ids& i) { return bpe.decode(i); });
  const auto skipped = timed<std::string>(
      ids, seconds[4], [&](const Ids& i) { return bpe.decode(i, SpecialTokens::skip); });
  const auto print = [](const auto&... values) { std::cout << Json{values...} << "\n"; };
  for (std::size_t i = 0; i < texts.size(); ++i) print(ids[i], plain[i], decoded[i], skipped[i]);
  print(seconds[0], seconds[1], seconds[2], seconds[3], seconds[4]);
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--serve") {
    GAZE_CHECK(argc == 3, "bench", "--serve takes a tokenizer.json");
    return serve(argv[2]), 0;
  }
  register_rows();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench_tokenizer: " << error.what() << "\n";
    return 2;
  }
}
