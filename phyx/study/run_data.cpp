// SPDX-License-Identifier: MIT
// Writing, checking and reading the problems.
#include "phyx/study/run_data.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/sha256.hpp"
#include "gaze/io/weight_files.hpp"
#include "phyx/eval/trained_model.hpp"
#include "phyx/run_config.hpp"
#include "phyx/synth/files.hpp"
#include "phyx/synth/suite.hpp"
#include "phyx/train/vocabulary.hpp"

namespace gaze::phyx {

void RunData::survey() {
  if (from_checkpoint(s_)) published_.emplace(read_published(published_settings(s_), s_.model));
  if (s_.own.used()) own_.emplace(s_.own, OwnDataNeeds::of(s_), own_reading(s_));
}

void RunData::open_checkpoint() {
  config_ = published_->checkpoint.model;
  const CheckpointSettings& c = s_.checkpoint;
  const bool whole = c.instruction.empty() && c.prompt.empty();
  codec_.emplace(*published_, s_.max_tokens, whole ? std::nullopt : std::optional(c.instruction));
}

void RunData::expect(const io::Json& files) {
  files_ = files;
  digests();
}

std::vector<std::string> RunData::test_parts() const {
  if (s_.split == "val") return {"val"};
  return {"test_known", "test_new"};
}

std::vector<std::string> RunData::all_parts() const {
  std::vector<std::string> parts = test_parts();
  parts.insert(parts.begin(), "train");
  if (s_.validate_every > 0 && s_.split != "val") parts.push_back("val");
  return parts;
}

io::Json RunData::digests() const {
  io::Json now = own_                  ? own_->files()
                 : s_.suite == "words" ? word_digests(word_files())
                                       : suite_digests(at_.data(), all_parts());
  if (published_) {
    for (const std::string& file : io::WeightFiles(s_.model).files())
      now["checkpoint/" + std::filesystem::path(file).filename().string()] = io::sha256_file(file);
    for (const auto& [what, file] : published_->prompt_files())
      now["checkpoint/" + what] = io::sha256_file(file);
    now["checkpoint/tokenizer"] = io::sha256_file(s_.model + "/tokenizer.json");
  }
  const io::Json own = suite_digests(rl_folder(), {"train"});
  if (!own_ && s_.suite != "words" && has_rl_problems(s_))
    for (const auto& [name, digest] : own.items()) now["rl/" + name] = digest;
  for (const auto& [name, digest] : now.items())
    if (files_.contains(name))
      check_same_config(at_.config(), "data.files." + name, files_[name], digest);
  return now;
}

SuiteOptions RunData::suite_options(const std::string& split, bool rl) const {
  SuiteOptions out;
  if (s_.cues) out.cue = split == "train" && !rl ? s_.cue_strength : 0;
  const std::vector<std::string>& own =
      rl && !s_.rl_templates.empty() ? s_.rl_templates : s_.sft_templates;
  if (split == "train" || (s_.sft_templates.empty() && s_.rl_templates.empty())) {
    out.templates = own;
    if (!rl && split == "train" && s_.rl_share > 0) {
      out.rare = s_.rl_templates;
      out.rare_share = s_.rl_share;
    }
    return out;
  }
  std::set<std::string> used(s_.sft_templates.begin(), s_.sft_templates.end());
  used.insert(s_.rl_templates.begin(), s_.rl_templates.end());
  for (const auto& t : synth::templates()) {
    const bool trained =
        used.count(std::string(t.id)) > 0 || (s_.sft_templates.empty() && !t.is_new);
    if (trained != (split == "test_new")) out.templates.emplace_back(t.id);
  }
  return out;
}

void RunData::write(const std::function<void(const std::string&)>& say) {
  const std::string folder = at_.data();
  config_ = model_config(s_);
  if (published_) open_checkpoint();
  if (own_) {
    files_ = digests();
    io::make_folders(folder);
    io::write_file(folder + "/split.jsonl", own_->split_lines());
    return;
  }
  if (s_.suite == "words") {
    for (const WordFile& file : word_files()) write_words(file);
    files_ = digests();
    return;
  }
  if (files_.empty() && !digests().empty()) say("using the problems that are already in " + folder);
  const int size = static_cast<int>(config_.vit.image);
  write_suite(folder, "train", s_.train_scenes, s_.data_seed, size, suite_options("train", false));
  if (has_rl_problems(s_))
    write_suite(rl_folder(), "train", s_.train_scenes, s_.data_seed, size,
                suite_options("train", true));
  for (const auto& part : test_parts())
    write_suite(folder, part, part == "test_new" ? s_.test_new : s_.test_known, s_.test_seed, size,
                suite_options(part, false));
  if (s_.validate_every > 0 && s_.split != "val")
    write_suite(folder, "val", s_.validate_scenes, s_.test_seed, size, suite_options("val", false));
  files_ = digests();
}

void RunData::set_tokenizer(text::Tokenizer tokenizer) {
  tokenizer_.emplace(std::move(tokenizer));
  tokenizer_->save(at_.out + "/tokenizer.json");
  config_.vocabulary = tokenizer_->vocab_size();
  maker_.emplace(*tokenizer_, config_, s_.prompts);
}

std::string RunData::start_weights() const {
  return s_.own.start.empty() ? "" : read_model_files(s_.own.start).weights_file;
}

void RunData::read_own() {
  std::vector<Problem> training, held_out;
  own_->read(training, held_out);
  if (!published_)
    set_tokenizer(s_.own.start.empty() ? build_own_tokenizer(training, s_.prompts.problem)
                                       : read_model_files(s_.own.start).tokenizer);
  for (auto& p : training) train_.push_back(example(std::move(p)));
  for (auto& p : held_out) test_.push_back(example(std::move(p)));
}

Example RunData::example(Problem problem) {
  return published_ ? (*codec_)(std::move(problem)) : (*maker_)(std::move(problem));
}

std::vector<WordFile> RunData::word_files() const {
  const std::string folder = at_.data();
  std::vector<WordFile> out = {{folder, "train", s_.train_scenes, s_.data_seed}};
  if (s_.split == "test") out.push_back({folder, "test", s_.test_known, s_.test_seed});
  if (s_.split == "val" || s_.validate_every > 0)
    out.push_back({folder, "val", s_.validate_scenes, s_.test_seed});
  return out;
}

void RunData::read_word_suite() {
  std::map<std::string, std::vector<Problem>> parts;  // by split
  for (const WordFile& file : word_files()) parts[file.split] = read_words(file);
  if (!published_) set_tokenizer(build_own_tokenizer(parts["train"], s_.prompts.problem));
  for (Problem& p : parts["train"]) train_.push_back(example(std::move(p)));
  for (const Problem& p : parts[s_.split]) test_.push_back(example(p));
  if (s_.validate_every > 0)
    for (Problem& p : parts["val"]) validation_.push_back(example(std::move(p)));
}

void RunData::read() {
  if (own_) return read_own();
  if (s_.suite == "words") return read_word_suite();
  const std::string folder = at_.data();
  auto training = read_suite(folder, "train");
  auto own = has_rl_problems(s_) ? read_suite(rl_folder(), "train") : std::vector<Problem>();
  auto all = training;
  all.insert(all.end(), own.begin(), own.end());
  set_tokenizer(build_tokenizer(all));
  for (auto& p : training) train_.push_back((*maker_)(std::move(p)));
  for (auto& p : own) rl_.push_back((*maker_)(std::move(p)));
  std::set<std::pair<std::string, Form>> seen;
  for (const auto& part : test_parts())
    for (auto& p : read_suite(folder, part)) {
      GAZE_CHECK(seen.emplace(full_index(p), p.form).second, "ablate",
                 suite_file(folder, part, p.form), ": problem ",
                 printable(full_index(p), kShownBytes), " occurs twice");
      test_.push_back((*maker_)(std::move(p)));
    }
  if (s_.validate_every > 0) read_validation();
}

void RunData::read_validation() {
  auto problems = read_suite(at_.data(), "val");
  std::erase_if(problems, [](const Problem& p) { return p.layout_only; });
  const std::size_t pairs = problems.size() / 2;  // the two forms of a scene alternate
  const std::size_t count = std::min(s_.validate_scenes, pairs);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = 2 * (i * pairs / count);
    for (const std::size_t form : {at, at + 1})
      validation_.push_back((*maker_)(std::move(problems[form])));
  }
}

}  // namespace gaze::phyx
