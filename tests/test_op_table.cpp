// SPDX-License-Identifier: MIT
// The table of operations is complete: every public function of gaze/ops that returns a tensor has
// a row, every row's header, kernel, cases and benchmark exist, and docs/ops.md is generated from
// the table, with the signatures and formulas of the headers.
//
//   GAZE_WRITE_DOCS=1 ./run test -R op_table     rewrites docs/ops.md
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "gaze/ops/table.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_op_table {
namespace {

using namespace gaze;
using gaze::test::contains;
using gaze::test::difference;
namespace fs = std::filesystem;

const fs::path root = gaze::test::repository_path("");

std::string read(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A public function that returns a tensor: "Tensor scale(Tensor x, T factor)", and the first
/// paragraph of its comment.
struct Declared {
  std::string name, signature, formula;
};

/// The declaration that begins in `line` and ends before the body, without qualifiers.
std::string shortened(std::string line, std::istream& text) {
  for (std::string more; !contains(line, ") {") && std::getline(text, more);) line += more;
  line.resize(line.find(") {") + 1);
  for (const auto& [what, instead] : std::vector<std::pair<std::string, std::string>>{
           {" +", " "},
           {"const |inline |&", ""},
           {"std::type_identity_t<(T|Weight<T, Device>)>", "$1"},
           {"<(T, )?Device>", ""},
           {"<U, Device>", "<U>"},
           {"\\binput\\b", "x"},
           {"_input\\b", ""}})
    line = std::regex_replace(line, std::regex(what), instead);
  return line;
}

/// The functions of a header outside namespace detail, one for each overload.
std::vector<Declared> functions_of(const fs::path& header) {
  static const std::regex function(
      "^(?:inline )?(?:Tensor|Indices|Mask|Sorted|LogProb|AttentionResult)\\b"
      "(?:<[^()]*>)? (\\w+)\\(");
  static const std::regex macro(R"(^GAZE_(UNARY|COMPARISON)\((\w+), )");
  std::vector<Declared> out;
  std::stringstream text(read(header));
  std::string formula;
  bool detail = false, first_paragraph = true;
  for (std::string line; std::getline(text, line);) {
    if (line == "namespace detail {") detail = true;
    if (line == "}  // namespace detail") detail = false;
    std::smatch match;
    if (line.compare(0, 3, "///") == 0) {
      first_paragraph = first_paragraph && line.size() > 3;
      if (first_paragraph) formula += line.substr(formula.empty() ? 4 : 3);
      continue;
    }
    if (line.compare(0, 8, "template") == 0) continue;
    if (!detail && std::regex_search(line, match, function)) {
      const std::string name = match[1];
      out.push_back({name, shortened(line, text), formula});
    } else if (std::regex_search(line, match, macro)) {
      const std::string name = match[2], unary = "Tensor " + name + "(Tensor x)";
      out.push_back(
          {name, match[1] == "UNARY" ? unary : "Mask " + name + "(Tensor a, Tensor b)", formula});
    }
    formula.clear();
    first_paragraph = true;
  }
  return out;
}

/// All of them by the header that declares them, as the table names it.
std::map<std::string, std::vector<Declared>> all_functions() {
  std::map<std::string, std::vector<Declared>> out;
  for (const auto& entry : fs::directory_iterator(root / "include" / "gaze" / "ops")) {
    const std::string file = entry.path().filename().string();
    if (file != "creation.hpp") out["ops/" + file] = functions_of(entry.path());
  }
  for (const Declared& f : functions_of(root / "include" / "gaze" / "autograd.hpp"))
    if (find_op(f.name)) out["autograd.hpp"].push_back(f);
  return out;
}

/// The texts of the files below a folder, by their paths.
std::map<std::string, std::string> texts_in(const std::string& folder, const std::string& ending) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder))
    if (entry.path().extension() == ending)
      out[fs::relative(entry.path(), root).generic_string()] = read(entry.path());
  return out;
}

/// Whether a line without indentation has " kernel(", as definitions do.
bool defines(const std::string& text, const std::string& kernel) {
  const std::string call = " " + kernel + "(";
  for (std::size_t at = text.find(call); at != text.npos; at = text.find(call, at + 1))
    if (std::isalpha(static_cast<unsigned char>(text[text.rfind('\n', at) + 1]))) return true;
  return false;
}

/// Where a row's kernel, cases and benchmark are; empty: nowhere.
struct Places {
  std::string cpu, cuda, cases, bench;
};

Places places_of(const OpRow& row) {
  static const auto cpu = texts_in("include/gaze/cpu", ".hpp"), cuda = texts_in("cuda", ".cu"),
                    tests = texts_in("tests", ".hpp"), bench = texts_in("bench", ".cpp");
  const std::string kernel(row.kernel), name = '"' + std::string(row.name) + '"';
  const auto first = [](const auto& texts, auto accept) {
    for (const auto& [path, text] : texts)
      if (accept(path, text)) return path;
    return std::string();
  };
  const auto defined = [&](const auto&, const auto& text) { return defines(text, kernel); };
  Places out;
  if (!kernel.empty()) out.cpu = first(cpu, defined);
  if (!kernel.empty()) out.cuda = first(cuda, defined);
  out.cases = first(tests, [&](const auto& path, const auto& text) {
    return contains(path, "tests/op_cases") && contains(text, name);
  });
  if (!row.benchmark.empty())
    out.bench = first(bench, [&](const auto&, const auto& text) {
      return contains(text, '"' + std::string(row.benchmark));
    });
  return out;
}

/// Names that bench/ registers, without the end that the program appends after a slash.
std::set<std::string> benchmarks() {
  static const std::regex row(
      "(?:\\badd\\(|\\bRegisterBenchmark\\(\\s*\\(std::string\\()\"([a-z0-9_/]+?)/?\"");
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(root / "bench")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = read(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at)
      names.insert((*at)[1]);
  }
  return names;
}

std::string yes(bool checked) { return checked ? "yes" : "-"; }

std::string quoted(const std::string& text) { return text.empty() ? "-" : "`" + text + "`"; }

/// A formula in a cell of a table, as plain text but for `code`.
std::string cell(const std::string& formula) {
  std::string out;
  bool code = false;
  for (const char c : formula) {
    if (c == '`') code = !code;
    const bool special = c == '|' || (!code && (c == '*' || c == '_'));
    out += (special ? "\\" : "") + (c == '<' && !code ? std::string("&lt;") : std::string(1, c));
  }
  return out;
}

void write_formulas(std::ostream& out) {
  for (const auto& [header, functions] : all_functions()) {
    if (functions.empty()) continue;
    out << "\n### " << header << "\n\n| signature | formula |\n| --- | --- |\n";
    for (const Declared& f : functions)
      out << "| `" << f.signature << "` | " << cell(f.formula) << " |\n";
  }
}

void write_places(std::ostream& out) {
  out << "| operation | forward and derivative | kernel | CPU | CUDA | cases | benchmark |\n"
         "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const OpRow& row : op_table) {
    const Places at = places_of(row);
    out << "| `" << row.name << "` | `include/gaze/" << row.header << "` | "
        << quoted(std::string(row.kernel)) << " | " << quoted(at.cpu) << " | " << quoted(at.cuda)
        << " | " << quoted(at.cases) << " | " << quoted(at.bench) << " |\n";
  }
}

void write_support(std::ostream& out) {
  out << "| operation | float32 | float64 | int32 | CPU | CUDA | finite differences | "
         "float against double | PyTorch file | CPU against CUDA | benchmark |\n"
         "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const OpRow& row : op_table)
    out << "| `" << row.name << "` | " << yes(row.types & float32) << " | "
        << yes(row.types & float64) << " | " << yes(row.types & int32) << " | "
        << yes(row.devices & on_cpu) << " | " << yes(row.devices & on_cuda) << " | "
        << (row.checks & refusal ? "refuses" : yes(row.checks & finite_differences)) << " | "
        << yes(row.checks & float_to_double) << " | " << yes(row.checks & golden_file) << " | "
        << yes(row.checks & cpu_to_cuda) << " | "
        << (row.benchmark.empty() ? "none: " + std::string(row.no_benchmark)
                                  : "`" + std::string(row.benchmark) + "`")
        << " |\n";
}

std::string document() {
  std::ostringstream out;
  out << R"(# Operations

Generated from `include/gaze/ops/table.hpp` and the comments in the headers by
`tests/test_op_table.cpp`, which fails when this file is out of date (`GAZE_WRITE_DOCS=1` rewrites
it). Every operation accepts non-contiguous views and empty tensors.

## Signatures and formulas

`Tensor` is `Tensor<T, Device>`, with one `T` (float32 or float64) and one device for all
arguments; a derivative `dx` is that of the loss by `x`, given `dy`. Headers are relative to
`include/gaze/`. The operators `+`, `-`, `*` and `/` are `add`, `sub`, `mul` and `div`, with a
number on either side if wanted, and unary `-` is `neg` (`ops/operators.hpp`). `Axes` is one number
or several in braces, `Window` one number or `{height, width}`, with strides and padding if needed.
)";
  write_formulas(out);
  out << R"(
Functions that create tensors are in `ops/creation.hpp` (`ones`, `arange`, `linspace`, `eye`,
`uniform`, `normal`) and in `Tensor` itself (`from`, `full`, `zeros`, `scalar`); low-rank adapters
in `nn/lora.hpp`.

## Files

The kernel is that of the forward (of the derivative for a view, which moves no values); a kernel
for the derivative is beside it. *cases*: the hand-written ones, in `tests/random_trials*.hpp` are
random ones.

)";
  write_places(out);
  out << R"(
## Types, devices and checks

- *finite differences*: the derivative, in float64, against central differences; "refuses": the
  operation has no derivative, and asking for one throws.
- *float against double*: float32 kernels against the float64 loops, at every instruction set of
  the machine.
- *PyTorch file*: values and gradients against `tests/golden/engine_golden.json`.
- *CPU against CUDA*: the CUDA kernels in float64 and float32 against the CPU's float64, on a GPU
  or, without one, on the emulator.
- *benchmark*: the row of `bench/` that measures the operation, or why there is none.

)";
  write_support(out);
  out << R"(
`checkpoint` runs a function and runs it again in backward: it has no PyTorch file, since its value
and gradient are those of the function; `gelu_mlp` has none, since they are those of `linear`,
`gelu` and `linear` bit for bit.
)";
  return out.str();
}

/// The first line in which two texts differ, "" for equal texts.
std::string first_difference(const std::string& got, const std::string& want) {
  std::istringstream a(got), b(want);
  for (int number = 1; a || b; ++number) {
    std::string line, other;
    std::getline(a, line);
    std::getline(b, other);
    if (line != other)
      return "line " + std::to_string(number) + " is\n" + line + "\nbut should be\n" + other;
  }
  return "";
}

}  // namespace

TEST_CASE("every function of gaze/ops has a row in the table, under its header", "[ops]") {
  std::set<std::string> declared, listed;
  for (const auto& [header, functions] : all_functions())
    for (const Declared& f : functions) {
      declared.insert(f.name + " of " + header);
      INFO(header << ": the comment above " << f.signature << " must begin with its formula");
      CHECK(!f.formula.empty());
    }
  for (const OpRow& row : op_table)
    listed.insert(std::string(row.name) + " of " + std::string(row.header));
  CHECK(difference("the headers", declared, "the rows of gaze/ops/table.hpp", listed) == "");
}

TEST_CASE("every row names a registered benchmark, or the reason for having none", "[ops]") {
  std::set<std::string> named;
  for (const OpRow& row : op_table) {
    INFO("row " << row.name << " of gaze/ops/table.hpp");
    CHECK(row.benchmark.empty() != row.no_benchmark.empty());
    if (!row.benchmark.empty()) named.emplace(row.benchmark);
  }
  const std::set<std::string> registered = benchmarks();
  CHECK(registered.count("rows/rms_norm") == 1);
  for (const std::string& benchmark : named) {
    INFO("no file of bench/ registers " << benchmark << ", named in gaze/ops/table.hpp");
    CHECK(registered.count(benchmark) == 1);
  }
}

TEST_CASE("every row's kernel, cases and benchmark are in a file", "[ops]") {
  for (const OpRow& row : op_table) {
    INFO("row " << row.name << " of gaze/ops/table.hpp, kernel " << row.kernel);
    const Places at = places_of(row);
    CHECK((row.kernel.empty() || !at.cpu.empty()));
    CHECK((row.kernel.empty() || !at.cuda.empty()));
    CHECK(!at.cases.empty());
    CHECK((row.benchmark.empty() || !at.bench.empty()));
  }
}

TEST_CASE("docs/ops.md is generated from the table", "[ops]") {
  const fs::path path = root / "docs" / "ops.md";
  if (std::getenv("GAZE_WRITE_DOCS")) std::ofstream(path) << document();
  CHECK(first_difference(read(path), document()) == "");
}

}  // namespace test_op_table
