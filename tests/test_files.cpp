// SPDX-License-Identifier: MIT
// Files shared with other processes or a hostile user: temporary names, folder locks, foreign logs.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gaze/io/append_log.hpp"
#include "gaze/io/folder_lock.hpp"
#include "phyx/data/tsv.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_files {
namespace {

using namespace gaze;
using namespace gaze::io;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
namespace fs = std::filesystem;

const std::string foreign = "a page of notes, without a line feed at its end";

}  // namespace

TEST_CASE("writers do not follow a link planted at their temporary name") {
  const Folder folder("files");
  const std::string victim = folder.file("victim"), table = folder.file("t.tsv");
  write_file(victim, foreign);
  fs::create_symlink(victim, table + ".tmp");
  phyx::TsvWriter writer(table, {"a", "b"});
  writer.write({"1", "2"});
  writer.finish();
  CHECK(read_file(victim) == foreign);
  CHECK(read_file(table) == "a\tb\n1\t2\n");
  CHECK(fs::is_regular_file(fs::symlink_status(table)));
  CHECK(folder.count() == 3);
}

TEST_CASE("writing to a link replaces it and does not follow it") {
  const Folder folder("files");
  write_file(folder.file("victim"), foreign);
  fs::create_symlink(folder.file("victim"), folder.file("link"));
  write_file(folder.file("link"), std::string_view("new"));
  CHECK(read_file(folder.file("victim")) == foreign);
  CHECK(fs::is_regular_file(fs::symlink_status(folder.file("link"))));
}

TEST_CASE("the longest file names of a file system can be written") {
  const Folder folder("files");
  const std::string path = folder.file(std::string(255, 'x'));
  write_file(path, std::string_view("whole"));
  CHECK(read_file(path) == "whole");
  CHECK(folder.count() == 1);
}

TEST_CASE("a pipe or device is not replaced by a file") {
  const Folder folder("files");
  const std::string path = folder.file("pipe");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(error_of([&] { write_file(path, std::string_view("x")); }) ==
        "[gaze::write_file] " + path + ": not a regular file");
  CHECK(fs::is_fifo(path));
  CHECK(error_of([&] { AppendLog log(path); }) ==
        "[gaze::AppendLog] " + path + ": not a regular file");
}

TEST_CASE("leftovers of killed processes are removed, other files are not") {
  const Folder folder("files");
  const std::string left = folder.file(".gaze-0123456789abcdef.tmp");
  write_file(folder.file("victim"), foreign);
  write_file(left, std::string_view("half a fi"));
  fs::create_symlink(folder.file("victim"), folder.file(".gaze-fedcba9876543210.tmp"));
  const std::vector<std::string> others = {"notes.tmp", "config.json.tmp",
                                           ".gaze-0123456789abcdeX.tmp", ".gaze-0.tmp"};
  for (const auto& name : others) write_file(folder.file(name), foreign);
  AtomicFile unfinished(folder.file("written.txt"));
  unfinished.write("half");
  const std::size_t before = folder.count();
  remove_leftovers(folder.path.string());
  CHECK_FALSE(fs::exists(left));
  CHECK(folder.count() == before - 1);
  for (const auto& name : others) CHECK(read_file(folder.file(name)) == foreign);
  CHECK(read_file(folder.file("victim")) == foreign);
  unfinished.commit();
  CHECK(read_file(folder.file("written.txt")) == "half");
  remove_leftovers(folder.file("no such folder"));
}

TEST_CASE("a folder has one writer, and a killed one blocks nobody") {
  const Folder place("files");
  const std::string folder = place.file("out");
  const auto refused_by = [&](pid_t process) {
    return "[gaze::lock] " + folder + ": process " + std::to_string(process) +
           " is writing to this folder";
  };
  {
    const FolderLock lock(folder);
    CHECK(error_of([&] { FolderLock second(folder); }) == refused_by(::getpid()));
    const FolderLock other(folder + "/inner");
  }
  CHECK(fs::exists(folder));
  CHECK_FALSE(fs::exists(folder + "/.gaze.lock"));
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder);
    AtomicFile unfinished(folder + "/results.csv");
    unfinished.write("half");
    char byte = 'x';
    (void)!::write(ready[1], &byte, 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(error_of([&] { FolderLock second(folder); }) == refused_by(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(fs::exists(folder + "/.gaze.lock"));
  { const FolderLock lock(folder); }
  fs::remove_all(folder + "/inner");
  CHECK(fs::is_empty(folder));  // lock and half file are gone
}

TEST_CASE("a lock file without a number locks all the same") {
  const Folder folder("files");
  const std::string path = folder.file(".gaze.lock"), who = folder.path.string();
  for (const char* text : {"", "a page of notes", "-5\n", "123456789012345678901234567890"}) {
    std::ofstream(path) << text;
    const io::detail::Descriptor file(::open(path.c_str(), O_RDWR));
    REQUIRE(io::detail::lock_file(file.get()) == io::detail::Lock::taken);
    CHECK(error_of([&] { FolderLock lock(who); }) ==
          "[gaze::lock] " + who + ": another process is writing to this folder");
  }
  { const FolderLock lock(who); }
  CHECK(folder.count() == 0);
}

TEST_CASE("a lock does not follow a link, and the error names a folder that cannot be created") {
  const Folder folder("files");
  fs::create_symlink(folder.file("elsewhere"), folder.file(".gaze.lock"));
  CHECK(contains(error_of([&] { FolderLock lock(folder.path.string()); }),
                 ".gaze.lock: cannot open"));
  CHECK_FALSE(fs::exists(folder.file("elsewhere")));
  write_file(folder.file("file"), foreign);
  CHECK(contains(error_of([&] { FolderLock lock(folder.file("file")); }), folder.file("file")));
  CHECK(contains(error_of([&] { FolderLock lock(folder.file("file/x")); }),
                 "[gaze::lock] " + folder.file("file/x") + ": cannot create the folder: "));
}

TEST_CASE("a log has one writer") {
  const Folder folder("files");
  const std::string path = folder.file("log.jsonl");
  AppendLog log(path);
  log.line("{}");
  CHECK(error_of([&] { AppendLog second(path); }) ==
        "[gaze::AppendLog] " + path + ": another process is writing it");
  CHECK(read_file(path) == "{}\n");
}

TEST_CASE("a foreign log is refused and left unchanged") {
  const Folder folder("files");
  const std::string path = folder.file("log.jsonl"), begins = "{\"step\":";
  for (const std::string& text : {foreign, foreign + "\n", std::string("\n"), std::string("{\n"),
                                  std::string("{\"steps\":1}\n"), std::string("\0\0", 2)}) {
    write_file(path, text);
    CHECK(contains(error_of([&] { AppendLog log(path, begins); }),
                   path + " line 1: not a line of this log"));
    CHECK(read_file(path) == text);
  }
  // Its own log, complete or cut at any byte by a kill.
  const std::string whole = "{\"step\":1}\n{\"step\":22}\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write_file(path, std::string_view(whole).substr(0, size));
    AppendLog log(path, begins);
    std::vector<std::string> lines;
    log.read_whole_lines([&](const std::string& line, std::size_t number) {
      lines.push_back(line);
      CHECK(number == lines.size());
    });
    CHECK(lines.size() == static_cast<std::size_t>(size >= 11) + (size >= whole.size()));
    CHECK(read_file(path) == whole.substr(0, size < 11 ? 0 : size < whole.size() ? 11 : size));
  }
  write_file(path, "{\"step\":1}\n" + foreign);
  AppendLog mixed(path, begins);
  CHECK(contains(error_of([&] { mixed.read_whole_lines([](const std::string&, std::size_t) {}); }),
                 path + " line 2: not a line of this log"));
  CHECK(read_file(path) == "{\"step\":1}\n" + foreign);
}

TEST_CASE("a log with long lines is read completely") {
  const Folder folder("files");
  AppendLog log(folder.file("log"));
  std::vector<std::string> lines, read;
  for (const std::size_t size : {0, 1, 65535, 65536, 65537, 3, 200000, 0, 5}) {
    lines.push_back(std::string(size, static_cast<char>('a' + lines.size())));
    log.line(lines.back());
  }
  const auto before = log.offset();
  log.read_whole_lines([&](const std::string& line, std::size_t) { read.push_back(line); });
  CHECK(read == lines);
  CHECK(log.offset() == before);
}

TEST_CASE("a log does not follow a link") {
  const Folder folder("files");
  write_file(folder.file("victim"), std::string_view(""));
  fs::create_symlink(folder.file("victim"), folder.file("log"));
  CHECK(contains(error_of([&] { AppendLog log(folder.file("log")); }), "log: is a link"));
}

}  // namespace test_files
