// SPDX-License-Identifier: MIT
// What the command line does, without the command line: ask, eval, score, info.
#pragma once
#include <cstdio>
#include <map>
#include <sstream>

#include "phyx/loader.hpp"
#include "phyx/results.hpp"
#include "phyx/results_csv.hpp"
#include "phyx/showcase.hpp"
#include "phyx/suite_files.hpp"
#include "phyx/trained_model.hpp"

namespace gaze::phyx {

// ---- ask ---------------------------------------------------------------------------------------

/// The picture with the attention of the whole answer laid over it: warm where the model looked.
inline std::vector<std::uint8_t> attention_overlay(const image::Image& picture,
                                                   const std::vector<std::vector<float>>& maps,
                                                   Index side) {
  constexpr int size = 512;
  auto out = image::resize(picture, size, size, image::Filter::bicubic);
  std::vector<float> mean(static_cast<std::size_t>(side * side), 0.0f);
  for (const auto& map : maps)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += map[i];
  const float top = std::max(1e-9f, *std::max_element(mean.begin(), mean.end()));
  const float warm[3] = {230, 85, 13};
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const Index cell = y * side / size * side + x * side / size;
      const float weight = 0.65f * mean[static_cast<std::size_t>(cell)] / top;
      for (int c = 0; c < 3; ++c) {
        auto& v = out.rgb[static_cast<std::size_t>((y * size + x) * 3 + c)];
        v = static_cast<std::uint8_t>((1 - weight) * v + weight * warm[c]);
      }
    }
  return image::encode_png(out);
}

struct AskSettings {
  std::string model, image, question, overlay;
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

template <class Device = Cpu>
std::string ask(const AskSettings& s) {
  s.sampling.check();
  GAZE_CHECK(!s.question.empty(), "ask", "the question is empty");
  Problem p;
  p.question = s.question;
  if (!s.image.empty()) {
    const std::string bytes = io::read_file(s.image);
    image::decode_image(bytes, s.image);  // an error here names the file
    p.image.assign(bytes.begin(), bytes.end());
  }
  GAZE_CHECK(s.overlay.empty() || !s.image.empty(), "ask", "an overlay needs an image");
  const auto trained = load_model<Device>(s.model);
  const std::vector<std::uint8_t> encoded = p.image;
  const Example e = (*trained->maker)(std::move(p));
  EvaluationSettings settings;
  settings.sampling = s.sampling;
  settings.seed = s.seed;
  if (!s.overlay.empty()) {
    SamplingSettings greedy = s.sampling;
    const Shown shown = show(*trained->model, trained->tokenizer, e, greedy);
    const auto picture = image::decode_image(std::span<const std::uint8_t>(encoded), s.image);
    io::write_file(s.overlay, std::span<const std::uint8_t>(attention_overlay(
                                  picture, shown.maps, trained->model->config().image_side())));
    if (s.sampling.greedy) return shown.completion.text;
  }
  const Evaluator evaluator(*trained->model, trained->tokenizer, settings);
  const models::Prompt* prompt = &e.prompt;
  const std::uint64_t id = 0;
  const auto done =
      evaluator.complete({&prompt, 1}, {&id, 1}, s.sampling.greedy ? 0 : 1, models::Watch::nothing);
  return to_completion(done.front(), trained->tokenizer, trained->model->config(), e.prompt).text;
}

// ---- eval --------------------------------------------------------------------------------------

struct EvalSettings {
  std::string model, out;
  std::vector<std::string> data;
  EvaluationSettings evaluation;
};

/// The problems of one table, one encoded picture in memory at a time. A picture that cannot be
/// decoded is an Error with its row.
inline void append_examples(const std::string& path, ExampleMaker& maker,
                            std::vector<Example>& out) {
  phyx::detail::TableLoader loader(path, {});
  while (auto problem = loader.next()) {
    try {
      out.push_back(maker(std::move(*problem)));
    } catch (const Error& e) {
      const std::string what = e.what();
      if (e.where() != "decode_image") throw;
      GAZE_FAIL("read_tsv", path, " row ", loader.row(),
                ", image: ", what.substr(what.find("] ") + 2));
    }
  }
}

/// Answers every problem of the files; writes predictions.jsonl, outcomes.jsonl and results.csv.
template <class Device = Cpu>
std::vector<ResultRow> evaluate_files(const EvalSettings& s,
                                      const typename Evaluator<Device>::Progress& progress) {
  s.evaluation.sampling.check();
  const auto trained = load_model<Device>(s.model);
  std::vector<Example> examples;
  for (const auto& path : s.data) append_examples(path, *trained->maker, examples);
  GAZE_CHECK(!examples.empty(), "eval", "no problems in the given files");
  const Evaluator evaluator(*trained->model, trained->tokenizer, s.evaluation);
  std::string predictions;
  OutcomeSet set{"model", 0, {}};
  set.outcomes =
      evaluator(examples, progress, [&](std::size_t i, const std::vector<phyx::Completion>& all) {
        auto line = shown_json(examples[i], all.front(), "");
        line["prediction"] = all.front().text;
        predictions += dump_line(line) + "\n";
      });
  std::filesystem::create_directories(s.out);
  io::write_file(s.out + "/predictions.jsonl", predictions);
  write_outcomes(s.out + "/outcomes.jsonl", set);
  auto rows = summarise({{{set.condition, set.seed}, set.outcomes}});
  write_results(s.out + "/results.csv", rows);
  return rows;
}

// ---- score -------------------------------------------------------------------------------------

struct Score {
  std::size_t n = 0, strict = 0, official = 0;
};

/// Scores predictions (JSONL with index, prediction and, for files of both forms, form) of any
/// model against problems, by the strict and by PhyX's own rule.
inline std::map<std::string, Score> score_predictions(const std::string& predictions,
                                                      const std::vector<std::string>& data) {
  std::map<std::pair<std::string, Form>, Problem> problems;
  LoadOptions options;
  options.keep_without_image = true;
  for (const auto& path : data)
    for (auto& p : load_tsv(path, options).problems) {
      p.image.clear();
      problems[{p.index, p.form}] = std::move(p);
    }
  std::istringstream in(io::read_file(predictions));
  std::map<std::string, Score> out;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = predictions + " line " + std::to_string(number);
    const auto j = io::parse_json(line, where);
    GAZE_CHECK(j.is_object(), "score", where, ": not a JSON object");
    const auto& index = io::json_at(j, "index", where);
    const auto& text = io::json_at(j, "prediction", where);
    GAZE_CHECK(text.is_string(), "score", where, ", prediction: not a text");
    const std::string key = index.is_string() ? index.get<std::string>() : index.dump();
    std::string form;
    if (const auto given = j.find("form"); given != j.end()) {
      GAZE_CHECK(*given == "MC" || *given == "OE", "score", where, ", form: neither MC nor OE");
      form = given->get<std::string>();
    }
    const Problem* p = nullptr;
    for (const Form f : {Form::mc, Form::oe}) {
      if (form == (f == Form::mc ? "OE" : "MC")) continue;
      if (const auto found = problems.find({key, f}); !p && found != problems.end())
        p = &found->second;
    }
    GAZE_CHECK(p, "score", where, ", index: no problem ", key, " in the data");
    const auto prediction = text.get<std::string>();
    const bool strict = judge_strict(*p, prediction).correct;
    const bool official = score_official(p->form, p->answer, prediction).match;
    std::vector<std::string> slices = {"overall", "domain: " + p->category};
    for (const auto& r : p->reasoning) slices.push_back("reasoning: " + r);
    if (!p->subfield.empty()) slices.push_back("subfield: " + p->subfield);
    for (const auto& slice : slices) {
      Score& s = out[slice];
      ++s.n;
      s.strict += strict;
      s.official += official;
    }
  }
  GAZE_CHECK(!out.empty(), "score", predictions, ": holds no predictions");
  return out;
}

}  // namespace gaze::phyx
