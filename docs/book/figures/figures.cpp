// SPDX-License-Identifier: MIT
// Draws the figures of the book with the engine itself.
//
//   book_figures FOLDER           writes the SVG files
//   book_figures --check FOLDER   compares: the same text, and numbers within 2 %
//
// Run with GAZE_ISA=generic: a small model is trained, and other instruction sets round
// differently.
#include <cctype>
#include <cstdlib>
#include <string_view>

#include "docs/book/figures/attention.hpp"
#include "docs/book/figures/graph.hpp"
#include "docs/book/figures/policy.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/input_file.hpp"

#define main example_main
#include "examples/12_attention_reward.cpp"
#undef main

namespace {

/// The length of the number at the start of a text, 0 if there is none.
std::size_t number_length(const std::string& text, std::size_t at) {
  if (!std::isdigit(static_cast<unsigned char>(text[at])) && text[at] != '-') return 0;
  char* end = nullptr;
  std::strtod(text.c_str() + at, &end);
  return static_cast<std::size_t>(end - (text.c_str() + at));
}

/// Where two figures differ; npos if they are the same.
std::size_t difference(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    const std::size_t n = number_length(a, i), m = number_length(b, j);
    if (n > 0 && m > 0) {
      const double x = std::strtod(a.c_str() + i, nullptr), y = std::strtod(b.c_str() + j, nullptr);
      if (std::abs(x - y) > 0.02 * std::max(1.0, std::abs(x))) return i;
      i += n, j += m;
    } else if (a[i++] != b[j++]) {
      return i - 1;
    }
  }
  return i == a.size() && j == b.size() ? std::string::npos : i;
}

bool same(const std::string& path, const std::string& drawn) {
  const std::string kept = io::read_file(path);
  const std::size_t at = difference(drawn, kept);
  if (at == std::string::npos) return true;
  std::fprintf(stderr, "%s differs at %zu: drawn now \"%s\"\n", path.c_str(), at,
               drawn.substr(at, 60).c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::fprintf(stderr, "usage: %s [--check] FOLDER\n", argv[0]);
    return 2;
  }
  const std::string folder = argv[argc - 1];
  bool all_same = true;
  const auto figure = [&](const char* name, const figures::Svg& svg) {
    const std::string path = folder + "/" + name + ".svg", text = svg.str();
    if (check)
      all_same = same(path, text) && all_same;
    else
      io::write_file(path, text);
  };
  figure("scalar_graph", figures::scalar_graph());
  figure("tensor_graph", figures::tensor_graph());
  figure("layout", figures::layout());
  figure("softmax_blocks", figures::softmax_blocks());
  figure("advantages", figures::advantages());
  figure("clip_curves", figures::clip_curves());
  figure("looking", figures::looking([](toy::Model& model, double attention, double pathwise) {
           train(model, attention, pathwise);
         }));
  return all_same ? 0 : 1;
}
