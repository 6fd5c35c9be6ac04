// SPDX-License-Identifier: MIT
// gaze report.
#include "gaze/io/folder_lock.hpp"
#include "gaze/io/folders.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/report/page.hpp"
#include "phyx/report/publish.hpp"
#include "phyx/report/run_data.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/run_config.hpp"

namespace gaze::phyx::cli {

namespace {

struct ReportOptions {
  std::vector<std::string> folders;
  std::string out, published;

  void add(CLI::App& app) {
    app.add_option("folders", folders, "output folders of runs")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option("--out", out,
                   "output folder for report.html and, for several runs, results.csv; default for "
                   "one run: its folder");
    app.add_option("--publish", published,
                   "write a small folder to keep instead, which report reads again: settings, "
                   "tables, figures and the rows of results.csv that they use")
        ->check(CLI::Validator(
            [](std::string& path) { return path.empty() ? "a folder is needed" : ""; }, "DIR"));
  }
  void run() const {
    for (const auto& folder : folders)
      GAZE_CHECK(std::filesystem::exists(folder + "/results.csv"), "report", folder,
                 ": no results.csv, so no finished run");
    if (!published.empty()) write_published();
    if (!published.empty() && out.empty()) return;
    GAZE_CHECK(folders.size() == 1 || !out.empty(), "report",
               "several folders need --out, a separate folder for the combined report");
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

  void write_published() const {
    check_outside(published);
    for (const auto& folder : folders)
      GAZE_CHECK(real(folder).rfind(real(published), 0) != 0, "report", published, ": contains ",
                 folder, ", which is being reported on");
    GAZE_CHECK(!std::filesystem::exists(published) || std::filesystem::is_empty(published) ||
                   report::is_published(published),
               "report", published, ": contains files, but not of an earlier --publish");
    const report::RunData data = report::read_runs(folders);
    io::make_folders(published);
    const io::FolderLock lock(published);
    report::publish(data, published);
    std::printf("%s\n", for_standard_output(published + "/tables.md").c_str());
  }

  /// Whether `to` is the folder of the single run. Throws Error for any other folder of a run.
  bool check_target(const std::string& to) const {
    if (folders.size() == 1 && real(to) == real(folders.front())) return true;
    check_outside(to);
    for (const char* run : {"config.json", "eval.json", "scores.tsv"})
      GAZE_CHECK(!std::filesystem::exists(to + "/" + run), "report", to, ": contains a run (", run,
                 ")");
    return false;
  }

  void check_outside(const std::string& to) const {
    for (const auto& folder : folders)
      GAZE_CHECK(real(to).rfind(real(folder), 0) != 0, "report", to, ": is inside ", folder,
                 ", which is being reported on");
  }

  static std::string real(const std::string& path) {
    std::error_code error;
    const auto out = std::filesystem::weakly_canonical(path, error);
    GAZE_CHECK(!error, "report", path, ": ", error.message());
    return out.string() + "/";
  }
};

}  // namespace

void add_report(CLI::App& app) {
  add_command<ReportOptions>(app, "report", "write report.html from one or several runs");
}

}  // namespace gaze::phyx::cli
