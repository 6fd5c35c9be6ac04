// SPDX-License-Identifier: MIT
// Extracting the prompts from the official source, judging one reply, caching replies.
#include "phyx/scoring/llm_judge.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/data/pandas_columns.hpp"
#include "phyx/scoring/official_rules.hpp"
#include "phyx/scoring/python_literal.hpp"
#include "phyx/scoring/python_text.hpp"

namespace gaze::phyx {

namespace {

using namespace python;

/// The decoded triple-quoted strings in one function of a Python source.
std::vector<std::string> python_texts(const std::string& source, const std::string& function,
                                      const std::string& file) {
  const std::size_t start = source.find("def " + function + "(");
  GAZE_CHECK(start != source.npos, "judge_prompts", file, ": no function ", function);
  const std::size_t end = std::min(source.find("\ndef ", start), source.size());
  std::vector<std::string> texts;
  for (std::size_t at = source.find("\"\"\"", start); at < end; at = source.find("\"\"\"", at)) {
    const std::size_t close = source.find("\"\"\"", at + 3);
    GAZE_CHECK(close < end, "judge_prompts", file, ": a text in ", function, " does not end");
    const auto text = Literal::parse(to_points(source.substr(at, close + 3 - at)));
    GAZE_CHECK(text && text->kind == Literal::Kind::text, "judge_prompts", file, ": a text in ",
               function, " cannot be read");
    texts.push_back(to_utf8(text->text));
    at = close + 3;
  }
  return texts;
}

/// The first reply that can be parsed decides; the temperature rises with each attempt.
void ask_judge(Judgement& out, const std::string& prompt, const std::string& truth,
               const Judge& judge) {
  constexpr std::array<double, 5> temperatures = {0, .5, 1, 1.5, 2};
  for (const double temperature : temperatures) {
    const std::string reply = judge(prompt, temperature);
    const int attempt = out.calls++;
    if (reply.find(judge_failed) != reply.npos) {
      out.log += "Try " + std::to_string(attempt) + ": answer and prediction are " + truth +
                 " and " + out.extracted + ", failed to compare.\n";
      continue;
    }
    out.log += "Compared at semantic level. ";
    out.match = reply.find('1') != reply.npos;  // also in "0.1" and "0 out of 1"
    if (out.match) out.log += "Semantic equal via LLM.";
    if (out.match) return;
    if (reply.find('0') == reply.npos) continue;
    out.log += "LLM judgement " + reply;
    return;
  }
  out.log += "All 5 retries failed.\n";
  out.decided = false;
}

}  // namespace

std::string JudgePrompts::prompt(Form form, const std::string& truth,
                                 const std::string& predicted) const {
  return (form == Form::mc ? mc : oe) + "Ground truth answer: " + truth +
         " \nPredicted answer: " + predicted + " \nJudegement:";  // spelling as published
}

bool JudgePrompts::official() const {
  return io::sha256(prompt(Form::oe, "5 m", "x")) ==
             "26965d4b36280b73099be2d221a2518356488ef5cec1ede9be3fe37bc10f5de9" &&
         io::sha256(prompt(Form::mc, "A", "x")) ==
             "6f062b748bd577a4dab6fff12ac87a602f683082e7f168d393336f61a016cd14";
}

JudgePrompts JudgePrompts::parse(const std::string& source, const std::string& file) {
  const auto lead = [&](const char* builder, const char* examples) {
    const auto task = python_texts(source, builder, file);
    GAZE_CHECK(task.size() == 1, "judge_prompts", file, ": ", builder, " has ", task.size(),
               " texts, expected one");
    std::string text = task.front();
    for (const std::string& example : python_texts(source, examples, file)) text += example + "\n";
    return text;
  };
  return {lead("build_phyx_gpt4_prompt_MC", "get_ICE_MC"),
          lead("build_phyx_gpt4_prompt", "get_ICE")};
}

JudgePrompts JudgePrompts::read(const std::string& path) {
  constexpr std::size_t largest = 1 << 20;
  JudgePrompts prompts = parse(io::read_file(path, largest), path);
  GAZE_CHECK(prompts.official(), "judge_prompts", path,
             ": the prompts are not those of the latest official version (their SHA-256 differs)");
  return prompts;
}

Judgement judge_official(Form form, const std::string& answer, const std::string& prediction,
                         const JudgePrompts& prompts, const Judge& judge) {
  Judgement out;
  out.extracted = score_official(form, answer, prediction).extracted;
  if (out.extracted == call_failed) {
    out.log = call_failed;
    return out;
  }
  if (out.extracted == nothing_extracted) out.extracted = prediction;
  const std::u32string said = to_points(out.extracted);
  const std::u32string_view bare = strip(said);
  if (lower(strip(to_points(answer))) == lower(bare)) {
    out.match = true;
    out.log = "Matched at string level";
  } else if (form == Form::mc && bare.size() == 1 && bare[0] >= 'A' && bare[0] <= 'D') {
    out.log = "Unmatched at string level";
  } else {
    ask_judge(out, prompts.prompt(form, answer, out.extracted), answer, judge);
  }
  return out;
}

JudgeCache::JudgeCache(const std::string& path) : log_(path, "{\"key\"") {
  log_.read_whole_lines([&](const std::string& line, std::size_t number) {
    const std::string where = path + " line " + std::to_string(number);
    const auto j = io::parse_json(line, where);
    const auto &key = io::json_at(j, "key", where), &reply = io::json_at(j, "reply", where);
    GAZE_CHECK(key.is_string() && reply.is_string(), "judge_cache", where, ": not texts");
    replies_[key.get<std::string>()] = reply.get<std::string>();
  });
}

Judge JudgeCache::wrap(const std::string& model, Judge judge) {
  return [this, model, judge = std::move(judge)](const std::string& prompt, double temperature) {
    const std::string key =
        io::sha256(model + '\n' + python_float_text(temperature) + '\n' + prompt);
    if (const auto known = replies_.find(key); known != replies_.end()) return known->second;
    std::string reply = judge(prompt, temperature);
    if (reply.find(judge_failed) != reply.npos) return reply;
    using Bad = io::OrderedJson::error_handler_t;
    const io::OrderedJson line = {{"key", key}, {"model", model}, {"reply", reply}};
    log_.line(line.dump(-1, ' ', false, Bad::replace));
    replies_[key] = reply;
    return reply;
  };
}

}  // namespace gaze::phyx
