// SPDX-License-Identifier: MIT
// The top of the report: facts about the run, missing data, the main result, and descriptions of
// rewards and conditions; and the glossary.
#include "phyx/report/sections.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/decision.hpp"
#include "phyx/results/run_name.hpp"
#include "phyx/rewards/registry.hpp"

namespace gaze::phyx::report {

namespace {

/// The first value under one of `keys`, at the top of a configuration or one level below.
std::optional<io::Json> config_value(const RunData& data, const std::vector<std::string>& keys) {
  for (const auto& config : data.configs) {
    if (!config.is_object()) continue;
    for (const auto& key : keys)
      if (config.contains(key)) return config[key];
    for (const auto& [name, inner] : config.items())
      for (const auto& key : keys)
        if (inner.is_object() && inner.contains(key)) return inner[key];
  }
  return std::nullopt;
}

/// Whether the runs trained adapters of a published checkpoint.
bool of_checkpoint(const RunData& data) { return config_value(data, {"checkpoint"}).has_value(); }

/// Whether the warm start learnt from corrupted responses.
bool corrupted(const RunData& data) {
  const auto share = config_value(data, {"corruption.share", "corruption"});
  return !share || !share->is_number() || share->get<double>() > 0;
}

std::string plain_text(const io::Json& v) {
  if (v.is_string()) return v.get<std::string>();
  if (v.is_array()) {
    std::string out;
    for (const auto& item : v) out += (out.empty() ? "" : ", ") + plain_text(item);
    return out;
  }
  if (v.is_number_float()) return brief(v.get<double>());
  // The appendix shows the whole object.
  if (v.is_object()) return v.contains("name") ? plain_text(v["name"]) : "";
  return v.dump();
}

std::string duration_text(double seconds) {
  if (seconds < 120) return fixed(seconds, 0) + " s";
  if (seconds < 7200) return fixed(seconds / 60, 0) + " min";
  return fixed(seconds / 3600, 1) + " h";
}

struct Fact {
  const char* name;
  std::vector<std::string> keys;
  bool own_model = false;  // says nothing about a published checkpoint
};

const std::vector<Fact>& fact_table() {
  static const std::vector<Fact> facts = {
      {"Preset", {"preset"}},
      {"Model", {"model", "model_preset"}},
      {"Precision", {"precision"}},
      {"Parameters", {"parameters", "parameter_count"}},
      {"Corruption of the warm start", {"corruption.share", "corruption"}, true},
      {"Device", {"device", "processor", "cpu"}},
      {"Instruction set", {"instruction_set", "isa"}},
      {"Threads", {"threads"}},
      {"Version", {"version"}},
      {"Started", {"started", "start_time", "time"}}};
  return facts;
}

std::string fact(const std::string& name, const std::string& value) {
  if (value.empty()) return "";
  return "<div>" + tag("dt", "", escape(name)) + tag("dd", "", escape(value)) + "</div>";
}

std::string facts(const Context& c) {
  std::string out = "<dl class=\"facts\">";
  for (const auto& f : fact_table())
    if (const auto v = config_value(c.data, f.keys); v && !(f.own_model && of_checkpoint(c.data)))
      out += fact(f.name, plain_text(*v));
  double seconds = 0;
  for (const auto& config : c.data.configs)
    if (const auto t = config.find("seconds"); t != config.end() && t->is_number())
      seconds += t->get<double>();
  if (seconds > 0) out += fact("Duration", duration_text(seconds));
  std::set<std::string> seeds;
  for (const auto& s : c.seeds) seeds.insert(s.second);
  std::string listed;
  for (const auto& seed : seeds) listed += (listed.empty() ? "" : ", ") + seed;
  out += fact("Seeds", listed);
  if (!c.conditions.empty())
    out +=
        fact("Tested", std::to_string(c.conditions.size()) + " conditions, " +
                           std::to_string(seeds.size()) + (seeds.size() == 1 ? " seed" : " seeds"));
  for (const auto& condition : c.conditions)
    if (const auto* r = c.results.find(condition, "accuracy_greedy")) {
      out += fact("Test problems", std::to_string(r->n));
      break;
    }
  return out + "</dl>\n";
}

/// Lists conditions without results, and notes from reading.
std::string gaps(const Context& c) {
  std::vector<std::string> lacking;
  for (const auto& [name, meaning] : declared_conditions(c.data.configs)) {
    const auto has = [&, n = name](const std::string& tested) {
      return without_point(tested) == n;
    };
    if (std::none_of(c.conditions.begin(), c.conditions.end(), has)) lacking.push_back(name);
  }
  std::string out;
  if (!c.conditions.empty() && !lacking.empty()) {
    std::string list;
    for (const auto& l : lacking) list += (list.empty() ? "" : ", ") + l;
    out += missing("No test results for: " + list +
                   ". Comparisons with them are shown as not measured.");
  }
  for (const auto& note : c.data.notes) out += missing(note);
  return out;
}

/// The conditions at a point of a grid with the best pooled value of a metric on held-out problems
/// of known templates: several if they share it.
std::vector<const ResultRow*> best_rows(const Context& c, const std::string& point,
                                        const std::string& metric) {
  std::vector<const ResultRow*> best;
  for (const auto& condition : c.conditions) {
    const auto* r = c.results.find(condition, metric, "known");
    if (grid_point(condition) != point || !r) continue;
    if (!best.empty() && r->value > best[0]->value) best.clear();
    if (best.empty() || r->value == best[0]->value) best.push_back(r);
  }
  return best;
}

/// Whether all test results are of one seed.
bool one_seed(const Context& c) {
  std::set<std::string> seeds;
  for (const auto& s : c.seeds) seeds.insert(s.second);
  return seeds.size() == 1;
}

/// The best condition of a metric and its gain on the warm start; if 0 is within the gain's
/// interval, that no condition is clearly ahead. Without a warm start, or if conditions share the
/// best value, no winner is named.
std::string gain_sentence(const Context& c, const std::string& point, const char* metric,
                          const char* how) {
  const auto best = best_rows(c, point, metric);
  const std::string sft = c.data.start + point;
  const auto* start = c.results.find(sft, metric, "known");
  if (best.empty()) return "";
  const std::string answers = "For " + std::string(how) + " answers, ";
  if (!start) return answers + "there is no result of the warm start to compare with. ";
  const std::string from = percent_text(*start) + " for the warm start. ";
  if (best[0]->value == start->value)
    return answers + "no condition is more accurate than the warm start: " + percent_text(*start) +
           ". ";
  if (best.size() > 1)
    return answers + std::to_string(best.size()) +
           " conditions share the highest accuracy: " + percent_text(*best[0]) + ", against " +
           from;
  const std::string name = escape(without_point(best[0]->condition));
  const auto* gain =
      c.results.find(best[0]->condition, std::string(metric) + "_vs_" + c.data.start, "known");
  if (gain && decide(interval_of(*gain), 0) == Verdict::above)
    return answers + "<b>" + name + "</b> has the highest accuracy: " + percent_text(*best[0]) +
           ", against " + from;
  return answers +
         "no condition is clearly more accurate than the warm start: " + percent_text(*best[0]) +
         " for " + name + ", " + from;
}

/// The sentences of each point of a grid, or of a study without one.
std::string gain_sentences(const Context& c) {
  std::set<std::string> points;
  for (const auto& condition : c.conditions) points.insert(grid_point(condition));
  constexpr std::size_t most = 8;
  if (points.size() > most)
    return "This is a grid of " + std::to_string(points.size()) +
           " points; the tables show each of them. ";
  std::string out;
  for (const auto& point : points) {
    const std::string sentences = gain_sentence(c, point, "accuracy_sampled", "sampled") +
                                  gain_sentence(c, point, "accuracy_greedy", "greedy");
    if (!sentences.empty() && !point.empty()) out += "<b>At " + escape(point.substr(2)) + ":</b> ";
    out += sentences;
  }
  return out;
}

/// What was trained on what.
std::string lead(const RunData& data) {
  if (!of_checkpoint(data))
    return "A small vision-language model was trained to answer physics problems from a diagram "
           "and a text, and then trained further from this warm start with different rewards. This "
           "page shows what each reward changed: accuracy, format, reasoning, and attention on the "
           "picture.";
  const auto supervised = config_value(data, {"clean_steps"});
  const bool taught = supervised && supervised->is_number() && supervised->get<double>() > 0;
  return std::string(
             "LoRA adapters of a published checkpoint were trained with different rewards; "
             "its own weights stayed as they are. Called the warm start here: the "
             "checkpoint") +
         (taught ? " after supervised training on responses" : " itself") +
         ". This page shows what each reward changed: accuracy, format, reasoning, and attention "
         "on the picture if the model sees one.";
}

/// What the problems are, as a limitation.
std::string problems_text(const RunData& data) {
  if (const auto own = config_value(data, {"own"}))
    return "The test problems are held-out rows of one's own data: " + escape(plain_text(*own)) +
           ".";
  if (const auto suite = config_value(data, {"suite"}); suite && *suite == "words")
    return "The problems are small calculations in words, far easier than PhyX.";
  return "The problems are synthetic: correct physics, but few templates and a small vocabulary.";
}

}  // namespace

std::string headline(const Context& c, const std::string& title) {
  std::string out = tag("h1", "", escape(title)) + "\n";
  out += tag("p", "class=\"lead\"", lead(c.data));
  out += facts(c) + gaps(c);
  const std::string short_answer = gain_sentences(c);
  if (!short_answer.empty()) {
    std::string words = "On held-out problems of known templates: " + short_answer;
    out += paragraph(words +
                     "The best of several conditions is partly luck. Brackets contain 95&nbsp;% "
                     "intervals" +
                     std::string(one_seed(c) ? "; with one seed they cover scenes only, so they "
                                               "say nothing about other seeds."
                                             : " over seeds and scenes."));
  }
  return out;
}

namespace {

/// A list of the registered rewards that the conditions use.
std::string reward_list(const Context& c) {
  const std::vector<std::string> known = reward_names();
  std::set<std::string> listed;
  std::string out;
  for (const UsedReward& use : used_rewards(c.data.configs))
    if (std::binary_search(known.begin(), known.end(), use.kind) && listed.insert(use.kind).second)
      out += "<li><b>" + escape(use.kind) + "</b> – " + escape(reward_kind(use.kind).doc) + "</li>";
  return out.empty() ? "" : "<ul>" + out + "</ul>\n";
}

}  // namespace

std::string rewards_section(const Context& c) {
  std::string body = paragraph(
      "In GRPO the model writes several answers to each problem; a reward scores them, and answers "
      "with a score above their group's mean become more likely.");
  body += reward_list(c);
  body += "<h3>Conditions</h3>\n<div class=\"scroll\"><table class=\"words plain\"><tbody>";
  for (const auto& [name, meaning] : declared_conditions(c.data.configs))
    body += "<tr>" + condition_header(c, name) + tag("td", "", escape(meaning)) + "</tr>";
  return section("rewards", "The rewards and the conditions", body + "</tbody></table></div>\n");
}

std::string glossary_section(const RunData& data) {
  static constexpr std::array<std::array<const char*, 2>, 12> words = {{
      {"Greedy, sampled",
       "The answer with the most likely token at each step; answers drawn by the model's "
       "probabilities. A gain in sampled accuracy alone can mean that the model only samples the "
       "better of its existing answers more often."},
      {"MC, OE",
       "Multiple choice (a letter; guessing gets a quarter right) and open-ended (a value)."},
      {"Known, new",
       "Held-out problems of templates seen in training, and problems of templates "
       "never trained on."},
      {"Strict, official",
       "Strict: this project's rule, which requires one clear answer. Official: PhyX's own "
       "matching rules."},
      {"Among parseable", "Accuracy over the responses from which an answer could be read."},
      {"Principle, unit",
       "Share of responses that name the right physical principle; that have a consistent unit."},
      {"Attention on the image",
       "Mean share of the attention of generated tokens on image tokens. More is not necessarily "
       "better."},
      {"Blanked, swapped",
       "Accuracy with an empty picture, or with the picture of another problem of the same "
       "template."},
      {"pass@k", "Probability that at least one of k samples is right (unbiased estimate)."},
      {"Reward, KL, entropy",
       "Mean reward of a step; divergence from the warm start, and entropy of the next token "
       "(both in nats)."},
      {"Groups with equal rewards",
       "Groups whose answers all got the same reward, so that they have no gradient."},
      {"95 % interval",
       "Student's t over seeds combined with scenes resampled by leaving one out; both forms and "
       "all "
       "samples of a scene are one cluster, and differences are paired by scene and seed. With one "
       "seed: scenes only. Wilson's interval for few scenes."},
  }};
  std::string body = "<dl class=\"glossary\">";
  for (const auto& w : words) body += tag("dt", "", escape(w[0])) + tag("dd", "", escape(w[1]));
  std::vector<std::string> limits = {
      of_checkpoint(data)
          ? "What a reward does to one checkpoint, with adapters and few steps, need not hold for "
            "another model or for longer training."
          : "The model is trained from scratch and is far smaller than the study's 2-billion-"
            "parameter one; agreement is weak evidence, and disagreement no refutation. On the "
            "real PhyX test the model is near chance.",
      problems_text(data),
      "The study's exact rewards and settings were not available; this project uses its own.",
      "Behaviour that no reward constrains varies by seed; one seed is anecdotal: its intervals "
      "cover scenes only.",
      "Only the declared comparisons are corrected for their number. Elsewhere about one interval "
      "in twenty misses the true value."};
  if (corrupted(data))
    limits.push_back(
        "The warm start is deliberately corrupted (the corruption share), so part of "
        "every gain only undoes that.");
  body += "</dl>\n<h3>Limitations</h3>\n<ul>";
  for (const std::string& limit : limits) body += tag("li", "", limit);
  return section("glossary", "Glossary and limitations", body + "</ul>\n");
}

}  // namespace gaze::phyx::report
