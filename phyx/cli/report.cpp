// SPDX-License-Identifier: MIT
// gaze report.
#include "phyx/cli/command.hpp"
#include "phyx/report/page.hpp"

namespace gaze::phyx::cli {

namespace {

struct ReportOptions {
  std::vector<std::string> folders;
  std::string out;

  void add(CLI::App& app) {
    app.add_option("folders", folders, "output folders of runs")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option("--out", out, "folder for report.html; default: the first one");
  }
  void run() const {
    for (const auto& folder : folders)
      GAZE_CHECK(std::filesystem::exists(folder + "/results.csv"), "report", folder,
                 ": holds no results.csv, so no finished run");
    const std::string to = out.empty() ? folders.front() : out;
    std::filesystem::create_directories(to);
    ReportInput input;
    input.folders = folders;
    write_report(to, input);
    if (folders.size() > 1) write_results(to + "/results.csv", report::merge_results(folders));
    std::printf("%s/report.html\n", for_standard_output(to).c_str());
  }
};

}  // namespace

void add_report(CLI::App& app) {
  add_command<ReportOptions>(app, "report", "draw report.html from one or several runs");
}

}  // namespace gaze::phyx::cli
