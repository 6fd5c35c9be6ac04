// SPDX-License-Identifier: MIT
// The report of a malicious run folder: text stays text, numbers that cannot be printed or drawn
// are left out, and damage is one error with file and line.
#include <sys/stat.h>

#include <filesystem>
#include <regex>
#include <set>

#include "gaze/core/error.hpp"
#include "gaze/core/utf8.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/base64.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/line_file.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/report/attention_overlay.hpp"
#include "phyx/report/charts.hpp"
#include "phyx/report/findings.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/report/page.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"
#include "tests/folder.hpp"
#include "tests/numbers.hpp"
#include "tests/problem_files.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_report_hostile {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test;
using gaze::test::problems::pixel64;
namespace fs = std::filesystem;

const std::string hostile =
    "</script></style></title></pre></svg><script>alert(1)</script><img src=x onerror=alert(2)>"
    "\"' onload='alert(3)' style=\"color:red\" <!-- ]]> &lt; \u2028\u202E\u2066\u200F";

/// A temporary run folder, whose name may be hostile too.
struct Run {
  Folder parent{"report_hostile"};
  fs::path path;

  explicit Run(const std::string& name = "run") : path(parent.path / name) {
    fs::create_directories(path);
  }

  void put(const std::string& name, const std::string& text) const {
    io::write_file((path / name).string(), text);
  }
  std::string page() const {
    write_report(path.string(), {{}, "Title"});
    return io::read_file((path / "report.html").string());
  }
  std::string error() const {
    return error_of([&] { write_report(path.string(), {}); });
  }
};

io::Json completion(const std::string& text, io::Json maps) {
  return {{"condition", text},
          {"seed", 0},
          {"step", 1},
          {"index", text},
          {"form", text},
          {"image", pixel64},
          {"question", text},
          {"answer", text},
          {"text", text},
          {"rewards", {{text, 1.0}}},
          {"correct", true},
          {"attention", {{"grid", {2, 1}}, {"tokens", {text}}, {"maps", std::move(maps)}}}};
}

std::string metric(const std::string& condition, double step, double value) {
  io::Json line = {{"condition", condition}, {"seed", 0}, {"stage", "grpo"}, {"step", step}};
  for (const char* key : {"reward", "kl", "entropy"}) line[key] = value;
  return line.dump() + "\n";
}

std::vector<ResultRow> results(const std::string& condition, double value, double low,
                               double high) {
  std::vector<ResultRow> rows;
  for (const std::string metric : {"accuracy_sampled", "accuracy_greedy", "accuracy_sampled_vs_sft",
                                   "length", "pass@1", "pass@2", "accuracy_blank"})
    for (const char* split : {"known", "new"})
      for (const char* kind : {"overall", "needs_image"})
        rows.push_back({condition, "all", split, "MC", kind, "all", metric, 10, value, low, high});
  const std::vector<ResultRow> one_form = rows;
  for (ResultRow row : one_form) {
    row.format = "all";
    rows.push_back(row);
  }
  return rows;
}

/// Names of the tags in a page, outside its own script and style sheet.
std::set<std::string> tags(std::string page) {
  for (const std::string element : {"script", "style"}) {
    const std::size_t start = page.find("<" + element + ">"), end = page.find("</" + element + ">");
    page.erase(start, end - start);
  }
  std::set<std::string> names;
  for (std::size_t at = page.find('<'); at != page.npos; at = page.find('<', at + 1)) {
    const std::size_t start = at + 1 + (page[at + 1] == '/');
    names.insert(page.substr(start, page.find_first_of(" >/\n", start) - start));
  }
  return names;
}

/// Checks that the page has only its own tags, and no script or style attribute.
void check_inert(const std::string& page) {
  static const std::set<std::string> own = {
      "!DOCTYPE", "a",     "b",      "body",    "br",         "button", "circle", "dd",
      "details",  "div",   "dl",     "dt",      "figcaption", "figure", "footer", "g",
      "h1",       "h2",    "h3",     "h4",      "head",       "header", "html",   "i",
      "image",    "li",    "line",   "main",    "meta",       "nav",    "p",      "polyline",
      "pre",      "rect",  "script", "section", "small",      "span",   "style",  "summary",
      "svg",      "table", "tbody",  "td",      "text",       "th",     "thead",  "title",
      "tr",       "ul",    "use"};
  for (const auto& name : tags(page)) {
    INFO(name);
    CHECK(own.count(name) == 1);
  }
  CHECK(occurrences(page, "<script") == 1);
  CHECK(occurrences(page, "</script") == 1);
  CHECK(occurrences(page, "</style") == 1);
  for (const char* mark : {"\u2028", "\u202E", "\u2066", "\u200F", "\x1b"})
    CHECK(occurrences(page, mark) == 0);
  CHECK_FALSE(std::regex_search(page, std::regex("<[^>]*\\s(style|on[a-z]+)=")));
}

}  // namespace

TEST_CASE("text of a hostile run stays text in every field", "[report]") {
  const Run run("<script>alert(1)<img src=x>\u202E\x1b");
  io::Json config = {{"preset", hostile}, {hostile, {{hostile, {hostile}}}}, {"seconds", hostile}};
  config["device"] = {{"name", hostile}};
  run.put("config.json", config.dump());
  auto rows = results(hostile, 0.5, 0.4, 0.6);
  for (ResultRow row : results("sft", 0.5, 0.4, 0.6)) {
    row.seed = row.slice = row.metric = hostile;
    rows.push_back(row);
  }
  write_results((run.path / "results.csv").string(), rows);
  run.put("metrics.jsonl", metric(hostile, 1, 0.5) + metric(hostile, 2, 0.6) + "{\"cut");
  run.put("completions.jsonl", completion(hostile, {{0.1, 0.2}}).dump() + "\n");
  run.put("differing.jsonl", io::Json{{"condition", hostile},
                                      {"index", hostile},
                                      {"form", hostile},
                                      {"answer", hostile},
                                      {"text", hostile},
                                      {"correct", true}}
                                     .dump() +
                                 "\n");
  write_report(run.path.string(), {{}, hostile});
  const std::string page = io::read_file((run.path / "report.html").string());
  check_inert(page);
  CHECK(occurrences(page, "&lt;script&gt;alert(1)") > 20);
  CHECK(occurrences(page, "onerror=alert(2)&gt;&quot;&#39; onload=") > 20);
  CHECK(contains(page, "metrics.jsonl line 3 is truncated"));
}

TEST_CASE("bytes of a hostile run that are not UTF-8 become visible", "[report]") {
  const Run run;
  write_results((run.path / "results.csv").string(),
                results("a\xFF\xC0\xAF\xED\xA0\x80z", 0.5, 0.4, 0.6));
  const std::string page = run.page();
  CHECK(contains(page, "a\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDz"));
  CHECK(is_utf8(page));
}

TEST_CASE("the page's security policy names its script and its style sheet by hash", "[report]") {
  const std::string page = Run().page();
  const std::size_t start = page.find("content=\"default-src 'none'");
  REQUIRE(start != page.npos);
  const std::string policy = page.substr(start, page.find("\">", start) - start);
  CHECK_FALSE(contains(policy, "unsafe"));
  for (const std::string element : {"script", "style"}) {
    const std::size_t first = page.find("<" + element + ">") + element.size() + 2;
    const std::string text = page.substr(first, page.find("</" + element + ">") - first);
    const std::string digits = io::sha256(text);
    std::smatch found;
    REQUIRE(std::regex_search(policy, found,
                              std::regex(element + "-src 'sha256-([A-Za-z0-9+/=]{44})'")));
    std::string hex;
    for (const auto byte : io::base64_decode(found[1].str())) {
      constexpr const char* nibbles = "0123456789abcdef";
      hex += {nibbles[byte / 16], nibbles[byte % 16]};
    }
    CHECK(hex == digits);
  }
  check_inert(page);
}

TEST_CASE("numbers of a hostile run that cannot be printed or drawn are left out", "[report]") {
  const Run run;
  auto rows = results("accuracy", 1e70, -1e300, 1.7e308);
  for (const auto& row : results("rubric", -1e70, -1.7e308, -1e-300)) rows.push_back(row);
  for (const auto& row : results("sft", 0.5, 0.4, 0.6)) rows.push_back(row);
  write_results((run.path / "results.csv").string(), rows);
  std::string lines;
  for (const double value : {1.7e308, -1.7e308, 1e20, 1e20 + 16384, 1e-300, 0.0})
    for (const double step : {1e17, 1e17 + 16, 1.7e308, -1e300, 1.0})
      lines += metric("accuracy", step, value) + metric("rubric", step, -value);
  for (const double step : {1e17, 1e17 + 16, 1e17 + 32})
    lines += metric("hybrid", step, 1e20 + step);
  run.put("metrics.jsonl", lines);
  run.put("config.json", R"({"threads":1e300,"seconds":1.7e308,"parameters":-1e-300})");
  auto shown = completion("accuracy", {{3e38, -3e38}, {nullptr, 1e300}, {nullptr, nullptr}});
  shown["rewards"] = {{"large", 1.7e308}, {"small", -1e-300}};
  shown["attention"]["tokens"] = {"a", "b", "c"};
  run.put("completions.jsonl", shown.dump() + "\n");
  const std::string page = run.page();
  check_inert(page);
  CHECK(contains(page, "+1e+72"));  // 1e70 as points
  CHECK_FALSE(std::regex_search(page, std::regex("=\"[^\"]*\\b(nan|inf)")));
  CHECK(page.size() < 400000);
}

TEST_CASE("attention maps are drawn without their non-finite values", "[report]") {
  using report::opacities;
  CHECK(opacities(std::vector<double>{0.1, not_a_number, 0.3, 0.2}) == std::vector{0, 0, 75, 37});
  CHECK(opacities(std::vector<double>{not_a_number, not_a_number}) == std::vector{0, 0});
  CHECK(opacities(std::vector<double>{1, infinity, -infinity, 2}) == std::vector{0, 0, 0, 75});
  CHECK(opacities(std::vector<float>{3e38f, -3e38f}) == std::vector{75, 0});
  const Run run;
  for (const char* maps : {"[[null,0.5]]", "[[3e38,-3e38]]", "[[1e300,-1e300],[0.5,0.25]]"}) {
    run.put("completions.jsonl", completion("sft", io::Json::parse(maps)).dump() + "\n");
    CHECK(occurrences(run.page(), "class=\"cell\"") == 2);
  }
  run.put("completions.jsonl", completion("sft", io::Json::parse(R"([["a", 0.5]])")).dump() + "\n");
  CHECK(contains(run.error(), "completions.jsonl line 1, attention.maps: not a number"));
}

TEST_CASE("all numbers can be written, finite or not", "[report]") {
  CHECK(signed_points(1e70) == "+1e+72");
  CHECK(signed_points(-1e70) == "\u22121e+72");
  CHECK(signed_points(1.7e308) == "–");
  CHECK(signed_points(not_a_number) == "–");
  CHECK(report::fixed(123456789012345, 1) == "123456789012345.0");
  CHECK(report::fixed(1e15, 1) == "1e+15");
  CHECK(report::fixed(-infinity, 1) == "–");
  CHECK(report::percent(1.7e308) == "–");
  CHECK(report::coordinate(1e300) == "0.00");
  CHECK(report::ticks(1e17, 1e17 + 16, 5).size() < 20);
  CHECK(report::ticks(0, 1, 0.25) == std::vector<double>{0, 0.25, 0.5, 0.75, 1});
}

TEST_CASE("results contain only numbers that can be read back", "[report]") {
  std::vector<Outcome> some(3);
  for (std::size_t i = 0; i < some.size(); ++i) {
    some[i].index = std::to_string(i);
    some[i].split = "known";
    some[i].greedy.attention = 3e38f;  // their sum overflows float
    some[i].sampled = {some[i].greedy, some[i].greedy};
  }
  const auto rows = summarise({{{"sft", 0}, some}});
  CHECK(rows.size() > 10);
  CHECK(results_from_csv(results_to_csv(rows), "results.csv").size() == rows.size());
  const Run run;
  const std::string path = (run.path / "outcomes.jsonl").string();
  io::Json outcome = outcome_to_json(some[0]);
  outcome["greedy"]["attention"] = {1e300};
  run.put("outcomes.jsonl", "{\"condition\":\"sft\",\"seed\":0}\n" + outcome.dump() + "\n");
  CHECK(contains(error_of([&] { read_outcomes(path); }),
                 path + " line 2, greedy, attention: 1e+300"));
}

TEST_CASE("pictures with impossible names or sizes are left out of their example", "[report]") {
  const Run run;
  REQUIRE(::mkfifo((run.path / "pipe.png").c_str(), 0600) == 0);
  std::string wide;
  for (const auto byte : io::base64_decode(pixel64)) wide += static_cast<char>(byte);
  wide.replace(16, 4, std::string("\x00\x01\x00\x00", 4));  // 65536 pixels wide
  run.put("wide.png", wide);
  for (const std::string& name :
       {std::string(300, 'a') + ".png", std::string(5000, 'b'), std::string("missing.png"),
        std::string("a\0b.png", 7), std::string("pipe.png"), std::string("wide.png"),
        std::string("config.json/x.png"), std::string("/dev/zero"), hostile}) {
    INFO(name.substr(0, 20));
    auto line = completion("sft", io::Json::array());
    line["image"] = name;
    run.put("completions.jsonl", line.dump() + "\n");
    CHECK(contains(run.page(), "(no picture that can be shown)"));
  }
}

TEST_CASE("damaged and endless logs cause one error with file and line", "[report]") {
  const Run run;
  const std::string good = metric("sft", 1, 0.5);
  const auto said = [&](const std::string& name, const std::string& text) {
    run.put(name, text);
    const std::string error = run.error();
    CHECK(error.find('\n') == error.npos);
    CHECK(error.size() < 3000);
    fs::remove(run.path / name);
    return error;
  };
  for (const char* name : {"metrics.jsonl", "completions.jsonl", "differing.jsonl"}) {
    INFO(name);
    const std::string second = std::string(name) + " line 2";
    const std::string first = std::string(name) == "metrics.jsonl" ? good : "\n";
    CHECK(contains(said(name, first + std::string(100, '\0') + "\n\n\n"), second));
    CHECK(contains(said(name, first + std::string(100000, '[') + "\n{}\n{}\n"), second));
    CHECK(contains(said(name, first + "\x1b[2J\n{}\n{}\n"), second));
    CHECK(contains(said(name, first + "3\n{}\n{}\n"), second + ": not a JSON object"));
  }
  CHECK(contains(said("metrics.jsonl", good + std::string((64u << 20) + 1, ' ')),
                 "metrics.jsonl line 2: longer than 67108864 bytes"));
  CHECK(contains(said("metrics.jsonl", R"({"step":1,"seed":18446744073709551615})"
                                       "\n{}\n"),
                 "metrics.jsonl line 1, seed: 18446744073709551615 is too large"));
  CHECK(
      contains(said("config.json", std::string((1 << 20) + 1, ' ')), "config.json: 1048577 bytes"));
  CHECK(contains(said("outcomes.jsonl", "{\"condition\":\"a\",\"seed\":0}\n\n"),
                 "outcomes.jsonl line 2"));
}

TEST_CASE("lines of any length are read completely, with or without a final newline", "[report]") {
  const Run run;
  const std::string path = (run.path / "lines").string();
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{65534},
                                   std::size_t{65535}, std::size_t{65536}, std::size_t{200000}}) {
    INFO(length);
    const std::string long_line(length, 'a');
    for (const std::string end : {"", "\n"}) {
      run.put("lines", "b\n" + long_line + "\nc" + end);
      io::LineFile in(path, "read");
      std::string line;
      REQUIRE(in.next(line));
      CHECK(line == "b");
      REQUIRE(in.next(line));
      CHECK((line == long_line));
      CHECK_FALSE(in.last());
      REQUIRE(in.next(line));
      CHECK(line == "c");
      CHECK(in.where() == path + " line 3");
      CHECK(in.last());
      CHECK_FALSE(in.next(line));
    }
  }
  run.put("lines", "");
  std::string line;
  CHECK_FALSE(io::LineFile(path, "read").next(line));
}

TEST_CASE("a page has a bounded number of conditions", "[report]") {
  const Run run;
  std::string lines;
  for (int i = 0; i < 1001; ++i) lines += metric("c" + std::to_string(i), 1, 0.5);
  run.put("metrics.jsonl", lines);
  CHECK(contains(run.error(), "1001 conditions; a page shows at most 1000"));
}

}  // namespace test_report_hostile
