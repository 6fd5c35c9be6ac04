// SPDX-License-Identifier: MIT
// The page: contents, security policy, sections in order.
#include "phyx/report/page.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/base64.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/report/sections.hpp"
#include "phyx/report/style.hpp"

namespace gaze::phyx {

namespace report {
namespace {

std::string contents() {
  std::string out = "<nav aria-label=\"Contents\">";
  for (const auto& [id, name] :
       {std::pair("rewards", "Rewards"), std::pair("overview", "At a glance"),
        std::pair("table", "Tables"), std::pair("rules", "Strict and official"),
        std::pair("findings", "The study and this run"), std::pair("differences", "Differences"),
        std::pair("breakdown", "Reasoning and domains"), std::pair("templates", "Templates"),
        std::pair("picture", "Use of the picture"), std::pair("passk", "pass@k"),
        std::pair("temperature", "Temperature"), std::pair("paid", "What was paid for"),
        std::pair("curves", "Learning curves"), std::pair("examples", "Examples"),
        std::pair("glossary", "Glossary and limitations"), std::pair("config", "Configuration")})
    out += "<a href=\"#" + std::string(id) + "\">" + name + "</a> ";
  return out + "</nav>\n";
}

/// Sections that need test results; without results, a note in each.
std::string result_sections(const Context& c) {
  if (!c.conditions.empty())
    return overview_section(c) + tables_section(c) + two_rules_section(c) + findings_section(c) +
           differences_section(c) + breakdown_section(c) + templates_section(c) + image_section(c) +
           pass_section(c) + temperature_section(c) + paid_section(c);
  const std::string none = missing("No test results yet.");
  return section("overview", "Accuracy at a glance", none) +
         section("table", "Accuracy and behaviour", none) +
         section("rules", "Strict and official score", none) + findings_section(c) +
         section("differences", "Differences to the warm start", none) +
         section("breakdown", "By reasoning type and domain", none) + templates_section(c) +
         section("picture", "Does it use the picture?", none) +
         section("passk", "One sample or many", none) + temperature_section(c) + paid_section(c);
}

std::string config_section(const RunData& data) {
  std::string body;
  for (std::size_t i = 0; i < data.configs.size(); ++i) {
    const std::string text =
        data.configs[i].dump(2, ' ', false, io::Json::error_handler_t::replace);
    body += "<details" + std::string(i == 0 ? " open" : "") + "><summary>config.json" +
            (data.configs.size() > 1 ? " " + std::to_string(i + 1) : "") + "</summary>" +
            tag("pre", "", escape(text)) + "</details>\n";
  }
  if (body.empty()) body = missing("There is no config.json.");
  return section("config", "Configuration", body);
}

/// The source expression of an inline style or script in a security policy: its SHA-256 in base64.
std::string source_hash(std::string_view text) {
  const std::string digits = io::sha256(std::string(text));
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return "'sha256-" + io::base64_encode(bytes) + "'";
}

}  // namespace
}  // namespace report

std::string render_report(const report::RunData& data, const std::string& title) {
  using namespace report;
  const Context c(data);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      // Nothing can be loaded or run, even if escaping failed.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "base-uri 'none'; form-action 'none'; style-src " +
      source_hash(style_sheet) + "; script-src " + source_hash(page_script) + "\">\n<title>" +
      escape(title) + "</title>\n<style>" + style_sheet + "</style></head>\n<body>\n<header>\n" +
      headline(c, title) + "</header>\n" + contents() + "<main>\n";
  out += rewards_section(c) + result_sections(c) + curves_section(c) + examples_section(c) +
         glossary_section(data) + config_section(data);
  return out +
         "</main>\n<footer>Drawn by Gaze from results.csv, metrics.jsonl and "
         "completions.jsonl.</footer>\n<script>" +
         page_script + "</script>\n</body></html>\n";
}

void write_report(const std::string& out_dir, const ReportInput& input) {
  const auto folders = input.folders.empty() ? std::vector<std::string>{out_dir} : input.folders;
  const std::string page = render_report(report::read_runs(folders), input.title);
  std::error_code error;
  std::filesystem::create_directories(out_dir, error);
  GAZE_CHECK(!error, "report", out_dir, ": cannot create the folder: ", error.message());
  io::write_file((std::filesystem::path(out_dir) / "report.html").string(), page);
}

}  // namespace gaze::phyx
