// SPDX-License-Identifier: MIT
// Base64 and tab-separated tables: the pandas rules, the writer, and damaged input.
#include <filesystem>
#include <sstream>
#include <string>

#include "gaze/io/base64.hpp"
#include "phyx/data/pandas_columns.hpp"
#include "phyx/data/tsv.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"

namespace test_tsv {

using namespace gaze::phyx;
using Catch::Contains;

namespace {

TsvReader reader_of(const std::string& text, TsvLimits limits = {}) {
  return TsvReader(std::make_unique<std::istringstream>(text), "table.tsv", limits);
}

std::vector<TsvReader::Row> rows_of(const std::string& text, TsvLimits limits = {}) {
  TsvReader reader = reader_of(text, limits);
  std::vector<TsvReader::Row> rows;
  for (TsvReader::Row row; reader.next(row);) rows.push_back(row);
  return rows;
}

std::string decoded(const std::string& text) {
  const auto bytes = gaze::io::base64_decode(text);
  return std::string(bytes.begin(), bytes.end());
}

std::vector<std::string> as_pandas(const std::vector<std::string>& cells) {
  ColumnType type;
  for (const auto& cell : cells) type.see(cell);
  std::vector<std::string> texts;
  for (const auto& cell : cells) texts.push_back(type.text(cell));
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("base64: encodes the vectors of RFC 4648 and every byte", "[phyx]") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    const std::string_view view = plain;
    CHECK(gaze::io::base64_encode(
              {reinterpret_cast<const std::uint8_t*>(view.data()), view.size()}) == text);
    CHECK(decoded(text) == plain);
  }
  std::vector<std::uint8_t> all;
  for (int i = 0; i < 1000; ++i) all.push_back(static_cast<std::uint8_t>(i * 7 + i / 256));
  CHECK(gaze::io::base64_decode(gaze::io::base64_encode(all)) == all);
}

TEST_CASE("base64: errors name the damaged character", "[phyx]") {
  CHECK_THROWS_WITH(gaze::io::base64_decode("Zm9v!mFy"), Contains("character 4"));
  CHECK_THROWS_WITH(gaze::io::base64_decode("Zm9v\nZg="), Contains("character 4"));
  CHECK_THROWS_WITH(gaze::io::base64_decode("Zg==Zg=="), Contains("character 2"));
  CHECK_THROWS_WITH(gaze::io::base64_decode("Zm9vY"), Contains("character 5"));
  CHECK_THROWS_WITH(gaze::io::base64_decode("Zm9vYg"), Contains("character 6"));
  CHECK_THROWS_WITH(gaze::io::base64_decode("Zh=="), Contains("character 1"));
  CHECK_THROWS_AS(gaze::io::base64_decode("="), gaze::Error);
  CHECK_THROWS_AS(gaze::io::base64_decode("===="), gaze::Error);
  CHECK_THROWS_AS(gaze::io::base64_decode("Z==="), gaze::Error);
}

TEST_CASE("tsv: the reader agrees with the official data path", "[phyx]") {
  int seen = 0;
  for (const auto& one : gaze::test::json_lines(gaze::test::data_path("phyx_loader_cases.jsonl"))) {
    if (one.at("kind") != "tsv") continue;
    ++seen;
    INFO(one.at("id"));
    TsvReader reader = reader_of(one.at("tsv").get<std::string>());
    CHECK(reader.columns() == one.at("columns").get<Texts>());
    Texts answers;
    std::size_t count = 0;
    for (TsvReader::Row row; reader.next(row); ++count) {
      answers.push_back(row[reader.column("answer")]);
      if (!one.contains("rows")) continue;
      for (const auto& [key, value] : one.at("rows").at(count).items()) {
        const std::string& cell = row[reader.column(key)];
        CHECK(is_missing(cell) == value.is_null());
        if (value.is_string()) CHECK(cell == value.get<std::string>());
        if (value.is_number()) CHECK(cell == value.dump());
      }
    }
    if (one.contains("rows")) CHECK(count == one.at("rows").size());
    if (one.contains("answers_as_str"))
      CHECK(as_pandas(answers) == one.at("answers_as_str").get<Texts>());
  }
  CHECK(seen == 3);
}

TEST_CASE("tsv: line ends, blank lines, byte order marks and stray quotes are read", "[phyx]") {
  const std::vector<Texts> expected = {{"1", "x"}, {"2", "y z"}};
  CHECK(rows_of("a\tb\n1\tx\n2\ty z\n") == expected);
  CHECK(rows_of("a\tb\r\n1\tx\r\n2\ty z") == expected);
  CHECK(rows_of("a\tb\r1\tx\r2\ty z\r") == expected);
  CHECK(rows_of("\xEF\xBB\xBF\"a\"\tb\n\n\n1\tx\n\r\n2\t\"y z\"\n\n") == expected);
  CHECK(rows_of("a\tb\n\t\n") == std::vector<Texts>{{"", ""}});
  CHECK(rows_of("a\tb\n5\"\t\"6\"\" \"in\n").front() == Texts{"5\"", "6\" in"});
  CHECK(rows_of("a\n\"\"\n") == std::vector<Texts>{{""}});
  const std::string large(300000, 'x');  // several buffers long, quoted and not
  CHECK(rows_of("a\tb\n" + large + "\t\"" + large + "\"\"\n\"\n").front() ==
        Texts{large, large + "\"\n"});
}

TEST_CASE("tsv: seek returns to a row", "[phyx]") {
  TsvReader reader = reader_of("a\tb\n1\tx\n2\t\"y\nz\"\n3\tw\n");
  TsvReader::Row row;
  REQUIRE(reader.next(row));
  REQUIRE(reader.next(row));
  const auto offset = reader.row_offset();
  REQUIRE(reader.next(row));
  CHECK_FALSE(reader.next(row));
  reader.seek(offset, 2);
  REQUIRE(reader.next(row));
  CHECK(row == Texts{"2", "y\nz"});
  CHECK(reader.row() == 2);
}

TEST_CASE("tsv: damaged tables name the file and the row", "[phyx]") {
  CHECK_THROWS_WITH(rows_of("a\tb\n1\tx\n2"), Contains("table.tsv row 2: 1 fields"));
  CHECK_THROWS_WITH(rows_of("a\tb\n1\tx\n2\t\"y\nz"),
                    Contains("table.tsv row 2: the file ends inside quotes"));
  CHECK_THROWS_WITH(rows_of("a\tb\n1\tx\ty\n"), Contains("table.tsv row 1: more than 2 fields"));
  CHECK_THROWS_WITH(rows_of("a\ta\n"), Contains("header: column a occurs twice"));
  CHECK_THROWS_WITH(rows_of(""), Contains("table.tsv: no header"));
  CHECK_THROWS_WITH(rows_of("a\tb\n1\t123456789\n", {8, 4}), Contains("row 1: a field of over 8"));
  CHECK_THROWS_WITH(rows_of("a\tb\tc\td\te\n", {8, 4}), Contains("header: more than 4 fields"));
  CHECK_THROWS_WITH(TsvReader(std::filesystem::path("no/such.tsv")), Contains("cannot open"));
}

TEST_CASE("tsv: numbers are typed like pandas", "[phyx]") {
  CHECK(as_pandas({"12", "007", " 5", "+3"}) == Texts{"12", "7", "5", "3"});
  CHECK(as_pandas({"12", "NA"}) == Texts{"12.0", "nan"});
  CHECK(as_pandas({"1e-5", "0.0001", "1e16", "1e15", "-0", ".5", "5.", "inf"}) ==
        Texts{"1e-05", "0.0001", "1e+16", "1000000000000000.0", "-0.0", "0.5", "5.0", "inf"});
  CHECK(as_pandas({"12", "x"}) == Texts{"12", "x"});
  CHECK(as_pandas({"true", "FALSE"}) == Texts{"True", "False"});
  CHECK(as_pandas({"", "NA"}) == Texts{"nan", "nan"});
  CHECK(as_pandas({"nan(1)", "1"}) == Texts{"nan(1)", "1"});
  CHECK(as_pandas({"+-5", "1"}) == Texts{"+-5", "1"});
}

TEST_CASE("tsv: written tables read back, and appear completely or not at all", "[phyx]") {
  const gaze::test::Folder folder("tsv");
  const auto path = folder.path / "table.tsv";
  const std::vector<Texts> rows = {{"1", "tab\there"}, {"", "\"quoted\"\r\nlines"}, {"\"", "é\n"}};
  {
    TsvWriter writer(path, {"a", "b\t"});
    for (const auto& row : rows) writer.write(row);
    CHECK_THROWS_AS(writer.write({"too few"}), gaze::Error);
    CHECK_FALSE(std::filesystem::exists(path));
    writer.finish();
    CHECK_THROWS_AS(writer.finish(), gaze::Error);
  }
  {
    TsvReader reader(path);
    CHECK(reader.columns() == Texts{"a", "b\t"});
    std::vector<Texts> back;
    for (TsvReader::Row row; reader.next(row);) back.push_back(row);
    CHECK(back == rows);
  }
  { TsvWriter abandoned(path, {"other"}); }
  CHECK(TsvReader(path).columns().size() == 2);
  CHECK_FALSE(std::filesystem::exists(path.string() + ".tmp"));
  CHECK_THROWS_WITH(TsvWriter("no/such/folder.tsv", {"a"}), Contains("cannot create"));
}

}  // namespace test_tsv
