// SPDX-License-Identifier: MIT
// Problem files that refer to foreign files, or exceed size limits.
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "phyx/data/reader.hpp"
#include "tests/problem_files.hpp"
#include "tests/test.hpp"

namespace test_loader_bounds {

using namespace gaze::phyx;
using Catch::Contains;
using namespace gaze::test::problems;
namespace fs = std::filesystem;

TEST_CASE("loader: pictures beside the data stay in its folder", "[phyx]") {
  const ProblemFolder folder("beside"), elsewhere("elsewhere");
  const std::string columns = "question\tindex\tanswer\tcategory\timage_path\n";
  const auto table = [&](const std::string& name, const std::string& picture) {
    return folder.put(name, columns + "q\t0\t5 N\tOptics\t" + picture + "\n");
  };
  folder.put("images/0.png", as_text(picture(1)));
  elsewhere.put("1.png", as_text(picture(2)));
  fs::create_symlink(elsewhere.path / "1.png", folder.path / "images/1.png");
  fs::create_directory_symlink(elsewhere.path, folder.path / "images/there");
  fs::create_symlink("0.png", folder.path / "images/2.png");
  REQUIRE(::mkfifo((folder.path / "images/pipe.png").c_str(), 0600) == 0);

  const std::string whole = fs::absolute(folder.path / "images/0.png").string();
  CHECK(load_tsv(table("a_OE.tsv", whole)).problems[0].image == picture(1));
  CHECK(load_tsv(table("a_OE.tsv", "2.png")).problems[0].image == picture(1));
  const auto refuses = [&](const std::string& name, const std::string& complaint) {
    CHECK_THROWS_WITH(load_tsv(table("a_OE.tsv", name)),
                      Contains("a_OE.tsv row 1, image_path: " + complaint));
    auto lines = record();
    lines["image"] = name;
    const auto path = folder.put("t.jsonl", lines.dump());
    CHECK_THROWS_WITH(load_jsonl(path, folder.path, Form::mc),
                      Contains("t.jsonl line 1, image: " + complaint));
  };
  refuses("1.png", "leaves the folder by a symbolic link");
  refuses("there/1.png", "leaves the folder by a symbolic link");
  refuses("/etc/passwd", "leaves the folder");
  refuses("images/../../x.png", "leaves the folder");
  refuses("pipe.png", "cannot read \"pipe.png\": not a regular file");
  refuses(".", "cannot read");
  refuses(std::string(5000, 'x'), "cannot read");

  const fs::path before = fs::current_path();  // a bare name has no folder before it
  fs::current_path(folder.path);
  table("bare_OE.tsv", "/etc/passwd");
  CHECK_THROWS_WITH(load_tsv("bare_OE.tsv"), Contains("row 1, image_path: leaves the folder"));
  table("bare_OE.tsv", whole);
  CHECK(load_tsv("bare_OE.tsv").problems[0].image == picture(1));
  table("bare_OE.tsv", "0.png");
  CHECK(load_tsv("bare_OE.tsv").problems[0].image == picture(1));
  fs::current_path(before);

  LoadOptions options;  // an explicit folder may be anywhere
  options.pictures_at = folder.path / "images/there";
  CHECK(load_tsv(table("a_OE.tsv", "1.png"), options).problems[0].image == picture(2));
}

TEST_CASE("loader: reads a download cache whose files are links into its store", "[phyx]") {
  const ProblemFolder folder("cache");
  fs::create_directories(folder.path / "blobs");
  fs::create_directories(folder.path / "snapshots/1/images");
  folder.put("blobs/aa", as_text(picture(3)));
  folder.put("blobs/bb",
             "question\tindex\tanswer\tcategory\timage_path\nq\t0\t5 N\tOptics\t0.png\n");
  fs::create_symlink("../../../blobs/aa", folder.path / "snapshots/1/images/0.png");
  fs::create_symlink("../../blobs/bb", folder.path / "snapshots/1/a_OE.tsv");
  CHECK(load_tsv(folder.path / "snapshots/1/a_OE.tsv").problems[0].image == picture(3));
}

TEST_CASE("loader: answers, options and lists have a maximum length", "[phyx]") {
  const ProblemFolder folder("long");
  const std::string longer(TsvLimits{}.answer_bytes + 1, 'x');
  const auto oe = folder.put("a_OE.tsv", header + row("0", longer, image64));
  CHECK_THROWS_WITH(load_tsv(oe), Contains("a_OE.tsv row 1, answer: over 65536 bytes"));
  const auto mc = folder.put("a_MC.tsv", header + "0\tOPTION: A: 1 B: " + longer +
                                             " C: 3 D: 4\tA\t" + image64 + "\tOptics\t\t\n");
  CHECK_THROWS_WITH(load_tsv(mc), Contains("row 1, question, an option: over 65536 bytes"));
  const auto list =
      folder.put("b_OE.tsv", header + row("0", "5", image64, "Optics", std::string(5000, ',')));
  CHECK_THROWS_WITH(load_tsv(list), Contains("row 1, reasoning_type: over 4096 bytes"));
  auto lines = record();
  lines["options"] = "A:\"1\",B:\"" + longer + "\",C:\"3\",D:\"4\"";
  const auto jsonl = folder.put("t.jsonl", lines.dump());
  CHECK_THROWS_WITH(load_jsonl(jsonl, folder.path, Form::oe),
                    Contains("t.jsonl line 1, options: over 65536 bytes"));
}

}  // namespace test_loader_bounds
