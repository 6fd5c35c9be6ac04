// SPDX-License-Identifier: MIT
// gaze report.
#include "gaze/io/folder_lock.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/report/page.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/run_config.hpp"

namespace gaze::phyx::cli {

namespace {

struct ReportOptions {
  std::vector<std::string> folders;
  std::string out;

  void add(CLI::App& app) {
    app.add_option("folders", folders, "output folders of runs")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option("--out", out,
                   "output folder for report.html and, for several runs, results.csv; default for "
                   "one run: its folder");
  }
  void run() const {
    for (const auto& folder : folders)
      GAZE_CHECK(std::filesystem::exists(folder + "/results.csv"), "report", folder,
                 ": no results.csv, so no finished run");
    const std::string to = out.empty() ? folders.front() : out, path = to + "/report.html";
    const bool own = check_target(to);
    const std::string page = render_report(report::read_runs(folders), ReportInput().title);
    const io::FolderLock lock(to);
    if (!own) check_own_folder("report", to, "report.html", {"results.csv"});
    GAZE_CHECK(!std::filesystem::exists(path) ||
                   io::read_file(path).find("Drawn by Gaze") != std::string::npos,
               "report", path, ": already exists and is not a report");
    io::write_file(path, page);
    if (folders.size() > 1) write_results(to + "/results.csv", report::merge_results(folders));
    std::printf("%s\n", for_standard_output(path).c_str());
  }

  /// Whether `to` is the folder of the single run. Throws Error for any other folder of a run.
  bool check_target(const std::string& to) const {
    const auto real = [](const std::string& path) {
      std::error_code error;
      const auto out = std::filesystem::weakly_canonical(path, error);
      GAZE_CHECK(!error, "report", path, ": ", error.message());
      return out.string() + "/";
    };
    GAZE_CHECK(folders.size() == 1 || !out.empty(), "report",
               "several folders need --out, a separate folder for the combined report");
    if (folders.size() == 1 && real(to) == real(folders.front())) return true;
    for (const auto& folder : folders)
      GAZE_CHECK(real(to).rfind(real(folder), 0) != 0, "report", to, ": is inside ", folder,
                 ", which is being reported on");
    for (const char* run : {"config.json", "eval.json", "scores.tsv"})
      GAZE_CHECK(!std::filesystem::exists(to + "/" + run), "report", to, ": contains a run (", run,
                 ")");
    return false;
  }
};

}  // namespace

void add_report(CLI::App& app) {
  add_command<ReportOptions>(app, "report", "write report.html from one or several runs");
}

}  // namespace gaze::phyx::cli
