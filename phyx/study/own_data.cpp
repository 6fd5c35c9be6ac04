// SPDX-License-Identifier: MIT
// Checking rows and settings before a run.
#include "phyx/study/own_data.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/image/decode.hpp"
#include "gaze/io/sha256.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/data/own_data.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/eval/trained_model.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/prompt_template.hpp"

namespace gaze::phyx {

namespace {

std::string digest_of(const std::vector<std::uint8_t>& bytes) {
  return io::sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// The rows that are held out together: those with the same picture or, without one, the same
/// question, whatever its form.
std::string group_of(const Problem& p) {
  return p.image.empty() ? io::sha256(bare_prompt(p.question)) : digest_of(p.image);
}

/// The name of a file without its folder.
std::string shown_name(const std::string& file) {
  return printable(std::filesystem::path(file).filename().string(), kShownBytes);
}

/// Decodes the picture to find a damaged one before the work starts.
void check_picture(const Problem& p, const RecordPlace& place, bool in_file) {
  try {
    image::decode_image(std::span<const std::uint8_t>(p.image), "picture");
  } catch (const Error& e) {
    const std::string what = e.what();
    place.fail(in_file ? "image" : "image_base64", what.substr(what.find("] ") + 2));
  }
}

}  // namespace

std::string own_names(const OwnDataSettings& own) {
  std::string out;
  for (const std::string& file : own.files()) out += (out.empty() ? "" : ", ") + shown_name(file);
  return out;
}

std::string own_paths(const OwnDataSettings& own) {
  std::string out;
  std::vector<std::string> paths = own.files();
  paths.push_back(own.start);
  for (const std::string& path : paths)
    out += (path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string()) + "\n";
  return out;
}

LoadOptions own_reading(const AblationSettings& s) {
  LoadOptions out;
  out.pictures_optional = from_checkpoint(s);
  out.pictures = model_config(s).sees();
  return out;
}

namespace {

void check_files(const OwnDataSettings& own) {
  const char* name = own.file.empty() ? "own.phyx" : "own.file";
  if (!own.file.empty() && !own.phyx.empty())
    throw SettingError({"own.file", "own.phyx"}, "either own.file or own.phyx, not both");
  std::set<std::string> names;  // they stand in config.json and split.jsonl
  for (const std::string& file : own.files()) {
    if (!std::filesystem::exists(file))
      throw SettingError({name}, concat(name, ": there is no ", file));
    if (!names.insert(shown_name(file)).second)
      throw SettingError({name}, concat(name, ": two files are named ", shown_name(file)));
  }
}

/// Settings of our own models, which a run on a published checkpoint does without.
void settle_checkpoint(AblationSettings& s) {
  const auto require = [](bool good, const char* name, const std::string& text) {
    if (!good) throw SettingError({name}, text);
  };
  require(s.own.used() != (s.suite == "words"), "model",
          "model: a published checkpoint needs either a file of own data (own.file, --data) or "
          "data.suite = \"words\"");
  require(s.own.start.empty(), "own.start", "own.start: the start is the checkpoint " + s.model);
  require(s.own.prompt.empty(), "own.prompt",
          "own.prompt: a published checkpoint has checkpoint.prompt");
  if (s.own.used()) {
    check_files(s.own);
    s.validate_every = 0;  // own data have no validation split
  }
  require(!s.evaluation.gold_look, "evaluation.gold_look",
          "evaluation.gold_look: a published checkpoint has no look section");
  WarmStartSettings& w = s.warm;
  w.letter_steps = w.vision_steps = w.caption_steps = w.mixed_steps = 0;
  w.corruption.share = 0;
  s.evaluation.pictures = false;
}

}  // namespace

void settle_own_data(AblationSettings& s) {
  OwnDataSettings& own = s.own;
  if (from_checkpoint(s)) return settle_checkpoint(s);
  if (!own.used() && !(own.start.empty() && own.prompt.empty()))
    throw SettingError({own.start.empty() ? "own.prompt" : "own.start"},
                       "a start and a prompt template need a file of own data");
  if (own.used() && s.suite == "words")
    throw SettingError({"own.file", "data.suite"}, "either a file of own data or data.suite words");
  if (!own.used() && s.suite != "words") return;
  check_files(own);
  if (!own.start.empty())
    blame({"own.start"}, [&] {
      const ModelFiles start = read_model_files(own.start);
      s.model = models::size_name(start.config);
      s.prompts.problem = start.prompts.problem;
    });
  if (!own.prompt.empty()) {
    blame({"own.prompt"}, [&] { check_prompt_template(own.prompt, "the template"); });
    s.prompts.problem = own.prompt;
  }
  WarmStartSettings& w = s.warm;
  w.letter_steps = w.vision_steps = w.caption_steps = w.mixed_steps = w.caption_picks = 0;
  w.captions = w.picks = 0;
  w.letter_weight = w.letters_stage_weight = 1;
  w.corruption.share = 0;
  if (own.used()) s.validate_every = 0;  // own data have no validation split
}

OwnDataNeeds OwnDataNeeds::of(const AblationSettings& s) {
  OwnDataNeeds out;
  if (s.warm.clean_steps > 0) out.responses = "supervised training";
  for (const Condition& c : s.conditions) {
    if (!wanted(s, c) || c.method == Method::none) continue;
    out.answers = true;  // also supervised arms, whose cost is compared with one of GRPO
    const RewardMix mix = mix_of(c, s.reward_options);
    for (std::size_t i = 0; i < c.rewards.size(); ++i)
      for (const auto& f : required_fields(c.rewards[i].kind, mix.terms[i].reward.options))
        out.fields.push_back(f);
    if (c.method == Method::sft && out.responses.empty()) out.responses = "the condition " + c.name;
  }
  return out;
}

std::string phyx_response(const Problem& p) {
  return concat(grammar.think_open, " ", p.subfield.empty() ? p.category : p.subfield, " ",
                grammar.think_close, " ", grammar.answer_open, " ", text::squeeze(p.answer), " ",
                grammar.answer_close);
}

/// A row without its texts and picture.
struct OwnData::Row {
  std::string file;
  RecordPlace place;  // of which `file` is the name
  bool answer = false, response = false;
  std::vector<bool> fields;  // by entry of OwnDataNeeds::fields
};

OwnData::OwnData(const OwnDataSettings& settings, const OwnDataNeeds& needs, LoadOptions reading)
    : s_(settings), reading_(std::move(reading)) {
  reading_.own = s_.phyx.empty();
  const auto rows = survey(needs.fields);
  GAZE_CHECK(!rows.empty(), "own_data", s_.files().front(), ": no rows");
  held_out_ = held_out(pictures_, s_.hold_out, s_.hold_out_seed);
  check(rows, needs);
  if (!s_.start.empty()) record_start();
}

void OwnData::each(const Use& use) const {
  for (const std::string& file : s_.files()) {
    ProblemReader reader(file, reading_);
    while (auto p = reader.next()) {
      if (!reading_.own) p->response = phyx_response(*p);
      use(file, reader, std::move(*p));
    }
  }
}

std::vector<OwnData::Row> OwnData::survey(const std::vector<RequiredField>& fields) {
  std::vector<Row> rows;
  std::map<std::string, io::Sha256> separate;  // the pictures beside each file
  each([&](const std::string& file, const ProblemReader& reader, Problem&& p) {
    const bool beside = reader.own() ? reader.own()->picture_in_file() : reader.pictures_beside();
    if (!p.image.empty()) check_picture(p, reader.place(), beside || !reading_.own);
    rows.push_back({file, reader.place(), !p.answer.empty(), !p.response.empty(), {}});
    for (const RequiredField& f : fields) rows.back().fields.push_back(f.present(p));
    lines_.push_back(reader.row());
    file_names_.push_back(shown_name(file));
    ids_.push_back(p.index);
    pictures_.push_back(group_of(p));
    if (reading_.pictures && beside) separate[file_names_.back()].update(pictures_.back() + "\n");
  });
  for (const std::string& file : s_.files()) files_[shown_name(file)] = io::sha256_file(file);
  for (auto& [name, pictures] : separate) files_[name + ", pictures"] = pictures.digits();
  return rows;
}

void OwnData::check(const std::vector<Row>& rows, const OwnDataNeeds& needs) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const RecordPlace place{row.place.where, row.file, row.place.unit, row.place.number};
    if (held_out_[i]) {
      place.check(row.answer, "answer", "missing; held-out rows are evaluated");
      continue;
    }
    if (!row.answer && needs.answers) place.fail("answer", "missing; training by reward needs it");
    if (!row.response && !needs.responses.empty())
      place.fail("response", "missing; " + needs.responses + " needs it");
    for (std::size_t k = 0; k < needs.fields.size(); ++k) {
      const RequiredField& f = needs.fields[k];
      if (!row.fields[k])
        place.fail(f.name, "missing; the reward " + std::string(f.kind) + " needs it");
    }
  }
}

void OwnData::record_start() {
  const ModelFiles start = read_model_files(s_.start);
  files_["start, weights"] = io::sha256_file(start.weights_file);
  files_["start, tokenizer"] = io::sha256_file(start.tokenizer_file);
}

std::string OwnData::split_lines() const {
  std::string out;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    io::OrderedJson line;
    if (s_.files().size() > 1) line["file"] = file_names_[i];
    line["line"] = lines_[i];
    line["id"] = ids_[i];
    line["picture"] = pictures_[i];
    line["part"] = held_out_[i] ? "held_out" : "train";
    out += io::dump_json(line, file_names_[i]) + "\n";
  }
  return out;
}

void OwnData::read(std::vector<Problem>& train, std::vector<Problem>& held_out) const {
  std::size_t i = 0;
  each([&](const std::string& file, const ProblemReader& reader, Problem&& p) {
    GAZE_CHECK(i < ids_.size() && group_of(p) == pictures_[i], "own_data", file, " ",
               reader.place().unit, " ", reader.row(), ": changed while the run was starting");
    (held_out_[i++] ? held_out : train).push_back(std::move(p));
  });
  GAZE_CHECK(i == ids_.size(), "own_data", s_.files().back(),
             ": changed while the run was starting");
}

}  // namespace gaze::phyx
