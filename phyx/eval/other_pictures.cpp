// SPDX-License-Identifier: MIT
// Finding partners by template, form, answer and look facts.
#include "phyx/eval/other_pictures.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "phyx/answer/strict_rule.hpp"

namespace gaze::phyx {

namespace {

bool needs_picture(const Example& e) { return e.problem.needs_image && e.prompt.rgb; }

/// Whether two problems have one answer, one picture or the same facts in it, so that swapping
/// would show nothing. Questions of a template print numbers of their own: with the same facts in
/// the picture, the problem keeps its answer though the partner's is another.
bool same_answer_or_picture(const Example& a, const Example& b) {
  const Solution &x = a.problem.solution, &y = b.problem.solution;
  if (!x.look.empty() && x.look == y.look) return true;
  if (x.value != y.value || x.unit != y.unit) return false;
  if (!x.value.empty()) return true;
  const bool same = truth_of(a.problem).text == truth_of(b.problem).text;
  return same || a.prompt.rgb == b.prompt.rgb;
}

}  // namespace

std::vector<std::size_t> swap_partners(const std::vector<Example>& examples) {
  std::map<std::string, std::vector<std::size_t>> families;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const Problem& p = examples[i].problem;
    families[p.template_id + (p.form == Form::mc ? "/mc" : "/oe")].push_back(i);
  }
  std::vector<std::size_t> partner(examples.size());
  for (const auto& [name, members] : families)
    for (std::size_t i = 0; i < members.size(); ++i) {
      partner[members[i]] = members[i];
      for (std::size_t step = 1; step < members.size(); ++step) {
        const std::size_t other = members[(i + step) % members.size()];
        if (same_answer_or_picture(examples[members[i]], examples[other])) continue;
        partner[members[i]] = other;
        break;
      }
    }
  return partner;
}

Pixels swapped_picture(const std::vector<Example>& all, const std::vector<std::size_t>& partner,
                       std::size_t i) {
  const bool some = needs_picture(all[i]) && partner[i] != i;
  return some ? all[partner[i]].prompt.rgb : nullptr;
}

std::vector<Pixels> blank_pictures(std::span<const Example> batch) {
  std::vector<Pixels> out;
  for (const Example& e : batch)
    out.push_back(needs_picture(e)
                      ? std::make_shared<const std::vector<std::uint8_t>>(e.prompt.rgb->size(), 255)
                      : nullptr);
  return out;
}

std::vector<Pixels> swapped_pictures(std::span<const Example> batch, std::size_t first,
                                     const std::vector<Example>& all,
                                     const std::vector<std::size_t>& partner) {
  std::vector<Pixels> out;
  for (std::size_t i = 0; i < batch.size(); ++i)
    out.push_back(swapped_picture(all, partner, first + i));
  return out;
}

}  // namespace gaze::phyx
