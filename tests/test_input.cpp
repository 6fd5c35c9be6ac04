// SPDX-License-Identifier: MIT
// Untrusted input: printable text, file names made from data, unexpected folders and files, pipes
// that are read once, JSON of our own files.
#include <fcntl.h>
#include <sys/stat.h>

#include <set>
#include <thread>

#include "gaze/core/utf8.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/input_file.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/file_names.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/scoring/predictions.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_input {
namespace {

using namespace gaze::phyx;
namespace io = gaze::io;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
namespace fs = std::filesystem;

/// A named pipe into which another thread writes a text once.
class Pipe {
 public:
  Pipe(const std::string& path, std::string text) : text_(std::move(text)) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    writer_ = std::thread([this, path] {
      const int end = ::open(path.c_str(), O_WRONLY);
      for (std::size_t at = 0; at < text_.size();) {
        const ssize_t n =
            ::write(end, text_.data() + at, std::min<std::size_t>(7, text_.size() - at));
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
      }
      ::close(end);
    });
  }
  Pipe(const Pipe&) = delete;
  ~Pipe() { writer_.join(); }

 private:
  std::string text_;
  std::thread writer_;
};

}  // namespace

TEST_CASE("a file name made from data stays in its folder and is unique", "[phyx]") {
  CHECK(safe_name("test_known") == "test_known");
  CHECK(safe_name("PhyX_mini_OE_FT") == "PhyX_mini_OE_FT");
  CHECK(safe_name("\xE4\xB8\xAD 7.5") == "\xE4\xB8\xAD 7.5");
  CHECK(safe_name("../../x") == "%2E.%2F..%2Fx");
  CHECK(safe_name("/etc/passwd") == "%2Fetc%2Fpasswd");
  CHECK(safe_name("..") == "%2E.");
  CHECK(safe_name("") == "%");
  CHECK(safe_name("a%2Fb") == "a%252Fb");
  CHECK(safe_name("a_b", "_") == "a%5Fb");
  CHECK(safe_name(std::string_view("a\0\n\xFF", 4)) == "a%00%0A%FF");
  const std::string many(300, 'x'), accents = [] {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "\xC3\xA9";
    return text;
  }();
  std::set<std::string> names;
  for (const std::string& text :
       {many, many + "x", many + "y", accents, accents + "/", "/" + many}) {
    const std::string name = safe_name(text);
    CHECK(name.size() <= longest_name);
    CHECK(gaze::is_utf8(name));
    CHECK(fs::path(name).filename().string() == name);
    CHECK(names.insert(name).second);
  }
}

TEST_CASE("file queries fail with one error that has the path", "[phyx]") {
  const Folder folder("folders");
  gaze::io::write_file(folder.file("plain"), std::string_view("x"));
  gaze::io::make_folders(folder.file("a/b"));
  gaze::io::make_folders(folder.file("a/b"));
  CHECK(gaze::io::exists(folder.file("a/b")));
  CHECK_FALSE(gaze::io::exists(folder.file("none")));
  const std::string endless = folder.file(std::string(5000, 'x'));
  CHECK(contains(error_of([&] { gaze::io::exists(endless); }),
                 "[gaze::exists] " + endless.substr(0, 900)));
  CHECK(contains(error_of([&] { gaze::io::exists(endless); }), "too long"));
  CHECK(contains(error_of([&] { gaze::io::make_folders(folder.file("plain/c")); }),
                 "[gaze::make_folders] " + folder.file("plain/c")));
  CHECK(contains(error_of([&] { gaze::io::make_folders(folder.file("plain")); }), "cannot create"));
}

TEST_CASE("data that is not a regular file is refused without waiting", "[phyx]") {
  const Folder folder("irregular");
  const std::string pipe = folder.file("x_OE.tsv"), lines = folder.file("x_OE.jsonl");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  REQUIRE(::mkfifo(lines.c_str(), 0600) == 0);
  for (const std::string& path : {pipe, lines, folder.path.string(), std::string("/dev/zero")}) {
    INFO(path);
    LoadOptions options;
    options.form = Form::oe;
    CHECK(contains(error_of([&] { ProblemReader(path, options); }), path + ": not a regular file"));
    CHECK(contains(error_of([&] { TsvReader{fs::path(path)}; }), path + ": not a regular file"));
    CHECK(contains(error_of([&] { JsonlLoader(path, options); }), path + ": not a regular"));
    CHECK(contains(error_of([&] { gaze::io::sha256_file(path); }), path + ": not a regular file"));
    CHECK(contains(error_of([&] { read_outcomes(path); }), path + ": not a regular file"));
  }
  CHECK(contains(error_of([&] { TsvReader(fs::path(folder.file("none.tsv"))); }), "cannot open"));
}

TEST_CASE("predictions from a pipe are read once", "[phyx]") {
  const Folder folder("pipes");
  std::string lines, table = "form\tanswer\tprediction\n";
  for (int i = 0; i < 5000; ++i) {  // several blocks
    const std::string n = std::to_string(i);
    lines += R"({"form":"OE","answer":")" + n + R"( N","prediction":"it is )" + n + " N\"}\n";
    table += "OE\t" + n + " N\tit is " + n + " N\n";
  }
  int count = 0;
  for (const std::string& text : {lines, "\n " + lines, table}) {
    const std::string path = folder.file("pipe" + std::to_string(count++));
    const Pipe pipe(path, text);
    const auto set = read_predictions({path, {}, {}});
    REQUIRE(set.predictions.size() == 5000);
    CHECK(set.predictions[4999].text == "it is 4999 N");
    CHECK(set.predictions[0].problem.answer == "0 N");
  }
  const Pipe parquet(folder.file("pq"), "PAR1....");
  CHECK(contains(error_of([&] { read_predictions({folder.file("pq"), {}, {}}); }), "is Parquet"));
  const Pipe empty(folder.file("empty"), "");
  CHECK(contains(error_of([&] { read_predictions({folder.file("empty"), {}, {}}); }), "no header"));
  CHECK(contains(error_of([&] {
                   read_predictions({folder.path.string(), {}, {}});
                 }),
                 "cannot read"));
}

TEST_CASE("NUL bytes are refused with their position", "[phyx]") {
  using namespace std::string_literals;
  CHECK(contains(error_of([] { gaze::io::parse_json("{\"a\":1}\0 hidden"s, "x.json"); }),
                 "x.json: a NUL byte at character 7"));
  CHECK(contains(error_of([] { gaze::io::parse_json("{\"a\":1}\0"s, "x.json"); }), "NUL byte"));
  const Folder folder("nul");
  gaze::io::write_file(folder.file("a_OE.jsonl"), "{\"answer\":\"5\",\"prediction\":\"5\"}\0{}\n"s);
  CHECK(contains(error_of([&] {
                   read_predictions({folder.file("a_OE.jsonl"), {}, {}});
                 }),
                 "a_OE.jsonl line 1: a NUL byte at character 31"));
  LoadOptions options;
  options.form = Form::oe;
  options.pictures = false;
  const auto load = [&] {
    ProblemReader reader(folder.file("a_OE.jsonl"), options);
    reader.next();
  };
  CHECK(contains(error_of(load), "a_OE.jsonl line 1, record: not a JSON object"));
  CHECK(contains(error_of(load), "NUL byte"));
  gaze::io::write_file(folder.file("a_OE.tsv"), "answer\tprediction\n5 N\t5\0 N\n"s);
  CHECK(contains(error_of([&] {
                   read_predictions({folder.file("a_OE.tsv"), {}, {}});
                 }),
                 "a_OE.tsv row 1: prediction: a NUL byte"));
  gaze::io::write_file(folder.file("b_OE.tsv"), "answer\tpre\0diction\n5 N\t5\n"s);
  CHECK(contains(error_of([&] {
                   read_predictions({folder.file("b_OE.tsv"), {}, {}});
                 }),
                 "b_OE.tsv header: pre\\x00diction: a NUL byte"));
}

TEST_CASE("unexpected JSON in our own files is an error with file and field", "[phyx]") {
  const Folder folder("json");
  const std::string path = folder.file("config.json");
  const auto put = [&](const std::string& text) { gaze::io::write_file(path, text); };
  for (const char* text : {"[]", "7", "null", "\"x\""}) {
    put(text);
    CHECK(error_of([&] { gaze::io::read_json_object(path); }) ==
          "[gaze::read_json] " + path + ": not a JSON object");
  }
  put("{\"started\":5,\"seconds\":\"x\"}");
  const gaze::io::Json config = gaze::io::read_json_object(path);
  CHECK(error_of([&] { gaze::io::json_text(config, "started", path, ""); }) ==
        "[gaze::read_json] " + path + ", started: not a text");
  CHECK(error_of([&] { gaze::io::json_number(config, "seconds", path, 0); }) ==
        "[gaze::read_json] " + path + ", seconds: not a number");
  CHECK(gaze::io::json_text(config, "none", path, "otherwise") == "otherwise");
  CHECK(gaze::io::json_number(config, "started", path, 0) == 5);
  put("{\"a\x1b\":1,\"a\x1b\":2}");
  CHECK_FALSE(contains(error_of([&] { gaze::io::read_json_object(path); }), "\x1b"));
  put("{\"a\":\"" + std::string(100000, 'x'));
  CHECK(error_of([&] { gaze::io::read_json_object(path); }).size() < 1000);
  OutcomeSet set{"\xFF", 0, {}};
  CHECK(contains(error_of([&] { write_outcomes(folder.file("o.jsonl"), set); }), "o.jsonl"));
}

TEST_CASE("a line that is too long is an error of the operation that reads it", "[phyx]") {
  const Folder folder("long_line");
  const std::string path = folder.file("a_OE.jsonl");
  gaze::io::write_file(path, "{\"answer\":\"5\",\"prediction\":\"5\"}\n");
  PredictionFiles files{path, {}, {}};
  files.reading.limits.field_bytes = 10;
  const std::string message = path + " line 1: over 10 bytes";
  CHECK(error_of([&] { read_predictions(files); }) == "[gaze::score] " + message);
  CHECK(error_of([&] { JsonlLoader(path, files.reading).next(); }) ==
        "[gaze::read_jsonl] " + message);
}

}  // namespace test_input
