// SPDX-License-Identifier: MIT
// A trained model on problem files of any size: problems stream through in batches, what is
// answered is appended line by line, and an evaluation that was stopped goes on to the same bits.
//
//   eval.json                what decides the answers; a resumed run must have the same
//   predictions.jsonl        one line per problem, as they are answered; the truth of the rest
//   DATASET_predictions.tsv  the official layout: the data's columns without image, and prediction
//   DATASET_predictions_acc.csv   the official table
//   outcomes.jsonl, results.csv   as an ablation writes them
#pragma once
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gaze/cpu/isa.hpp"
#include "gaze/io/append_log.hpp"
#include "gaze/io/folder_lock.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/eval/file_names.hpp"
#include "phyx/eval/showcase.hpp"
#include "phyx/eval/trained_model.hpp"
#include "phyx/listener.hpp"
#include "phyx/results/summary.hpp"
#include "phyx/run_config.hpp"
#include "phyx/scoring/score.hpp"

namespace gaze::phyx {

struct EvalSettings {
  std::string model, out;
  std::vector<std::string> data;
  LoadOptions reading;
  EvaluationSettings evaluation;
  bool resume = false;
};

namespace detail {

/// Appends what a file of problems holds to the layout of predictions: the data's columns without
/// the picture, and the prediction of each row that has one.
inline void write_official_layout(const std::string& path, const std::string& data,
                                  const LoadOptions& reading,
                                  const std::map<std::size_t, std::string>& predictions) {
  LoadOptions texts = reading;
  texts.pictures = false;
  ProblemReader reader(data, texts);
  std::vector<std::string> columns = {"index",    "question", "answer",
                                      "category", "subfield", "reasoning_type"};
  if (reader.table()) columns = reader.table()->columns();
  std::vector<std::string> kept;
  for (const auto& c : columns)
    if (c != "image" && c != "prediction") kept.push_back(c);
  kept.push_back("prediction");
  TsvWriter writer(path, kept);
  while (auto p = reader.next()) {
    const auto found = predictions.find(reader.row());
    if (found == predictions.end()) continue;  // a row without a picture
    std::vector<std::string> cells;
    if (reader.table()) {
      for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i] != "image" && columns[i] != "prediction")
          cells.push_back(reader.table()->cells()[i]);
    } else {
      cells = {p->index,    p->question, p->answer,
               p->category, p->subfield, io::dump_json(io::Json(p->reasoning), data)};
    }
    cells.push_back(found->second);
    writer.write(cells);
  }
  writer.finish();
}

}  // namespace detail

/// One evaluation of a model on some files.
template <class Device = Cpu>
class FileEvaluation {
 public:
  FileEvaluation(EvalSettings settings, Listener listener)
      : s_(std::move(settings)), listener_(std::move(listener)) {
    s_.evaluation.sampling.check();
  }

  /// All of it, or the rest; the rows of results.csv. Throws Interrupted where it was asked to
  /// stop: what is answered stays.
  std::vector<ResultRow> run() {
    survey();
    trained_ = load_model<Device>(s_.model);
    config_ = config();
    if (io::exists(s_.out)) lock_.emplace(s_.out);
    answer(prepare());
    auto rows = finish();
    lock_.reset();
    return rows;
  }

 private:
  std::string log_path() const { return s_.out + "/predictions.jsonl"; }
  io::AppendLog open_log() const { return io::AppendLog(log_path(), "{\"index\":"); }
  std::string config_path() const { return s_.out + "/eval.json"; }

  /// A file's digest, and that of the pictures in files beside it: empty where there are none.
  struct DataDigest {
    std::string file, pictures;
  };

  /// Reads every text of every file once, and every picture that has a file of its own, so that
  /// what cannot be read is known before the work.
  void survey() {
    std::set<std::pair<std::string, Form>> seen;
    std::set<std::string> names;
    for (const auto& path : s_.data) {
      GAZE_CHECK(names.insert(name_of(path)).second, "eval", path, ": a second file of this name");
      LoadOptions reading = s_.reading;
      reading.keep_without_image = true;
      reading.pictures = ProblemReader(path, reading).pictures_beside();
      ProblemReader reader(path, reading);
      io::Sha256 pictures;
      while (auto p = reader.next()) {
        GAZE_CHECK(seen.insert({full_index(*p), p->form}).second, "eval", path, " row ",
                   reader.row(), ", index: ", printable(p->index, kShownBytes), " is there twice");
        pictures.update(std::to_string(p->image.size()) + " bytes: ");
        pictures.update({reinterpret_cast<const char*>(p->image.data()), p->image.size()});
      }
      digests_.push_back({io::sha256_file(path), reading.pictures ? pictures.digits() : ""});
    }
    GAZE_CHECK(!seen.empty(), "eval", "no problems in the given files");
    count_ = seen.size();
  }

  /// The data set's name, which its output files begin with.
  static std::string name_of(const std::string& path) {
    return safe_name(std::filesystem::path(path).stem().string());
  }

  io::OrderedJson config() const {
    static const std::array<const char*, 3> texts = {"full", "simplified", "minimal"};
    const SamplingSettings& g = s_.evaluation.sampling;
    io::OrderedJson j;
    j["model"] = io::sha256_file(trained_->weights_file);
    j["tokenizer"] = io::sha256_file(trained_->tokenizer_file);
    for (std::size_t i = 0; i < s_.data.size(); ++i) {
      const std::string name = std::filesystem::path(s_.data[i]).filename().string();
      j["data"].push_back({{"name", printable(name, kShownBytes)}, {"sha256", digests_[i].file}});
      if (!digests_[i].pictures.empty()) j["data"].back()["pictures"] = digests_[i].pictures;
    }
    j["reading"] = {
        {"form", s_.reading.form ? (*s_.reading.form == Form::mc ? "MC" : "OE") : "by name"},
        {"text", texts[static_cast<std::size_t>(s_.reading.text)]},
        {"caption", s_.reading.caption}};
    j["evaluation"] = {{"samples", s_.evaluation.samples},
                       {"seed", s_.evaluation.seed},
                       {"temperature", g.temperature},
                       {"top_k", g.top_k},
                       {"top_p", g.top_p},
                       {"min_p", g.min_p},
                       {"repetition_penalty", g.repetition_penalty},
                       {"max_tokens", g.max_tokens}};
    j["device"] = Device::name;
    const bool bf16 = trained_->model->parameters().multiplies_in_bf16();
    j["instruction_set"] = gaze::detail::kernels_name<Device>(bf16);
    j["version"] = GAZE_VERSION;
    return j;
  }

  /// Checks the folder. Returns how many problems are answered in it.
  std::size_t prepare() const {
    std::vector<std::string> written = {"predictions.jsonl", "outcomes.jsonl", "results.csv"};
    for (const auto& path : s_.data)
      for (const char* end : {"_predictions.tsv", "_predictions_acc.csv"})
        written.push_back(name_of(path) + end);
    check_own_folder("eval", s_.out, "eval.json", written);
    if (!io::exists(config_path())) return 0;
    GAZE_CHECK(s_.resume, "eval", config_path(),
               ": this folder holds an evaluation; --resume goes on with it");
    const io::Json before = io::read_json_object(config_path());
    const io::Json asked = io::parse_json(io::dump_json(config_, config_path()), config_path());
    for (const auto& [key, value] : asked.items())
      check_same_config(config_path(), key, before.value(key, io::Json()), value);
    return whole_lines();
  }

  /// Counts the lines of the log, and cuts off what a killed run left of one.
  std::size_t whole_lines() const {
    std::size_t count = 0;
    open_log().read_whole_lines([&](const std::string&, std::size_t number) { count = number; });
    return count;
  }

  /// Streams the problems after the first `done` through the model.
  void answer(std::size_t done) {
    std::vector<Example> batch;
    std::vector<std::pair<std::size_t, std::size_t>> places;  // file and row of each
    std::size_t next = 0;
    const auto flush = [&] {
      if (batch.empty()) return;
      answer_batch(batch, places, next - batch.size());
      batch.clear();
      places.clear();
      if (listener_.progress) listener_.progress(next, count_, "problems");
    };
    for (std::size_t file = 0; file < s_.data.size(); ++file) {
      ProblemReader reader(s_.data[file], s_.reading);
      while (auto problem = reader.next()) {
        if (next++ < done) continue;
        batch.push_back(example(file, reader.row(), std::move(*problem)));
        places.emplace_back(file, reader.row());
        if (batch.size() == static_cast<std::size_t>(s_.evaluation.batch)) flush();
      }
      count_ -= reader.dropped();
    }
    flush();
    GAZE_CHECK(next > 0, "eval", "no problems with pictures in the given files");
  }

  /// A picture that cannot be decoded is an Error with its row.
  Example example(std::size_t file, std::size_t row, Problem problem) {
    try {
      return (*trained_->maker)(std::move(problem));
    } catch (const Error& e) {
      if (e.where() != "decode_image") throw;
      const std::string what = e.what();
      GAZE_FAIL("read_tsv", s_.data[file], " row ", row,
                ", image: ", what.substr(what.find("] ") + 2));
    }
  }

  /// The folder comes into being with the first answers, unless another process was faster.
  void begin_folder() {
    if (!lock_) {
      lock_.emplace(s_.out);
      GAZE_CHECK(prepare() == 0, "eval", s_.out, ": another process has written to this folder");
    }
    if (!io::exists(config_path()))
      io::write_file(config_path(), io::dump_json(config_, config_path(), 2) + "\n");
  }

  void answer_batch(const std::vector<Example>& batch,
                    const std::vector<std::pair<std::size_t, std::size_t>>& places,
                    std::size_t first) {
    const Evaluator evaluator(*trained_->model, trained_->tokenizer, s_.evaluation);
    std::vector<phyx::Completion> greedy;
    const auto outcomes =
        evaluator.batch(batch, first, [&](std::size_t, const std::vector<phyx::Completion>& all) {
          greedy.push_back(all.front());
        });
    begin_folder();
    io::AppendLog log = open_log();
    for (std::size_t i = 0; i < batch.size(); ++i)
      log.line(line(batch[i], greedy[i], outcomes[i], places[i]));
    log.sync();
    if (listener_.stop && listener_.stop())
      throw Interrupted("stopped after " + std::to_string(first + batch.size()) + " of " +
                            std::to_string(count_) +
                            " problems; the same command with --resume goes on",
                        "eval");
  }

  std::string line(const Example& e, const phyx::Completion& c, const Outcome& outcome,
                   std::pair<std::size_t, std::size_t> place) const {
    io::OrderedJson j = shown_json(e, c, "");
    j.erase("text");
    j["prediction"] = c.text;
    j["file"] = place.first;
    j["row"] = place.second;
    j["outcome"] = outcome_to_json(outcome);
    return dump_line(j);
  }

  /// Everything else from the log, which is all there is to an evaluation.
  std::vector<ResultRow> finish() const {
    OutcomeSet set{"model", 0, {}};
    std::vector<std::map<std::size_t, std::string>> predictions(s_.data.size());
    std::ifstream in(log_path(), std::ios::binary);
    std::string text;
    for (std::size_t number = 1; std::getline(in, text); ++number) {
      const std::string where = log_path() + " line " + std::to_string(number);
      const io::Json j = io::parse_json(text, where);
      set.outcomes.push_back(outcome_from_json(io::json_at(j, "outcome", where), where));
      const auto &file = io::json_at(j, "file", where), &row = io::json_at(j, "row", where),
                 &said = io::json_at(j, "prediction", where);
      GAZE_CHECK(file.is_number_unsigned() && file < predictions.size() &&
                     row.is_number_unsigned() && said.is_string(),
                 "eval", where, ": not a line of this evaluation");
      predictions[file.get<std::size_t>()][row.get<std::size_t>()] = said.get<std::string>();
    }
    for (std::size_t i = 0; i < s_.data.size(); ++i) write_predictions(i, predictions[i]);
    write_outcomes(s_.out + "/outcomes.jsonl", set);
    auto rows = summarise({{{set.condition, set.seed}, set.outcomes}});
    write_results(s_.out + "/results.csv", rows);
    return rows;
  }

  void write_predictions(std::size_t file,
                         const std::map<std::size_t, std::string>& predictions) const {
    if (predictions.empty()) return;
    const std::string lead = s_.out + "/" + name_of(s_.data[file]) + "_predictions";
    detail::write_official_layout(lead + ".tsv", s_.data[file], s_.reading, predictions);
    PredictionFiles written{lead + ".tsv", {}, {}};
    written.reading.form = s_.reading.form ? *s_.reading.form : form_of_path(s_.data[file]);
    detail::write_official_tables(
        lead, score_rows(read_predictions(written).predictions, OfficialRules::latest), false);
  }

  EvalSettings s_;
  Listener listener_;
  std::optional<io::FolderLock> lock_;
  std::unique_ptr<TrainedModel<Device>> trained_;
  std::vector<DataDigest> digests_;  // of the data files
  std::size_t count_ = 0;            // problems, as far as is known
  io::OrderedJson config_;
};

}  // namespace gaze::phyx
