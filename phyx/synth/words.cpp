// SPDX-License-Identifier: MIT
// All word problems there are, chosen by hashes of their texts.
#include "phyx/synth/words.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/data/own_data.hpp"
#include "phyx/synth/rng.hpp"

namespace gaze::phyx {

namespace {

/// A question with the places {a} and {b} of two numbers, and the operation that answers it.
struct WordForm {
  std::string_view id, question, unit, principle;
  char operation;
};

constexpr std::array<WordForm, 6> forms = {{
    {"sum", "What is {a} plus {b}?", "", "addition", '+'},
    {"difference", "What is {a} minus {b}?", "", "subtraction", '-'},
    {"product", "What is {a} times {b}?", "", "multiplication", '*'},
    {"force", "What is the sum of {a} N and {b} N?", "N", "forces along a line add", '+'},
    {"distance", "What is {a} s times {b} m/s?", "m", "speed times time", '*'},
    {"energy", "What is {a} J minus {b} J?", "J", "energy conservation", '-'},
}};

constexpr int smallest = 2, largest = 12;

std::string filled(std::string_view form, int a, int b) {
  std::string out(form);
  out.replace(out.find("{a}"), 3, std::to_string(a));
  return out.replace(out.find("{b}"), 3, std::to_string(b));
}

io::OrderedJson problem_line(const WordForm& f, int a, int b) {
  const int value = f.operation == '+' ? a + b : f.operation == '-' ? a - b : a * b;
  const std::string text = std::to_string(value), unit(f.unit);
  const std::string answer = unit.empty() ? text : text + " " + unit;
  const std::string left = concat(a, " ", std::string(1, f.operation), " ", b);
  return {{"id", concat(f.id, "-", a, "-", b)},
          {"question", filled(f.question, a, b)},
          {"answer", answer},
          {"response", concat("<think> ", left, " </think> <answer> ", answer, " </answer>")},
          {"category", unit.empty() ? "Arithmetic" : "Mechanics"},
          {"template", f.id},
          {"solution",
           {{"look", io::Json::array()},
            {"principle", f.principle},
            {"steps", {concat(left, " = ", text)}},
            {"value", text},
            {"unit", unit}}}};
}

/// The split of a problem, by its hash.
std::string_view split_of(std::uint64_t hash) {
  return hash % 8 < 6 ? "train" : hash % 8 == 6 ? "val" : "test";
}

}  // namespace

void write_words(const WordFile& file) {
  io::make_folders(file.folder);
  if (io::exists(file.path())) return;
  std::vector<std::pair<std::uint64_t, std::string>> lines;  // by the seed's order
  for (const WordForm& f : forms)
    for (int a = smallest; a <= largest; ++a)
      for (int b = smallest; b <= largest; ++b) {
        if (f.operation == '-' && a <= b) continue;
        const io::OrderedJson line = problem_line(f, a, b);
        const std::uint64_t hash = synth::hash_text(line["id"].get<std::string>());
        if (split_of(hash) == file.split)
          lines.emplace_back(synth::mix(file.seed, hash), line.dump());
      }
  GAZE_CHECK(file.count <= lines.size(), "words", "the split ", file.split, " has ", lines.size(),
             " problems, not ", file.count);
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (std::size_t i = 0; i < file.count; ++i) text += lines[i].second + "\n";
  io::write_file(file.path(), text);
}

std::vector<Problem> read_words(const WordFile& file) {
  LoadOptions options;
  options.pictures = false;
  OwnDataLoader loader(file.path(), options);
  std::vector<Problem> out;
  while (auto p = loader.next()) {
    p->split = file.split;
    out.push_back(std::move(*p));
  }
  return out;
}

io::Json word_digests(const std::vector<WordFile>& files) {
  io::Json out = io::Json::object();
  for (const WordFile& file : files)
    if (io::exists(file.path()))
      out["words_" + file.split + ".jsonl"] = io::sha256_file(file.path());
  return out;
}

}  // namespace gaze::phyx
