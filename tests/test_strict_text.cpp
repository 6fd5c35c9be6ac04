// SPDX-License-Identifier: MIT
// Parts of the strict rule: flat text, numbers, units, directions, statements; each in time linear
// in its input. The inputs are so long that quadratic code would take hours.
#include <string>
#include <utility>
#include <vector>

#include "phyx/answer/arithmetic.hpp"
#include "phyx/answer/direction.hpp"
#include "phyx/answer/plain_text.hpp"
#include "phyx/answer/quantity.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/answer/statement.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/answer/units.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/format.hpp"
#include "phyx/rewards/hybrid.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/rewards/rubric.hpp"
#include "tests/test.hpp"

namespace test_strict_text {

using namespace gaze::phyx;

namespace {

std::string repeat(const std::string& part, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += part;
  return out;
}

constexpr std::size_t megabyte = 1 << 20;

Problem open_problem(const std::string& answer) {
  Problem p;
  p.answer = answer;
  return p;
}

Problem choice(const std::string& first) {
  Problem p;
  p.form = Form::mc;
  p.options = {first, "12 N", "20 N", "2 N"};
  p.answer = "B";
  return p;
}

RubricConfig config_of(std::vector<std::string> principles) {
  RubricConfig out;
  out.principles = std::move(principles);
  return out;
}

double value_of(const std::string& text) {
  const auto q = parse_quantity(text);
  return q ? q->value : -1e300;
}

}  // namespace

TEST_CASE("flat text: LaTeX groups keep their meaning", "[text]") {
  using plain_text::flatten, plain_text::plain;
  CHECK(plain("\\frac{1}{2}\\,\\text{m}") == "1/2 m");
  CHECK(flatten("\\frac{1}{2\\pi}") == "1\u2044(2\u03c0)");
  CHECK(flatten("\\frac{a+b}{2}") == "(a+b)\u20442");
  CHECK(flatten("\\frac{a/b}{2}") == "(a/b)\u20442");
  CHECK(flatten("\\frac\\pi2") == "\u03c0\u20442");
  CHECK(flatten("\\frac12") == "1\u20442");
  CHECK(flatten("\\sqrt{12}") == "\u221a12");
  CHECK(flatten("\\sqrt{1+1}") == "\u221a(1+1)");
  CHECK(flatten("2^{1/2}") == "2^(1/2)");
  CHECK(flatten("10^{-19}") == "10^-19");
  CHECK(flatten("25^{\\circ}\\text{C}") == "25\u00b0 C");
  CHECK(flatten("25^{\\circ\\text{C}}") == "25\u00b0 C");
  CHECK(flatten("12\\,000") == "12\u2009000");
  CHECK(plain("12\\,000 N") == "12 000 N");
  CHECK(flatten("1\u00bd") == "1 1\u20442");
  CHECK(flatten("{\\rm m/s^2}") == "m/s^2");
  for (const std::string broken :
       {"\\frac{1}", "\\frac{", "}}}{{{", "\\", "\\sqrt", "^{", "\\frac}{"}) {
    INFO(broken);
    CHECK_NOTHROW(flatten(broken));
    CHECK_FALSE(parse_quantity(broken).has_value());
  }
}

TEST_CASE("numbers: separators, fractions and powers are parsed", "[quantity]") {
  CHECK(value_of("0,500") == .5);
  CHECK(value_of("12,000") == 12000);
  CHECK(value_of("1.234,5") == 1234.5);
  CHECK(value_of("1.234") == 1.234);
  CHECK(value_of("12\u202f000") == 12000);
  CHECK(value_of("1\u00bd") == 1.5);
  CHECK(value_of("2^(3)") == 8);
  CHECK(value_of("10**(-3)") == Catch::Approx(1e-3));
  CHECK(value_of("\\frac{1}{2}\\pi") == Catch::Approx(1.5707963));
  CHECK(value_of("\\frac{1}{2\\pi}") == Catch::Approx(.15915494));
  for (const std::string none : {"1,23,456", "1.2.3", "12 234", "6\u00b12", "6\u21927", "3 * 4",
                                 "-((((((((((1))))))))))", "6 7"}) {
    INFO(none);
    CHECK_FALSE(parse_quantity(none).has_value());
  }
}

TEST_CASE("units: products and quotients are parsed", "[units]") {
  const auto same = [](double v, const char* from, const char* to, double want) {
    INFO(from << " -> " << to);
    const auto got = convert(v, from, to);
    REQUIRE(got.has_value());
    CHECK(*got == Catch::Approx(want));
  };
  same(1, "J/kg\u00b7K", "J/(kg K)", 1);
  same(1, "J/(kg \u00b0C)", "J/kg/K", 1);
  same(9, "J/(kg \u00b0F)", "J/(kg K)", 16.2);
  same(1, "Nm", "N m", 1);
  same(1, "kgm^2/s", "J s", 1);
  same(1, "Nms", "N m s", 1);
  same(1, "mAh", "C", 3.6);
  same(20, "ms^-1", "m/s", 20);
  same(2, "ms^-1", "kHz", 2);
  same(1, "W/m2K", "W m^-2 K^-1", 1);
  same(120, "rpm", "Hz", 2);
  same(120, "rpm", "s^-1", 4 * 3.14159265358979);  // first as an angle; as a count it is 2
  same(3, "cubic metres", "m^3", 3);
  same(1, "metres per second squared", "m/s^2", 1);
  same(25, "C", "degC", 25);
  same(1, "5 m", "m", 5);
  same(2, "Tm^2", "Wb", 2);
  CHECK(conversions(120, "rpm", "s^-1").size() == 2);
  CHECK(*convert(1, "mN", "N") == Catch::Approx(1e-3));
  CHECK(*convert(1, "MN", "N") == Catch::Approx(1e6));
  CHECK(*convert(1, "MW/m^2", "W/m^2") == Catch::Approx(1e6));
  CHECK_FALSE(convert(1, "J K/kg", "J/kg K").has_value());
  CHECK_FALSE(convert(1, "Hz", "rad/s").has_value());
  CHECK_FALSE(convert(1, "C", "J").has_value());
  for (const char* word : {"AC", "NW", "CW", "left", "m^1.5", "m/", "/", "m**", "(m", "m)", "per",
                           "m^999", "()", "m//s", "m since 3", "m @ 3"}) {
    INFO(word);
    CHECK_FALSE(known_unit(word));
  }
}

TEST_CASE("directions: opposites, synonyms and frames are told apart", "[direction]") {
  const auto of = [](const char* truth, const char* answer) {
    return compare(direction_of(truth), direction_of(answer));
  };
  CHECK(of("east", "to the east") == DirectionMatch::same);
  CHECK(of("east", "westward") == DirectionMatch::opposite);
  CHECK(of("east", "north") == DirectionMatch::different);
  CHECK(of("east", "") == DirectionMatch::missing);
  CHECK(of("east", "to the right") == DirectionMatch::missing);  // another frame
  CHECK(of("north-east", "southwest") == DirectionMatch::opposite);
  CHECK(of("north-east", "northwest") == DirectionMatch::different);
  CHECK(of("east", "east west") == DirectionMatch::different);
  CHECK(of("counter-clockwise", "anticlockwise") == DirectionMatch::same);
  CHECK(of("into the page", "out of the paper") == DirectionMatch::opposite);
  CHECK(of("+x direction", "along the negative x-axis") == DirectionMatch::opposite);
  CHECK(of("+x", "+y") == DirectionMatch::different);
  CHECK(of("inward", "away from the centre") == DirectionMatch::opposite);
  CHECK(of("up and to the right", "up") == DirectionMatch::different);
  CHECK(of("west", "away from the east") == DirectionMatch::same);
  CHECK(of("north of east", "north of east") == DirectionMatch::same);
  CHECK(of("north of east", "east of north") == DirectionMatch::different);
  CHECK(direction_of("in the box").empty());
  CHECK(direction_of("for 5 s").empty());
  CHECK(direction_of("to the left").pure);
  CHECK_FALSE(direction_of("to the left of it").pure);
}

TEST_CASE("replies: thinking is removed and statements are found", "[answer]") {
  CHECK(read_reply("<think> a </think> b").text == " b");
  CHECK(read_reply("a </think> b").text == " b");
  CHECK(read_reply("<think> a").text.empty());
  CHECK(read_reply("a <think> b").text.empty());
  CHECK(read_reply("<think> a </think> <answer> b </answer>").text == "b");
  CHECK(read_reply("<think> <answer> a </answer> </think> b").text == " b");
  CHECK(read_reply("<answer> a </answer> <think> b </think>").text == "a");
  CHECK(find_statement("so\nthe answer is:\n\n**B**").text == "answer is:\n\n**B**");
  CHECK(find_statement("x \\boxed{\\boxed{6}} y").text == "6");
  CHECK(find_statement("\\boxed{A} or \\boxed{B}").text.empty());
  CHECK(find_statement("\\boxed{A}\n\\boxed{B}").text == "B");
  CHECK(find_statement("F = 6 N\n\\]\n").text == "F = 6 N");
}

TEST_CASE("a principle of only a bar does not hang the rubric", "[rewards]") {
  Problem p = open_problem("5");
  for (const std::string principle : {"|", "a | b", "| |"}) {
    p.solution.principle = principle;
    Completion c;
    c.text = "<think> principle " + principle + " . " + principle +
             " . so 5 </think> <answer> 5 </answer>";
    CHECK(rubric_terms({p, c}, config_of({"a", "energy conservation"})).principle.has_value());
  }
  p.solution.principle = "energy conservation";
  Completion c;
  c.text = "<think> energy conservation and energy conservation </think> <answer> 5 </answer>";
  CHECK(rubric_terms({p, c}, config_of({"energy conservation", "ohm law"})).principle == 1);
  CHECK(rubric_terms({p, c}, config_of({"energy conservation", "energy"})).principle == 1);
  CHECK(rubric_terms({p, c}, config_of({"energy conservation", "and"})).principle == 0);
}

TEST_CASE("equations with tiny numbers are checked relative to their size", "[rewards]") {
  const auto is_true = [](const std::string& text) {
    const auto all = find_equations(text);
    REQUIRE(all.size() == 1);
    return all[0].holds;
  };
  CHECK(is_true("1.6e-19 * 2 = 3.2e-19"));
  CHECK_FALSE(is_true("1.6e-19 * 2 = 1.6e-19"));
  CHECK_FALSE(is_true("1.6e-6 * 2 = 0"));
  CHECK(is_true("20 * cos 90 = 0"));
  CHECK_FALSE(find_equations("1.6e-19 * 2 = 3.2e-19")[0].trivial);
  CHECK(find_equations("1.6e-19 * 1 = 1.6e-19")[0].trivial);
}

TEST_CASE("replies of megabytes are judged in linear time", "[limits]") {
  const Problem mc = choice("5 N"), oe = open_problem("12 N");
  for (const std::string part : {"<think>",
                                 "</think>",
                                 "<answer>",
                                 "</answer>",
                                 "<",
                                 "answer is ",
                                 "answer: ",
                                 "answer",
                                 "\\boxed{",
                                 "\\boxed{}",
                                 "so principle . ",
                                 "\\text{",
                                 "\\frac{",
                                 "\\pi",
                                 "\\frac",
                                 "$",
                                 "~",
                                 "{",
                                 "}",
                                 "(",
                                 "=",
                                 "approx. ",
                                 "answer is approx. ",
                                 "\n",
                                 "\n-",
                                 " ",
                                 "1",
                                 "1,000",
                                 "1.",
                                 "A ",
                                 "A\n",
                                 "or ",
                                 "\xc2",
                                 "\u2009",
                                 "\u00b5",
                                 "^",
                                 "10^",
                                 "6 N = ",
                                 "is ",
                                 "of "}) {
    INFO(part);
    const std::string text = repeat(part, megabyte);
    judge_strict(mc, text);
    judge_strict(oe, text);
    judge_strict(oe, "the answer is " + text);
    judge_strict(mc, "<think> x </think> <answer> " + text + " </answer>");
    CHECK_FALSE(judge_strict(oe, text).correct);
  }
  CHECK(judge_strict(oe, repeat("answer ", megabyte) + "\nThe answer is 12 N").correct);
}

TEST_CASE("options, truths and questions of megabytes are read in linear time", "[limits]") {
  Completion c;
  c.text =
      "<think> mass = 5 kg . principle a . 5 * 2 = 10 . so 12 N : B </think> <answer> B </answer>";
  for (const std::string part :
       {"\\text{", "\\frac{", "\\pi", "~", "$a", "\\sqrt{", "{", "\\", "^", "\u00b5", "1 ", "a "}) {
    INFO(part);
    const std::string text = repeat(part, megabyte);
    Problem p = choice(text);
    p.question = text;
    CHECK(judge_strict(p, "B").correct);
    CHECK(accuracy_score({p, c}) == 1);
    rubric_terms({p, c});
    p = open_problem(text);
    CHECK_FALSE(judge_strict(p, "12 N").correct);
    CHECK_FALSE(known_unit(text));
    CHECK_FALSE(parse_quantity(text).has_value());
    CHECK(direction_of(text).empty());
    numbers_in(text);
  }
}

TEST_CASE("rewards of long texts take linear time", "[limits]") {
  Problem p = open_problem("12 N");
  p.question = repeat("7.25 ", megabyte);
  p.solution = {{repeat("mass = 5 , ", megabyte)}, "energy conservation", {}, "12", "N"};
  for (int i = 0; i < 4000; ++i) p.solution.steps.push_back(std::to_string(i) + " * 2 = 4");
  const RubricConfig config = config_of({repeat("a", megabyte), "energy conservation"});
  for (const std::string part : {"a", "a ", "5 * 2 = 10 . ", "principle ", "energy conservation ",
                                 "= west , ", "x , ", "1 + "}) {
    for (const std::size_t bytes : {std::size_t{16000}, megabyte}) {
      INFO(part << bytes);
      Completion c;
      c.text = "<think> " + repeat(part, bytes) + " </think> <answer> 12 N </answer>";
      c.attention.tokens = 1;
      const auto terms = rubric_terms({p, c}, config);
      CHECK(terms.answer == 1);
      claims_to_see(p, parse_response(c.text));
      format_score(c);
    }
  }
}

}  // namespace test_strict_text
