// SPDX-License-Identifier: MIT
// Composing the lines for a program, and looking its answers up.
#include "phyx/rewards/exec_reward.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/base64.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"

namespace gaze::phyx {

namespace {

io::OrderedJson problem_json(const Problem& p, bool picture) {
  io::OrderedJson out = {{"index", p.index},
                         {"split", p.split},
                         {"form", p.form == Form::mc ? "mc" : "oe"},
                         {"question", p.question},
                         {"options", io::OrderedJson::array()},
                         {"answer", p.answer},
                         {"category", p.category},
                         {"subfield", p.subfield},
                         {"reasoning", p.reasoning},
                         {"template", p.template_id},
                         {"needs_image", p.needs_image},
                         {"has_image", !p.image.empty()}};
  if (p.form == Form::mc) out["options"] = p.options;
  out["solution"] = {{"look", p.solution.look},
                     {"principle", p.solution.principle},
                     {"steps", p.solution.steps},
                     {"value", p.solution.value},
                     {"unit", p.solution.unit}};
  if (picture) out["image"] = io::base64_encode(p.image);
  return out;
}

/// The mean mass of each token over layers and heads, by mark, rounded to 6 decimals.
io::OrderedJson attention_json(const AttentionTrace& trace) {
  if (trace.tokens == 0) return nullptr;
  const auto size = [](int n) { return static_cast<std::size_t>(std::max(n, 0)); };
  const std::size_t rows = size(trace.layers) * size(trace.heads), marks = trace.marks.size();
  GAZE_CHECK(rows > 0 && trace.mass.size() == size(trace.tokens) * rows * marks, "exec_reward",
             "attention trace has ", trace.mass.size(), " masses, its sizes say ",
             size(trace.tokens) * rows * marks);
  io::OrderedJson mass = io::OrderedJson::object();
  for (std::size_t m = 0; m < marks; ++m) {
    std::vector<double> means;
    for (std::size_t t = 0; t < size(trace.tokens); ++t) {
      double sum = 0;
      for (std::size_t r = 0; r < rows; ++r) sum += trace.mass[(t * rows + r) * marks + m];
      means.push_back(std::round(sum / static_cast<double>(rows) * 1e6) / 1e6);
    }
    mass[trace.marks[m]] = means;
  }
  return {{"image_tokens", trace.image_tokens},
          {"region_tokens", trace.region_tokens},
          {"keys", trace.keys},
          {"mass", std::move(mass)}};
}

std::string line_key(const std::string& digest, const std::string& line) {
  return io::sha256(digest + '\n' + line);
}

/// Adds the number of lines of the batch that follow, so that a program can tell the batch's end.
std::string with_remaining(std::string line, std::size_t remaining) {
  line.pop_back();  // the closing brace
  return line + ",\"remaining\":" + std::to_string(remaining) + "}";
}

constexpr int largest_batch = 65536;
constexpr const char* exec_cheats = "Whatever the program does not check.";

/// The state shared by the copies of a reward.
class ExecReward {
 public:
  ExecReward(const std::vector<std::string>& exec, const ExecRewardSettings& settings)
      : settings_(settings), exec_(exec), digest_(program_digest(exec)) {
    program_.emplace(exec_, settings.program);
    GAZE_CHECK(settings.batch >= 1 && settings.batch <= largest_batch, "exec_reward",
               program_->name(), ": batch must be 1 to ", largest_batch, ", got ", settings.batch);
    GAZE_CHECK(
        std::isfinite(settings.low) && std::isfinite(settings.high) && settings.low < settings.high,
        "exec_reward", program_->name(), ": low must be below high, got ", settings.low, " and ",
        settings.high);
    if (!settings.answers.empty()) cache_.emplace(settings.answers);
  }

  const std::string& digest() const { return digest_; }

  /// From now on, answers and log are in these files.
  void keep_files(const std::string& stem) {
    settings_.program.log = stem + ".log";
    program_.emplace(exec_, settings_.program);
    cache_.emplace(stem + ".answers.jsonl");
  }

  std::vector<std::optional<double>> score(std::span<const RewardInput> inputs) {
    std::vector<std::string> keys;
    std::vector<std::pair<std::string, std::string>> unknown;  // keys and lines
    std::set<std::string> seen;
    for (const RewardInput& in : inputs) {
      std::string line = completion_json(in, settings_.picture);
      keys.push_back(line_key(digest_, line));
      if (!cache_->find(keys.back()) && seen.insert(keys.back()).second)
        unknown.emplace_back(keys.back(), std::move(line));
    }
    ask(unknown);
    std::vector<std::optional<double>> out;
    for (const auto& key : keys) out.push_back(*cache_->find(key));
    return out;
  }

 private:
  void ask(std::span<const std::pair<std::string, std::string>> unknown) {
    if (unknown.empty()) return;
    for (auto rest = unknown; !rest.empty();) {
      const auto batch =
          rest.first(std::min(rest.size(), static_cast<std::size_t>(settings_.batch)));
      rest = rest.subspan(batch.size());
      std::vector<std::string> lines;
      for (std::size_t i = 0; i < batch.size(); ++i)
        lines.push_back(with_remaining(batch[i].second, batch.size() - 1 - i));
      const auto answers = program_->ask(lines);
      for (const auto& answer : answers)
        GAZE_CHECK(!answer || (*answer >= settings_.low && *answer <= settings_.high),
                   "exec_reward", program_->name(), ": answered ", *answer,
                   ", outside its range of ", settings_.low, " to ", settings_.high);
      for (std::size_t i = 0; i < batch.size(); ++i) cache_->add(batch[i].first, answers[i]);
    }
    cache_->sync();
  }

  ExecRewardSettings settings_;
  std::vector<std::string> exec_;
  std::optional<ExternalProgram> program_;
  std::string digest_;
  std::optional<AnswerCache> cache_ = AnswerCache();
};

}  // namespace

AnswerCache::AnswerCache(const std::string& path) {
  log_.emplace(path, "{\"key\"");
  log_->read_whole_lines([&](const std::string& line, std::size_t number) {
    const std::string where = path + " line " + std::to_string(number);
    const auto j = io::parse_json(line, where);
    const auto &key = io::json_at(j, "key", where), &answer = io::json_at(j, "answer", where);
    GAZE_CHECK(key.is_string() && (answer.is_number() || answer.is_null()), "answer_cache", where,
               ": not a text and a number or null");
    std::optional<double> value;
    if (answer.is_number()) value = answer.get<double>();
    answers_.emplace(key.get<std::string>(), value);
  });
}

const std::optional<double>* AnswerCache::find(const std::string& key) const {
  const auto found = answers_.find(key);
  return found == answers_.end() ? nullptr : &found->second;
}

void AnswerCache::add(const std::string& key, std::optional<double> answer) {
  GAZE_CHECK(!find(key), "answer_cache", "key '", printable(key, kShownBytes),
             "' has an answer already");
  if (log_) {
    io::OrderedJson line = {{"key", key}, {"answer", nullptr}};
    if (answer) line["answer"] = *answer;
    log_->line(io::dump_json(line, log_->path()));
  }
  answers_.emplace(key, answer);
}

void AnswerCache::sync() {
  if (log_) log_->sync();
}

std::string completion_json(const RewardInput& in, bool picture) {
  const Completion& c = in.completion;
  const io::OrderedJson out = {{"text", c.text},
                               {"ended", c.ended},
                               {"length", c.length},
                               {"well_formed", in.response.well_formed},
                               {"think", in.response.think},
                               {"answer", in.response.answer},
                               {"tokens", c.tokens},
                               {"attention", attention_json(c.attention)},
                               {"problem", problem_json(in.problem, picture)}};
  return out.dump(-1, ' ', false, io::OrderedJson::error_handler_t::replace);
}

std::string program_digest(const std::vector<std::string>& exec) {
  std::string all;
  for (const auto& word : exec) {
    std::error_code error;
    const bool file = std::filesystem::is_regular_file(word, error);
    all += io::sha256(word) + (file ? io::sha256_file(word) : "-") + '\n';
  }
  return io::sha256(all);
}

Reward make_exec_reward(const std::string& name, const std::vector<std::string>& exec,
                        const ExecRewardSettings& settings) {
  const auto shared = std::make_shared<ExecReward>(exec, settings);
  std::string words;
  for (const auto& word : exec) words += (words.empty() ? "" : " ") + printable(word, kShownBytes);
  Reward out;
  out.name = name;
  out.doc = "the program: " + words;
  out.formula = "one number per completion, from the program";
  out.cheats = exec_cheats;
  out.low = settings.low;
  out.high = settings.high;
  out.score = [shared](const RewardInput& in) { return shared->score({&in, 1}).front(); };
  out.score_batch = [shared](std::span<const RewardInput> inputs) { return shared->score(inputs); };
  out.keep_files = [shared](const std::string& stem) { shared->keep_files(stem); };
  out.program = shared->digest();
  return out;
}

RewardKind exec_kind() {
  struct Config {
    std::vector<std::string> exec;
    ExecRewardSettings settings;
  };
  OptionTable<Config> table;
  table.add("exec", &Config::exec, "the program and its arguments");
  table.require();
  const auto add = [&](const char* name, auto field, const char* meaning, OptionRange range = {}) {
    table.add(
        name, [field](Config & c) -> auto& { return field(c.settings); }, meaning,
        std::move(range));
  };
  using S = ExecRewardSettings;
  add("batch", [](S & s) -> auto& { return s.batch; }, "completions per batch", {1, largest_batch});
  add(
      "low", [](S & s) -> auto& { return s.low; }, "lowest answer that is accepted");
  add(
      "high", [](S & s) -> auto& { return s.high; }, "highest answer that is accepted");
  add(
      "picture", [](S & s) -> auto& { return s.picture; }, "send the encoded picture, as base64");
  const OptionRange seconds{ProgramSettings::least_seconds, ProgramSettings::most_seconds};
  add(
      "seconds", [](S & s) -> auto& { return s.program.seconds; }, "time limit of a batch",
      seconds);
  add("restarts", [](S & s) -> auto& { return s.program.restarts; },
      "attempts at a batch after the first", {0});
  add(
      "end_seconds", [](S & s) -> auto& { return s.program.end_seconds; },
      "grace before SIGTERM, and again before SIGKILL", seconds);
  RewardKind out;
  out.name = "exec";
  out.doc = "The score of a program of your own, in any language.";
  out.formula = "one number or null per completion, from the program";
  out.cheats = exec_cheats;
  out.options = table.options();
  out.make = [table](const io::Json& all) {
    const Config c = table.read(all);
    return make_exec_reward("exec", c.exec, c.settings);
  };
  return out;
}

}  // namespace gaze::phyx
