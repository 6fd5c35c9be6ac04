// SPDX-License-Identifier: MIT
// Units, quantities, and the strict rule against a fair reader's verdicts.
#include "phyx/answer/strict_rule.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "phyx/answer/quantity.hpp"
#include "phyx/answer/units.hpp"
#include "tests/numbers.hpp"
#include "tests/test.hpp"

namespace test_answer {

using namespace gaze::phyx;
using gaze::test::near;

namespace {

Problem open_problem(const std::string& value, const std::string& unit) {
  Problem p;
  p.form = Form::oe;
  p.answer = value;
  p.solution.value = value;
  p.solution.unit = unit;
  return p;
}

Problem real_problem(const std::string& answer) {
  Problem p;
  p.form = Form::oe;
  p.answer = answer;
  return p;
}

Problem choice(const std::array<std::string, 4>& options = {"5 N", "12 N", "20 N", "2 N"}) {
  Problem p;
  p.form = Form::mc;
  p.options = options;
  p.answer = "B";
  return p;
}

bool right(const Problem& p, const std::string& answer) {
  return judge_strict(p, "<think> a </think> <answer> " + answer + " </answer>").correct;
}

}  // namespace

TEST_CASE("units convert, and incompatible units are refused", "[units]") {
  const auto same = [](double v, const char* from, const char* to, double want) {
    INFO(from << " -> " << to);
    const auto got = convert(v, from, to);
    REQUIRE(got.has_value());
    CHECK_THAT(*got, near(want, 1e-6));
  };
  same(3.6, "km/h", "m/s", 1);
  same(1, "N·m", "J", 1);
  same(1, "kg·m/s²", "N", 1);
  same(1, "m/s^2", "m s⁻²", 1);
  same(1, "Ω", "ohm", 1);
  same(2, "kΩ", "ohms", 2000);
  same(180, "°", "rad", std::numbers::pi);
  same(180, "deg", "radians", std::numbers::pi);
  same(25, "°C", "K", 298.15);
  same(1, "MeV", "eV", 1e6);
  same(1, "eV", "J", 1.602e-19 * 1.00011);
  same(1, "µm", "nm", 1000);
  same(1, "\u03bcm", "\u00b5m", 1);
  same(60, "rpm", "rad/s", 2 * std::numbers::pi);
  same(60, "mph", "km/h", 96.56064);
  same(1, "Å", "m", 1e-10);
  same(2, "D", "1/m", 2);
  same(1, "Joules", "N m", 1);
  same(3, "dB", "dB", 3);
  for (const auto& [a, b] : std::vector<std::pair<const char*, const char*>>{{"N", "J"},
                                                                             {"s", "Hz"},
                                                                             {"Hz", "rad/s"},
                                                                             {"left", "N"},
                                                                             {"", "N"},
                                                                             {"m^1.5", "m"},
                                                                             {"dB", "N"}}) {
    INFO(a << " and " << b);
    CHECK_FALSE(commensurable(a, b));
    CHECK_FALSE(convert(1, a, b).has_value());
  }
  CHECK(commensurable("rad", ""));
  CHECK(known_unit("m/s²"));
  CHECK_FALSE(known_unit("upward"));
  CHECK_FALSE(known_unit(std::string(5000, '(')));
}

TEST_CASE("unit conversion is safe from several threads", "[units]") {
  std::vector<std::thread> threads;
  std::array<int, 4> good{};
  for (std::size_t t = 0; t < good.size(); ++t)
    threads.emplace_back([&good, t] {
      for (int i = 1; i < 500; ++i) {
        const auto unit = std::to_string(i) + " m";
        const auto v = convert(1, unit, "m");
        good[t] += v && std::abs(*v - i) < 1e-9;
      }
    });
  for (auto& t : threads) t.join();
  for (int g : good) CHECK(g == 499);
}

TEST_CASE("quantities are parsed in the forms people write", "[quantity]") {
  const auto is = [](const std::string& text, double value, const std::string& unit) {
    INFO(text);
    const auto q = parse_quantity(text);
    REQUIRE(q.has_value());
    CHECK_THAT(q->value, near(value));
    CHECK(q->unit == unit);
  };
  is("12 N", 12, "N");
  is("12N", 12, "N");
  is("12.", 12, "");
  is("-3.5e-2 m/s^2", -.035, "m/s^2");
  is("1/2", .5, "");
  is("-1/2 m", -.5, "m");
  is("3.2 × 10^4 J", 3.2e4, "J");
  is("3.2 x 10^{-4} J", 3.2e-4, "J");
  is("3.2*10⁴ J", 3.2e4, "J");
  is("10^3 Pa", 1000, "Pa");
  is("2π rad", 2 * std::numbers::pi, "rad");
  is("3π/4", .75 * std::numbers::pi, "");
  is("\\frac{1}{2}", .5, "");
  is("$\\frac{3\\pi}{4}$ rad", .75 * std::numbers::pi, "rad");
  is("\\sqrt{2}/2", std::sqrt(.5), "");
  is("4.0\\,\\text{m/s}", 4, "m/s");
  is("\\boxed{12\\ \\mathrm{N}}", 12, "N");
  is("30°", 30, "°");
  is("30^\\circ", 30, "°");
  is("1,234.5 J", 1234.5, "J");
  is("12,345,678", 12345678, "");
  is("F = 12 N", 12, "N");
  is("F = m a = 12 N", 12, "N");
  is("approximately 12 N", 12, "N");
  is("≈ 12 N.", 12, "N");
  is("12 N to the left", 12, "N");
  is("12 m / s ^ 2", 12, "m/s^2");
  is("5 m s^-1", 5, "m s^-1");
  is("12 apples", 12, "apples");
  is("50 %", 50, "%");
  is("−4 C", -4, "C");
  CHECK(parse_quantity("0.0120 N")->significant == 3);
  CHECK(parse_quantity("1,234")->significant == 4);
}

TEST_CASE("texts with no number or several numbers are not quantities", "[quantity]") {
  for (const std::string text :
       {"", "N", "left", "12 or 13 N", "12 N or 13 N", "12 N, 13 N", "12 N 13 N", "12 ± 1 N",
        "between 12 and 13", "3 * 4 N", "1.2.3", "12 N = 13 N", "not 12 N", "12 N is wrong",
        "12 or more", "1e999", "5 N (6 N)", "1 2 3"}) {
    INFO(text);
    CHECK_FALSE(parse_quantity(text).has_value());
  }
  CHECK_FALSE(parse_quantity(std::string(100000, '1')).has_value());
  CHECK_FALSE(parse_quantity("\\frac{" + std::string(200, '{')).has_value());
}

TEST_CASE("open answers are judged by value, tolerance and unit", "[answer]") {
  const Problem p = open_problem("12", "N");
  for (const std::string good : {"12 N", "12N", "12.1 N", "0.012 kN", "12 kg·m/s²", "F = 12 N",
                                 "approximately 12 N", "\\text{12 N}", "12 newtons", "12"}) {
    INFO(good);
    CHECK(right(p, good));
  }
  for (const std::string bad : {"12.5 N", "-12 N", "12 J", "12 kN", "12 apples", "N", "12 or 13 N",
                                "10 N 12 N 14 N", "left", "3 * 4 N", "?"}) {
    INFO(bad);
    CHECK_FALSE(right(p, bad));
  }
  const auto verdict = [&](const std::string& s) { return judge_answer(p, s); };
  CHECK(verdict("12 N").unit_consistent);
  CHECK(verdict("99 mN").unit_consistent);
  CHECK_FALSE(verdict("12").unit_consistent);
  CHECK_FALSE(verdict("12 J").unit_consistent);
  CHECK_FALSE(verdict("N").parsed);
  CHECK_FALSE(verdict("N").unit_consistent);
  CHECK(judge_answer(p, "12.5 N", {}, {.tolerance = .1}).correct);

  const Problem ratio = open_problem("2", "");
  CHECK(right(ratio, "2"));
  CHECK_FALSE(right(ratio, "2 N"));
  CHECK_FALSE(judge_answer(ratio, "2 N").unit_consistent);
  CHECK(right(open_problem("0", "N"), "0 N"));
  CHECK_FALSE(right(open_problem("0", "N"), "0.1 N"));
  CHECK(right(open_problem("30", "deg"), "30°"));
  CHECK(right(open_problem("-5", "m"), "-500 cm"));
}

TEST_CASE("open answers may be words, and real answers are judged fairly", "[answer]") {
  const Problem word = open_problem("left", "");
  CHECK(right(word, "left"));
  CHECK(right(word, " Left. "));
  CHECK_FALSE(right(word, "left or right"));
  CHECK_FALSE(right(word, "to the left of it"));
  CHECK_FALSE(right(word, "right"));
  CHECK(right(real_problem("28.5°"), "28.5 degrees"));
  CHECK(right(real_problem("4.2 \\times 10^{3} J "), "4.2 kJ"));
  CHECK(right(real_problem("12"), "12 N"));  // the truth names no unit, so any may be meant
  CHECK(right(real_problem("\\frac{mg}{2}"), "\\frac{mg}{2}"));
}

TEST_CASE("multiple choice accepts one clear letter or none", "[answer]") {
  const Problem p = choice();
  for (const std::string good : {"B",
                                 "b",
                                 "(B)",
                                 "B.",
                                 "B)",
                                 "**B**",
                                 "[B]",
                                 "B: 12 N",
                                 "B. 12 N",
                                 "(B) 12 N",
                                 "B - 12 N",
                                 "12 N : B",
                                 "12 N (B)",
                                 "12 N",
                                 "12.0 N",
                                 "Option B",
                                 "The answer is B",
                                 "The correct answer is B: 12 N",
                                 "$\\text{B}$",
                                 "\\boxed{B}",
                                 "B is 12 N"}) {
    INFO(good);
    CHECK(right(p, good));
  }
  for (const std::string bad : {"A",
                                "A B",
                                "A, B",
                                "B or C",
                                "B and C",
                                "A B C D",
                                "ABCD",
                                "A: 5 N B: 12 N C: 20 N D: 2 N",
                                "B: 5 N",
                                "12 N : A",
                                "5 N : B",
                                "B is wrong",
                                "not B",
                                "A block slides to B",
                                "Ball B falls",
                                "12",
                                "13 N",
                                "12 J",
                                "12 N 5 N",
                                "E",
                                "B B",
                                "b c",
                                "bad",
                                "Because"}) {
    INFO(bad);
    CHECK_FALSE(right(p, bad));
  }
  CHECK(judge_answer(p, "(C) 20 N").extracted == "C");
  CHECK(right(choice({"-12 N", "12 N", "1 N", "2 N"}), "B: 12 N"));
  CHECK_FALSE(right(choice({"12 N", "-12 N", "1 N", "2 N"}), "12 N"));
  CHECK(right(choice({"12 N", "-12 N", "1 N", "2 N"}), "B: -12 N"));
  CHECK_FALSE(right(choice({"12 N", "12 N", "1 N", "2 N"}), "12 N"));  // the text is not unique
  CHECK(right(choice({"left", "right", "up", "down"}), "right"));
}

TEST_CASE("the tagged answer counts; without tags, the stated answer", "[answer]") {
  const Problem p = choice();
  CHECK(judge_strict(p, "<think> a <answer> B </answer>").correct);  // one closed answer element
  CHECK_FALSE(judge_strict(p, "<answer> B </answer> <answer> B </answer>").parsed);
  CHECK_FALSE(judge_strict(p, "<think> B </think>").parsed);
  CHECK_FALSE(judge_strict(p, "<think> it is B </think> <answer> A </answer>").correct);
  CHECK_FALSE(judge_strict(p, "<answer> B").parsed);
  for (const std::string good :
       {"B", "First, 2 + 10 = 12.\n\nAnswer: B", "**Answer:** B", "The answer is (B) 12 N.",
        "So we get \\boxed{B}", "Wrong answer: A\nFinal answer: B",
        "The answer is B, because F = ma.", "I think so.\nThe correct option is\nB"}) {
    INFO(good);
    CHECK(judge_strict(p, good).correct);
  }
  for (const std::string bad :
       {"", "Answer: A", "The answer is B, because C is too large", "A body moves to B",
        "The answer is not B", "Answer: A, B, C, D", "Answer: a block at B", "B\nC"}) {
    INFO(bad);
    CHECK_FALSE(judge_strict(p, bad).correct);
  }
  const Problem q = open_problem("12", "N");
  CHECK(judge_strict(q, "We have 3 kg and 4 m/s^2.\nTherefore F = 12 N.").correct);
  CHECK(judge_strict(q, "The final answer is: $12\\,\\text{N}$. Check: 3 * 4.").correct);
  CHECK_FALSE(judge_strict(q, "It is 12 N or maybe 13 N").correct);
}

}  // namespace test_answer
