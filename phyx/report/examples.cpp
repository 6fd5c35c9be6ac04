// SPDX-License-Identifier: MIT
// Example completions side by side, with the model's attention drawn over the picture.
//
// A picture is embedded once and shared by all answers to its problem. The overlay is a grid of
// cells with opacity by attention: the mean over all tokens, or by script the token under the
// pointer.
#include "phyx/report/sections.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "phyx/report/attention_overlay.hpp"
#include "phyx/report/completion.hpp"
#include "phyx/report/conditions.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"

namespace gaze::phyx::report {

namespace {

constexpr std::size_t examples_shown = 6;

using Problem = std::vector<const Completion*>;

/// Selects problems that most conditions answered and on which they differ, with alternating forms.
std::vector<Problem> pick_examples(const std::vector<Completion>& all, std::size_t most) {
  std::map<std::pair<std::string, std::string>, Problem> by_problem;
  for (const auto& c : all) by_problem[{c.form, c.index}].push_back(&c);
  std::map<std::string, std::vector<std::pair<double, Problem>>> by_form;
  for (const auto& [key, answers] : by_problem) {
    double right = 0, mapped = 0;
    for (const auto* c : answers) {
      right += c->correct;
      mapped += !c->maps.empty();
    }
    const double disagreement = std::min(right, double(answers.size()) - right);
    by_form[key.first].emplace_back(4.0 * double(answers.size()) + disagreement + mapped, answers);
  }
  for (auto& [form, list] : by_form)
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Problem> out;
  for (std::size_t i = 0; out.size() < most; ++i) {
    const std::size_t before = out.size();
    for (const auto& [form, list] : by_form)
      if (i < list.size() && out.size() < most) out.push_back(list[i].second);
    if (out.size() == before) break;
  }
  return out;
}

/// Tokens with their attention maps for the script; plain text without maps.
std::string answer_text(const Completion& c) {
  if (c.tokens.empty() || c.tokens.size() != c.maps.size()) return escape(c.text);
  std::string out;
  for (std::size_t t = 0; t < c.tokens.size(); ++t) {
    std::string values;
    for (int v : opacities(c.maps[t])) values += (values.empty() ? "" : " ") + std::to_string(v);
    out += "<span data-map=\"" + values + "\">" + escape(c.tokens[t]) + "</span>";
    const bool spaced = t + 1 == c.tokens.size() || c.tokens[t].empty() ||
                        c.tokens[t].back() == ' ' || c.tokens[t].back() == '\n' ||
                        c.tokens[t + 1].empty() || c.tokens[t + 1].front() == ' ' ||
                        c.tokens[t + 1].front() == '\n';
    if (!spaced) out += " ";
  }
  return out;
}

std::string answer_card(const Context& context, const Completion& c,
                        const std::optional<EmbeddedImage>& image, const std::string& id) {
  std::string scores;
  for (const auto& [name, v] : c.rewards)
    scores +=
        (scores.empty() ? "" : " · ") + escape(name) + " " + brief(std::round(v * 1000) / 1000);
  std::string out = "<div class=\"answer\"><h4><span class=\"" + context.style(c.condition) +
                    "\">" + escape(c.condition) + "</span>";
  out +=
      c.correct ? "<span class=\"right\">✓ right</span>" : "<span class=\"wrong\">✗ wrong</span>";
  out += "</h4>\n";
  if (image && !c.maps.empty()) out += overlay(c, *image, id);
  out += tag("div", "class=\"text\"", answer_text(c)) + "\n";
  return out +
         tag("div", "class=\"scores\"",
             scores + (scores.empty() ? "" : "<br>") + "seed " + std::to_string(c.seed) +
                 ", step " + std::to_string(c.step)) +
         "</div>\n";
}

std::string example(const Context& c, const Problem& problem, std::size_t number) {
  const Completion& first = *problem.front();
  const std::string id = "picture" + std::to_string(number);
  std::optional<EmbeddedImage> image;
  for (const auto* c : problem)
    if (!image) image = embed_image(*c);
  std::string out =
      "<div class=\"example\">\n" + tag("p", "class=\"note\"",
                                        "Problem " + escape(first.index) +
                                            (first.form.empty() ? "" : " · " + escape(first.form)));
  out += "<div class=\"task\">";
  if (image) {
    const std::string w = coordinate(image->width), h = coordinate(image->height);
    out += "<svg class=\"picture\" viewBox=\"0 0 " + w + " " + h +
           "\" role=\"img\"><title>The problem's picture</title><image id=\"" + id + "\" width=\"" +
           w + "\" height=\"" + h + "\" href=\"" + image->uri + "\"/></svg>\n";
  } else {
    out += tag("p", "class=\"note\"", "(no picture that can be shown)");
  }
  out += "<div>" + tag("p", "class=\"question\"", escape(first.question)) +
         paragraph("Right answer: <b>" + escape(first.answer) + "</b>") + "</div></div>\n";
  std::map<std::string, const Completion*> by_condition;
  std::set<std::string> names;
  for (const auto* c : problem) {
    by_condition[c->condition] = c;
    names.insert(c->condition);
  }
  out += "<div class=\"answers\">\n";
  for (const auto& name : ordered_conditions(names))
    out += answer_card(c, *by_condition[name], image, id);
  return out + "</div></div>\n";
}

}  // namespace

std::string examples_section(const Context& c) {
  const auto problems = pick_examples(c.data.completions, examples_shown);
  if (problems.empty())
    return section("examples", "Examples", missing("No completions were recorded."));
  std::string body = paragraph(
      "The last recorded answer of every condition to the same problem, selected where conditions "
      "differ. Orange cells show the model's attention while writing, relative to its most and "
      "least attended patches (mean over the response; point at a word to see its attention).");
  for (std::size_t i = 0; i < problems.size(); ++i) body += example(c, problems[i], i + 1);
  return section("examples", "Examples", body);
}

}  // namespace gaze::phyx::report
