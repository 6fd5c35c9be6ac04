// SPDX-License-Identifier: MIT
// gaze score.
#include "phyx/scoring/score.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folder_lock.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/data_options.hpp"
#include "phyx/scoring/judge_http.hpp"

namespace gaze::phyx::cli {

namespace {

void print_table(const std::vector<ScoreSlice>& table, bool judged) {
  std::printf("%-4s %-46s %6s %8s %10s%s\n", "", "", "n", "strict", "official",
              judged ? "    judge" : "");
  std::string kind;
  for (const ScoreSlice& s : table) {
    if (!kind.empty() && s.kind != kind) std::printf("\n");
    kind = s.kind;
    const std::string name = s.kind == "overall" ? s.kind : s.kind + ": " + printable(s.name, 200);
    const auto percent = [&](std::size_t hits) {
      return 100 * static_cast<double>(hits) / static_cast<double>(s.n);
    };
    std::printf("%-4s %-46s %6zu %7.2f%% %9.2f%%", s.format.c_str(), name.c_str(), s.n,
                percent(s.strict), percent(s.official));
    if (judged) std::printf(" %7.2f%%", percent(s.judge));
    std::printf("\n");
  }
}

/// Prints how often the two rules differ, with a few examples of each kind.
void print_differences(const std::vector<ScoredRow>& rows) {
  constexpr int shown = 3;
  std::array<std::vector<const ScoredRow*>, 2> kinds;
  for (const auto& row : rows)
    if (row.differ()) kinds[row.official.match].push_back(&row);
  const std::size_t all = kinds[0].size() + kinds[1].size();
  std::printf("\nstrict and official differ on %zu of %zu (%.2f %%)\n", all, rows.size(),
              100 * static_cast<double>(all) / static_cast<double>(rows.size()));
  for (const int official : {0, 1}) {
    const auto& some = kinds[static_cast<std::size_t>(official)];
    if (some.empty()) continue;
    std::printf("right only by the %s rule: %zu\n", official ? "official" : "strict", some.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(shown, some.size()); ++i) {
      const Prediction& p = some[i]->prediction;
      std::printf("  %s %s  truth \"%s\"  prediction \"%s\"\n",
                  p.problem.form == Form::mc ? "MC" : "OE", printable(p.problem.index, 40).c_str(),
                  printable(p.official_answer, 40).c_str(), printable(p.text, 90).c_str());
    }
  }
}

struct ScoreOptions {
  PredictionFiles files;
  DataOptions data;
  std::string out, rules = "latest";
  JudgeServer server;
  std::string prompts, cache, key_variable = "GAZE_JUDGE_KEY";
  bool any_prompts = false;

  void add(CLI::App& app) {
    app.add_option("--predictions", files.predictions, "JSONL or TSV with a column prediction")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--data", files.data,
                   "PhyX files with the truths, unless the predictions contain them")
        ->check(CLI::ExistingFile);
    data.add(app);
    app.add_option("--rules", rules, "version of the official rules: latest or 2025-05")
        ->check(CLI::IsMember({"latest", "2025-05"}))
        ->capture_default_str();
    app.add_option("--out", out, "output folder for scores per row, tables and results.csv");
    add_judge(app);
  }

  void add_judge(CLI::App& app) {
    auto* url =
        app.add_option("--judge", server.url,
                       "also score by a language model at this address, http(s)://host[/v1]");
    const auto option = [&](const char* name, auto& to, const char* meaning) {
      return app.add_option(name, to, meaning)->needs(url);
    };
    option("--judge-model", server.model, "name of the language model")->required(false);
    option("--judge-prompts", prompts, "the official phyx.py, which contains the prompts")
        ->check(CLI::ExistingFile);
    app.add_flag("--judge-any-prompts", any_prompts, "accept prompts of another version")
        ->needs(url);
    option("--judge-cache", cache, "file for cached replies; default: judge.jsonl in --out");
    option("--judge-key", key_variable, "environment variable with the API key")
        ->capture_default_str();
    option("--judge-timeout", server.reply_seconds, "time limit of one attempt in seconds")
        ->check(above_zero)
        ->capture_default_str();
    option("--judge-tries", server.tries, "attempts per call")->transform(whole(1, 100));
    option("--judge-wait", server.first_wait,
           "seconds before the second attempt; doubled after each")
        ->check(not_negative);
  }

  void run() {
    files.reading = data.options();
    if (!server.url.empty()) check_judge();
    auto set = read_predictions(files);
    if (set.unanswered > 0)
      std::fprintf(stderr, "%zu problems of the data have no prediction and are not counted\n",
                   set.unanswered);
    auto rows = score_rows(std::move(set.predictions),
                           rules == "latest" ? OfficialRules::latest : OfficialRules::may_2025);
    // Read the prompts before creating the folder, and write files before printing, which fails if
    // the reader of a pipe has gone.
    std::optional<JudgePrompts> texts;
    if (!server.url.empty()) texts = judge_prompts();
    std::optional<io::FolderLock> lock;
    if (!out.empty()) {
      lock.emplace(out);
      check_scores_folder(out, files.predictions);
    }
    if (texts) judge_all(rows, *texts);
    if (!out.empty()) write_scores(out, files.predictions, rows);
    print_table(score_table(rows), texts.has_value());
    print_differences(rows);
    if (const std::size_t n = noted(rows); n > 0)
      std::printf("right by the strict rule although the direction is missing: %zu\n", n);
  }

  void check_judge() const {
    server_address(server.url);
    GAZE_CHECK(!server.model.empty(), "score", "--judge needs --judge-model");
    GAZE_CHECK(!prompts.empty(), "score", "--judge needs --judge-prompts, the official phyx.py");
  }

  JudgePrompts judge_prompts() const {
    return any_prompts ? JudgePrompts::parse(io::read_file(prompts, 1 << 20), prompts)
                       : JudgePrompts::read(prompts);
  }

  void judge_all(std::vector<ScoredRow>& rows, const JudgePrompts& texts) {
    if (const char* key = std::getenv(key_variable.c_str())) server.key = key;
    catch_signals();
    Progress progress;
    const Listener told = listener(progress);
    Judge judge = http_judge(server, told.stop);
    std::string path = cache;
    if (path.empty() && !out.empty()) path = out + "/judge.jsonl";
    std::optional<JudgeCache> memory;
    if (path.empty()) {
      std::fprintf(stderr, "without --judge-cache or --out, the judge's replies are not cached\n");
    } else {
      memory.emplace(path);
      judge = memory->wrap(server.model, judge);
    }
    ask_the_judge(rows, texts, judge, told);
    if (const std::size_t n = undecided(rows); n > 0)
      std::fprintf(stderr,
                   "%zu rows have no judgement and count as wrong; run the same command again to "
                   "repeat the failed calls\n",
                   n);
  }
};

}  // namespace

void add_score(CLI::App& app) {
  add_command<ScoreOptions>(app, "score", "score the predictions of any model by every rule");
}

}  // namespace gaze::phyx::cli
