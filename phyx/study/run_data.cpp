// SPDX-License-Identifier: MIT
// Writing, checking and reading the problems.
#include "phyx/study/run_data.hpp"

#include <cstddef>
#include <set>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "models/presets.hpp"
#include "phyx/run_config.hpp"
#include "phyx/synth/files.hpp"
#include "phyx/synth/suite.hpp"
#include "phyx/train/vocabulary.hpp"

namespace gaze::phyx {

void RunData::expect(const io::Json& files) {
  files_ = files;
  digests();
}

std::vector<std::string> RunData::test_parts() const {
  if (s_.split == "val") return {"val"};
  return {"test_known", "test_new"};
}

io::Json RunData::digests() const {
  std::vector<std::string> parts = test_parts();
  parts.insert(parts.begin(), "train");
  io::Json now = suite_digests(at_.data(), parts);
  const io::Json own = suite_digests(rl_folder(), {"train"});
  if (has_rl_problems(s_))
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
  if (files_.empty() && !digests().empty()) say("using the problems that are already in " + folder);
  config_ = models::preset(s_.model);
  config_.bf16 = s_.precision == "bf16";
  const int size = static_cast<int>(config_.vit.image);
  write_suite(folder, "train", s_.train_scenes, s_.data_seed, size, suite_options("train", false));
  if (has_rl_problems(s_))
    write_suite(rl_folder(), "train", s_.train_scenes, s_.data_seed, size,
                suite_options("train", true));
  for (const auto& part : test_parts())
    write_suite(folder, part, part == "test_new" ? s_.test_new : s_.test_known, s_.test_seed, size,
                suite_options(part, false));
  files_ = digests();
}

void RunData::read() {
  const std::string folder = at_.data();
  auto training = read_suite(folder, "train");
  auto own = has_rl_problems(s_) ? read_suite(rl_folder(), "train") : std::vector<Problem>();
  auto all = training;
  all.insert(all.end(), own.begin(), own.end());
  tokenizer_.emplace(build_tokenizer(all));
  tokenizer_->save(at_.out + "/tokenizer.json");
  config_.vocabulary = tokenizer_->vocab_size();
  maker_.emplace(*tokenizer_, config_, s_.prompts);
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
}

}  // namespace gaze::phyx
