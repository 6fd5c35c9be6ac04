// SPDX-License-Identifier: MIT
// Opening the weights of published checkpoints: folders with one file or shards, and folders that
// are refused.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/weight_files.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"
#include "tests/weight_folders.hpp"

namespace test_weight_files {
namespace {

using namespace gaze::io;
using namespace gaze::test::weights;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using Names = std::vector<std::string>;
namespace fs = std::filesystem;

std::string opening_error(const std::string& path) {
  return error_of([&] { WeightFiles files(path); });
}
std::string opening_error(const Folder& folder) { return opening_error(folder.path.string()); }

}  // namespace

TEST_CASE("a folder with one file of weights") {
  const Folder folder("weights");
  write_safetensors(folder.file("model.safetensors"),
                    {entry<float>("w", {2, 2}, {1, 2, 3, 4}), entry<float>("v", {1}, {5})},
                    {{"format", "pt"}});
  for (const std::string& path :
       {folder.path.string(), folder.path.string() + "/", folder.file("model.safetensors")}) {
    const WeightFiles files(path);
    CHECK(files.path() == path);
    CHECK(files.files() == Names{files.file("w")});
    CHECK(files.names() == Names{"v", "w"});
    CHECK(files.info("w").dtype == "F32");
    CHECK(files.info("w").shape == Shape{2, 2});
    CHECK(files.info("w").bytes() == 16);
    CHECK(files.info("w").elements() == 4);
    CHECK(fs::equivalent(files.file("w"), folder.file("model.safetensors")));
    CHECK(read<float>(files, "w", {2, 2}) == std::vector<float>{1, 2, 3, 4});
    CHECK(error_of([&] { files.info("x"); }) ==
          "[gaze::load] " + path + " tensor 'x': not in the checkpoint");
  }
}

TEST_CASE("a folder with an index and shards") {
  const Folder folder("weights");
  write_shards(folder);
  folder.put("consolidated.safetensors", "not in the index, so not opened");
  for (const std::string& path : {folder.path.string(), folder.file(index_name)}) {
    const WeightFiles files(path);
    CHECK(files.files() == Names{folder.file(first), folder.file(second)});
    CHECK(files.names() == Names{"a", "b", "ids"});
    CHECK(files.file("b") == folder.file(second));
    CHECK(read<float>(files, "a", {2, 3}) == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(read<std::int64_t>(files, "ids", {2}) == std::vector<std::int64_t>{-7, 1LL << 40});
    CHECK(read<std::int32_t>(files, "b", {}) == std::vector<std::int32_t>{5});
  }
  // From within the folder: the index has no folder in its path.
  const fs::path before = fs::current_path();
  fs::current_path(folder.path);
  CHECK(WeightFiles(index_name).names().size() == 3);
  CHECK(WeightFiles(".").names().size() == 3);
  fs::current_path(before);
}

TEST_CASE("a record of which tensors were used, and which are missing") {
  const Folder folder("weights");
  write_shards(folder);
  const WeightFiles files(folder.path.string());
  CHECK(files.unused() == Names{"a", "b", "ids"});
  CHECK_THROWS_AS(read<float>(files, "a", {3, 2}), gaze::Error);
  CHECK(files.unused().size() == 3);  // the read failed
  read<float>(files, "a", {2, 3});
  CHECK(files.unused() == Names{"b", "ids"});
  CHECK_FALSE(files.map<float>("ids", Shape{2}));
  CHECK(files.unused() == Names{"b", "ids"});
  CHECK(files.map<std::int64_t>("ids", Shape{2}));
  CHECK(files.unused() == Names{"b"});
  read<std::int32_t>(files, "b", {});
  CHECK(files.unused().empty());
  CHECK(files.missing({"a", "lm_head.weight", "b", "c"}) == Names{"lm_head.weight", "c"});
  CHECK(files.missing({}).empty());
}

TEST_CASE("folders without weights, or with two kinds of them, are refused") {
  const Folder folder("weights");
  const std::string path = folder.path.string();
  CHECK(opening_error(folder) == "[gaze::load] " + path +
                                     ": neither model.safetensors nor "
                                     "model.safetensors.index.json is in this folder");
  CHECK(contains(opening_error(folder.file("nowhere")), "nowhere: cannot open: No such file"));
  write_shards(folder);
  write_safetensors(folder.file("model.safetensors"), {entry<float>("a", {1}, {1})});
  CHECK(contains(opening_error(folder), path + ": both model.safetensors and "));
  CHECK(WeightFiles(folder.file(index_name)).names().size() == 3);
  CHECK(WeightFiles(folder.file("model.safetensors")).names().size() == 1);
}

TEST_CASE("an index that does not agree with its shards is refused") {
  const Folder folder("weights");
  write_shards(folder);
  const std::string index = folder.file(index_name);
  const auto refused = [&](const std::vector<std::pair<std::string, std::string>>& weight_map,
                           const std::string& message) {
    folder.put(index_name, index_of(weight_map));
    CHECK(opening_error(folder) == "[gaze::load] " + message);
  };
  refused({{"a", first}, {"b", second}, {"ids", first}, {"c", second}},
          index + " weight_map 'c': not in " + second);
  refused({{"a", first}, {"b", second}},
          folder.file(first) + " tensor 'ids': not in weight_map of the index");
  refused({{"a", first}, {"b", second}, {"ids", second}},
          folder.file(first) + " tensor 'ids': weight_map of the index maps it to " + second);
  refused({{"a", first}, {"b", "model-3.safetensors"}, {"ids", first}},
          index + " weight_map 'b': model-3.safetensors: cannot open: No such file or directory");
  // The same tensor in two shards; the index can name one of them only.
  write_safetensors(folder.file(second), {entry<std::int32_t>("b", {}, {5}),
                                          entry<float>("a", {2, 3}, {1, 2, 3, 4, 5, 6})});
  refused({{"a", first}, {"b", second}, {"ids", first}},
          folder.file(second) + " tensor 'a': weight_map of the index maps it to " + first);
}

TEST_CASE("an index can name only safetensors files of its folder") {
  const Folder folder("weights");
  write_shards(folder);
  fs::create_directories(folder.path / "sub");
  fs::copy_file(folder.file(second), folder.file("sub/" + second));
  fs::copy_file(folder.file(second), folder.file("weights.bin"));
  const std::string key = folder.file(index_name) + " weight_map 'b': ";
  for (const std::string& name :
       {folder.file(second), "sub/" + second, "./" + second, "../" + second, "..\\" + second,
        second + std::string(1, '\0') + ".safetensors", std::string(""), std::string("."),
        std::string(".."), std::string("sub"), std::string("weights.bin")}) {
    folder.put(index_name, index_of({{"a", first}, {"b", name}, {"ids", first}}));
    const std::string error = opening_error(folder);
    INFO(error);
    CHECK(contains(error, key));
    CHECK(contains(error, "is not the name of a safetensors file in the same folder"));
  }
  const std::string endless = std::string(100000, 'x') + ".safetensors";
  folder.put(index_name, index_of({{"a", first}, {"b", endless}, {"ids", first}}));
  CHECK(contains(opening_error(folder), "cannot open: "));
  CHECK(opening_error(folder).size() < 5000);
  fs::create_directories(folder.path / "dir.safetensors");
  folder.put(index_name, index_of({{"a", first}, {"b", "dir.safetensors"}, {"ids", first}}));
  CHECK(contains(opening_error(folder), "dir.safetensors: not a regular file"));
}

TEST_CASE("a malformed index is refused") {
  const Folder folder("weights");
  write_shards(folder);
  const auto refused = [&](const std::string& text, const std::string& message) {
    const std::string error = opening_error(folder.put(index_name, text));
    INFO(error);
    CHECK(contains(error, message));
    CHECK(contains(error, folder.file(index_name)));
  };
  refused("", "parse error");
  refused("[]", "not a JSON object");
  refused("{}", "no 'weight_map'");
  refused("{\"weight_map\": []}", "does not map names of tensors to files");
  refused("{\"weight_map\": {}}", "does not map names of tensors to files");
  refused("{\"weight_map\": {\"a\": 1}}", " weight_map 'a': not the name of a file");
  refused("{\"weight_map\": {\"a\": [\"" + first + "\"]}}", "not the name of a file");
  refused("{\"weight_map\": {\"a\": null}}", "not the name of a file");
  refused("{\"weight_map\": {\"a\": \"x.safetensors\", \"a\": \"y.safetensors\"}}",
          "key 'a' appears twice");
  refused("{\"weight_map\": " + std::string(100, '['), "nested deeper");
  refused(std::string(kMaxJsonFileBytes + 1, ' '), "more than the");
  fs::remove(folder.file(index_name));
  fs::create_directories(folder.path / index_name);
  CHECK(contains(opening_error(folder), "not a regular file"));
}

TEST_CASE("a damaged index or shard is an error of one line or still a whole checkpoint") {
  const Folder folder("weights");
  write_shards(folder);
  for (const std::string& name : {index_name, second}) {
    const std::string whole = folder.read(name);
    const auto check = [&](const std::string& damaged) {
      fs::remove(folder.file(name));  // a new file is not flushed to the disk
      std::ofstream(folder.file(name), std::ios::binary) << damaged;
      const std::string error = opening_error(folder);
      if (error.find('\n') != error.npos || error.size() > 5000) FAIL(error);
      return error.empty();
    };
    for (std::size_t at = 0; at < whole.size(); ++at) {
      CHECK_FALSE(check(whole.substr(0, at)));
      for (const char byte : {'\0', '"', '/', '{', '0', '\x80', '\xFF'}) {
        std::string damaged = whole;
        damaged[at] = byte;
        check(damaged);
      }
    }
    folder.put(name, whole);
  }
  CHECK(opening_error(folder).empty());
}

TEST_CASE("links must stay in the folder") {
  const Folder folder("weights"), other("weights_elsewhere");
  write_shards(folder);
  fs::rename(folder.file(second), other.file(second));
  fs::create_symlink(other.file(second), folder.file(second));
  const std::string refused = ": is a link to a file outside its folder";
  CHECK(opening_error(folder) ==
        "[gaze::load] " + folder.file(index_name) + " weight_map 'b': " + second + refused);
  fs::remove(folder.file(second));
  fs::create_directories(folder.path / "data");
  fs::rename(other.file(second), folder.file("data/x"));
  fs::create_symlink("data/x", folder.file(second));
  CHECK(opening_error(folder).empty());
  fs::remove(folder.file("data/x"));
  CHECK(contains(opening_error(folder), "weight_map 'b': " + second + ": cannot open: No such"));
  fs::create_symlink("../" + second, folder.file("data/x"));
  CHECK(contains(opening_error(folder), "cannot open: "));
  // One file, and the index itself.
  write_safetensors(other.file("w"), {entry<float>("a", {1}, {1})});
  const Folder single("weights_single");
  fs::create_symlink(other.file("w"), single.file("model.safetensors"));
  CHECK(opening_error(single) == "[gaze::load] " + single.file("model.safetensors") + refused);
  CHECK(WeightFiles(single.file("model.safetensors")).names() == Names{"a"});  // the user's choice
  fs::rename(single.file("model.safetensors"), single.file(index_name));
  CHECK(opening_error(single) == "[gaze::load] " + single.file(index_name) + refused);
}

TEST_CASE("folders of the cache of Hugging Face's hub can be opened") {
  const Folder cache("weights_hub");
  const std::string blobs = "models--a--b/blobs/", revision = "models--a--b/snapshots/0123abc/";
  for (const std::string& folder : {blobs, revision, std::string("blobs/ab/")})
    fs::create_directories(cache.path / folder);
  write_safetensors(cache.file(blobs + "one"), {entry<float>("a", {1}, {1})});
  write_safetensors(cache.file("blobs/ab/two"), {entry<float>("b", {1}, {2})});
  cache.put(blobs + "index", index_of({{"a", first}, {"b", second}}));
  fs::create_symlink("../../blobs/one", cache.file(revision + first));
  fs::create_symlink("../../blobs/two", cache.file(revision + second));
  fs::create_symlink("../../blobs/ab/two", cache.file(blobs + "two"));
  fs::create_symlink("../../blobs/index", cache.file(revision + index_name));
  CHECK(WeightFiles(cache.file(revision)).names() == Names{"a", "b"});
  // No other folder of the cache, and in no other layout.
  fs::create_directories(cache.path / "models--c--d");
  fs::rename(cache.file("blobs/ab/two"), cache.file("models--c--d/two"));
  fs::remove(cache.file(blobs + "two"));
  fs::create_symlink("../../models--c--d/two", cache.file(blobs + "two"));
  CHECK(contains(opening_error(cache.file(revision)), "outside its folder"));
  fs::remove(cache.file(blobs + "two"));
  fs::rename(cache.file("models--c--d/two"), cache.file(blobs + "two"));
  CHECK(opening_error(cache.file(revision)).empty());
  fs::rename(cache.file("models--a--b/snapshots"), cache.file("models--a--b/other"));
  CHECK(contains(opening_error(cache.file("models--a--b/other/0123abc")), "outside its folder"));
}

}  // namespace test_weight_files
