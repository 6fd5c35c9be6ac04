// SPDX-License-Identifier: MIT
// Streaming problems through a model in batches, on any device.
#pragma once
#include <optional>

#include "gaze/core/error.hpp"
#include "gaze/io/append_log.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/eval/files.hpp"
#include "phyx/eval/problem_answerer.inl"

namespace gaze::phyx {

template <class Device>
std::vector<ResultRow> FileEvaluation<Device>::run() {
  count_ = folder_.survey();
  answerer_ = make_answerer<Device>(s_);
  folder_.configure(answerer_->identity());
  answer(folder_.open());
  auto rows = folder_.finish();
  folder_.release();
  return rows;
}

template <class Device>
void FileEvaluation<Device>::answer(std::size_t done) {
  std::vector<Example> batch;
  std::vector<Place> places;
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
      places.emplace_back(file, reader.row());
      batch.push_back(example(places.back(), std::move(*problem)));
      if (batch.size() == static_cast<std::size_t>(s_.evaluation.batch)) flush();
    }
    count_ -= reader.dropped();
  }
  flush();
  GAZE_CHECK(next > 0, "eval", "no problems with pictures in the given files");
}

template <class Device>
Example FileEvaluation<Device>::example(const Place& place, Problem problem) {
  try {
    return answerer_->example(std::move(problem));
  } catch (const Error& e) {
    const bool picture = e.where() == "decode_image";
    if (!picture && e.where() != "question") throw;
    const std::string what = e.what();
    GAZE_FAIL("read_tsv", s_.data[place.first], " row ", place.second,
              picture ? ", image: " : ", question: ", what.substr(what.find("] ") + 2));
  }
}

template <class Device>
void FileEvaluation<Device>::answer_batch(const std::vector<Example>& batch,
                                          const std::vector<Place>& places, std::size_t first) {
  std::vector<phyx::Completion> greedy;
  const auto outcomes =
      answerer_->answer(batch, first, [&](std::size_t, const std::vector<phyx::Completion>& all) {
        greedy.push_back(all.front());
      });
  folder_.begin();
  io::AppendLog log = folder_.open_log();
  for (std::size_t i = 0; i < batch.size(); ++i)
    log.line(EvaluationFolder::line(batch[i], greedy[i], outcomes[i], places[i]));
  log.sync();
  if (listener_.stop && listener_.stop())
    throw Interrupted("stopped after " + std::to_string(first + batch.size()) + " of " +
                          std::to_string(count_) +
                          " problems; run the same command with --resume to continue",
                      "eval");
}

}  // namespace gaze::phyx
