// SPDX-License-Identifier: MIT
// The table of operations is complete: every public function of gaze/ops that returns a tensor has
// a row, every row names its header and its benchmark, and docs/ops.md is generated from the table.
//
//   GAZE_WRITE_DOCS=1 ./run test -R op_table     rewrites docs/ops.md
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

namespace test_op_table {
namespace {

using namespace gaze;
namespace fs = std::filesystem;

const fs::path root = gaze::test::repository_path("");

std::string read(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Names of the functions in a header, outside namespace detail, that return tensors.
std::set<std::string> functions_of(const fs::path& header) {
  static const std::regex function(
      "^(?:inline )?(?:Tensor|Indices|Mask|Sorted|LogProb|AttentionResult)\\b"
      "(?:<[^()]*>)? (\\w+)\\(");
  static const std::regex macro(R"(^GAZE_(?:UNARY|COMPARISON)\((\w+), )");
  std::set<std::string> names;
  std::stringstream text(read(header));
  bool detail = false;
  for (std::string line; std::getline(text, line);) {
    if (line == "namespace detail {") detail = true;
    if (line == "}  // namespace detail") detail = false;
    std::smatch match;
    if (!detail &&
        (std::regex_search(line, match, function) || std::regex_search(line, match, macro)))
      names.insert(match[1]);
  }
  return names;
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

std::string document() {
  std::ostringstream out;
  out << "# Operations\n\n"
         "Generated from `include/gaze/ops/table.hpp` by `tests/test_op_table.cpp`, which fails "
         "when "
         "this file is out of date\n(`GAZE_WRITE_DOCS=1` rewrites it). Headers are relative to "
         "`include/gaze/`. Every operation accepts non-contiguous views\nand empty tensors.\n\n"
         "- *finite differences*: the derivative, in float64, against central differences; "
         "\"refuses\": the operation has no\n  derivative, and asking for one throws.\n"
         "- *float against double*: float32 kernels against the float64 loops, at every "
         "instruction set of the machine.\n"
         "- *PyTorch file*: values and gradients against `tests/golden/engine_golden.json`.\n"
         "- *CPU against CUDA*: the CUDA kernels in float64 and float32 against the CPU's float64, "
         "on a GPU or, without one,\n  on the emulator.\n"
         "- *benchmark*: the row of `bench/` that measures the operation, or why there is none.\n\n"
         "| operation | header | float32 | float64 | int32 | CPU | CUDA | finite differences | "
         "float against double | PyTorch file | CPU against CUDA | benchmark |\n"
         "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const OpRow& row : op_table)
    out << "| `" << row.name << "` | `" << row.header << "` | " << yes(row.types & float32) << " | "
        << yes(row.types & float64) << " | " << yes(row.types & int32) << " | "
        << yes(row.devices & on_cpu) << " | " << yes(row.devices & on_cuda) << " | "
        << (row.checks & refusal ? "refuses" : yes(row.checks & finite_differences)) << " | "
        << yes(row.checks & float_to_double) << " | " << yes(row.checks & golden_file) << " | "
        << yes(row.checks & cpu_to_cuda) << " | "
        << (row.benchmark.empty() ? "none: " + std::string(row.no_benchmark)
                                  : "`" + std::string(row.benchmark) + "`")
        << " |\n";
  out << "\n`checkpoint` runs a function and runs it again in backward: it has no PyTorch file, "
         "since its value and gradient are\nthose of the function; `gelu_mlp` has none, since they "
         "are those of `linear`, `gelu` and `linear` bit for bit.\nFunctions that create tensors "
         "are in `ops/creation.hpp` (`ones`, `arange`, `linspace`, `eye`,\n`uniform`, `normal`) "
         "and in "
         "`Tensor` itself (`from`, `full`, `zeros`, `scalar`); low-rank adapters in "
         "`nn/lora.hpp`.\n";
  return out.str();
}

}  // namespace

TEST_CASE("every function of gaze/ops has a row in the table, under its header", "[ops]") {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::directory_iterator(root / "include" / "gaze" / "ops")) {
    const std::string file = entry.path().filename().string();
    if (file == "creation.hpp") continue;  // nothing to differentiate
    for (const std::string& name : functions_of(entry.path())) found.emplace(name, "ops/" + file);
  }
  for (const auto& [name, header] : found) {
    INFO(name << " of " << header);
    REQUIRE(find_op(name) != nullptr);
    CHECK(find_op(name)->header == header);
  }
  for (const OpRow& row : op_table) {
    INFO(row.name);
    CHECK((row.header == "autograd.hpp" || found.count(std::string(row.name)) == 1));
  }
}

TEST_CASE("every row names a registered benchmark, or the reason for having none", "[ops]") {
  const std::set<std::string> registered = benchmarks();
  CHECK(registered.count("rows/rms_norm") == 1);
  for (const OpRow& row : op_table) {
    INFO(row.name);
    CHECK(row.benchmark.empty() != row.no_benchmark.empty());
    if (!row.benchmark.empty()) CHECK(registered.count(std::string(row.benchmark)) == 1);
  }
}

TEST_CASE("docs/ops.md is generated from the table", "[ops]") {
  const fs::path path = root / "docs" / "ops.md";
  if (std::getenv("GAZE_WRITE_DOCS")) std::ofstream(path) << document();
  CHECK(read(path) == document());
}

}  // namespace test_op_table
