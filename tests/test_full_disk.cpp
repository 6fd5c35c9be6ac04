// SPDX-License-Identifier: MIT
// Writing to a full disk: the error names file and operation, the file that was there is unchanged,
// and no temporary file remains. Full disks are a limit on the size of files and, where the process
// may mount one, a small file system.
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <set>

#include "gaze/io/tensorboard.hpp"
#include "gaze/train/loop.hpp"
#include "tests/folder.hpp"
#include "tests/texts.hpp"
#include "tests/toy_parameters.hpp"

namespace test_full_disk {
namespace {

using namespace gaze;
using namespace gaze::test;
namespace fs = std::filesystem;

const std::string too_large = "File too large", no_space = "No space left on device";

/// During its lifetime no file of this process can grow beyond `bytes`.
class FileLimit {
 public:
  explicit FileLimit(std::size_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
};

/// A file system in a folder of this name, with these options of mount -t tmpfs.
class SmallDisk {
 public:
  SmallDisk(const std::string& name, const char* options)
      : folder(name), mounted_(::mount("tmpfs", folder.path.c_str(), "tmpfs", 0, options) == 0) {
    if (!mounted_) WARN("not tested: this process may not mount a file system");
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder.path.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  void change(const char* options) const {
    REQUIRE(::mount("tmpfs", folder.path.c_str(), "tmpfs", MS_REMOUNT, options) == 0);
  }

  const Folder folder;

 private:
  bool mounted_;
};

std::set<std::string> names_in(const Folder& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path))
    names.insert(entry.path().filename().string());
  return names;
}

/// Overwrites a file by 100,000 bytes for which there is no room.
void check_refused(const Folder& folder, const std::string& why) {
  const std::string path = folder.file("file");
  const std::vector<std::byte> big(100000);
  CHECK(error_of([&] { io::write_file(path, big); }) ==
        "[gaze::write_file] " + path + ": cannot write: " + why);
  CHECK(error_of([&] {
          io::write_safetensors(path, std::vector<io::TensorView>{{"t", "U8", {100000}, big}});
        }) == "[gaze::write_file] " + path + ": cannot write: " + why);
  CHECK(folder.read("file") == "old");
  CHECK(names_in(folder) == std::set<std::string>{"file"});
}

/// Three steps with a checkpoint after each, and `after` before it. Returns the weights.
std::vector<std::uint32_t> train(const Folder& folder, std::function<void(Index)> after = {}) {
  Toy toy(2000);
  RunFolder run;
  run.path = folder.path.string();
  run.checkpoint_every = 1;
  run.progress = [&](const Stage&, Index step, const Metrics&) {
    if (after) after(step);
  };
  Stage stage;
  stage.name = "one";
  stage.steps = 3;
  stage.rate = {0.1, 0, 3, 0.1};
  Trainer<float>(toy.parameters, run).run(stage, [&](Index step, const Update& update) -> Metrics {
    const auto key = static_cast<std::uint64_t>(step);
    backward(add(toy.distance(toy.w->value, key), toy.distance(toy.v->value, key)));
    update();
    return {};
  });
  return toy.weights();
}

/// The state after the first step is whole, and no other file remains.
void check_first_checkpoint(const Folder& folder) {
  CHECK(saved_count(io::SafetensorsFile(folder.file("state.safetensors")), "step") == 1);
  CHECK(names_in(folder) == std::set<std::string>{"metrics.jsonl", "state.safetensors"});
}

}  // namespace

TEST_CASE("a file that does not fit is not written at all") {
  const Folder folder("full_disk");
  folder.put("file", "old");
  for (const std::size_t bytes : {0, 1, 8, 100, 4096, 99999}) {
    INFO("a limit of " << bytes << " bytes");
    const FileLimit limit(bytes);
    check_refused(folder, too_large);
  }
  const SmallDisk disk("full_disk_small", "size=64k");
  if (!disk.mounted()) return;
  disk.folder.put("file", "old");
  check_refused(disk.folder, no_space);
  const SmallDisk few("full_disk_few", "nr_inodes=2");  // itself and a file
  few.folder.put("file", "old");
  CHECK(error_of([&] { io::write_file(few.folder.file("file"), std::string_view("new")); }) ==
        "[gaze::write_file] " + few.folder.file("file") + ": cannot create: " + no_space);
  CHECK(few.folder.read("file") == "old");
}

TEST_CASE("a line or event that does not fit leaves its log unchanged") {
  const Folder folder("full_disk");
  io::AppendLog log(folder.file("log"));
  io::EventFile events(folder.file("events"));
  log.line("first");
  events.add(1, 0, {{"loss", 2.5}});
  const std::string lines = folder.read("log"), records = folder.read("events");
  {
    const FileLimit limit(lines.size() + 3);
    CHECK(error_of([&] { log.line("second"); }) ==
          "[gaze::AppendLog] " + folder.file("log") + ": cannot write: " + too_large);
  }
  {
    const FileLimit limit(records.size() + 3);
    CHECK(error_of([&] {
            events.add(2, 1, {{"loss", 1.5}});
          }) == "[gaze::event_file] " + folder.file("events") + ": cannot write: " + too_large);
  }
  CHECK(folder.read("log") == lines);
  CHECK(folder.read("events") == records);
  log.line("second");
  events.add(2, 1, {{"loss", 1.5}});
  CHECK(folder.read("log") == lines + "second\n");
  CHECK(folder.read("events").substr(0, records.size()) == records);
  CHECK(events.size() == 2);
}

TEST_CASE("a disk that is full in the middle of a checkpoint leaves the one before") {
  const Folder whole("full_disk_whole");
  const auto expected = train(whole);
  const auto size = fs::file_size(whole.file("state.safetensors"));
  const auto refused = [](const Folder& folder, const std::string& why) {
    return "[gaze::write_file] " + folder.file("state.safetensors") + ": cannot write: " + why;
  };
  for (std::uintmax_t bytes = 0; bytes < size; bytes += size / 7) {
    INFO("a limit of " << bytes << " bytes");
    const Folder folder("full_disk");
    std::optional<FileLimit> limit;
    CHECK(error_of([&] {
            train(folder, [&](Index step) {
              if (step == 1) limit.emplace(bytes);
            });
          }) == refused(folder, too_large));
    limit.reset();
    check_first_checkpoint(folder);
    CHECK(train(folder) == expected);
  }
  const SmallDisk disk("full_disk_small", "size=128k");  // for one checkpoint, not for two
  REQUIRE((size > 65536 && size < 110000));
  if (!disk.mounted()) return;
  CHECK(error_of([&] { train(disk.folder); }) == refused(disk.folder, no_space));
  check_first_checkpoint(disk.folder);
  disk.change("size=1m");
  CHECK(train(disk.folder) == expected);
}

}  // namespace test_full_disk
