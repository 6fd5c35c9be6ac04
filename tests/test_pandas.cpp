// SPDX-License-Identifier: MIT
// Column types and texts equal to pandas' bit for bit (tests/golden/make_pandas_golden.py).
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/scoring/pandas_columns.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"

namespace test_pandas {

using namespace gaze::phyx;

namespace {

using Texts = std::vector<std::string>;

Texts as_pandas(const Texts& cells) {
  ColumnType type;
  for (const auto& cell : cells) type.see(cell);
  Texts texts;
  for (const auto& cell : cells) texts.push_back(type.text(cell));
  return texts;
}

}  // namespace

TEST_CASE("pandas: every decimal of the golden file is reproduced", "[phyx][golden]") {
  const auto pairs = gaze::test::golden_json("pandas_golden.json").at("decimals");
  REQUIRE(pairs.size() > 3000);
  for (const auto& pair : pairs) {
    const std::string cell = pair.at(0), text = pair.at(1);
    INFO(cell);
    REQUIRE(as_pandas({"0.5", cell})[1] == text);
  }
}

TEST_CASE("pandas: every column of the golden file is reproduced", "[phyx][golden]") {
  const auto columns = gaze::test::golden_json("pandas_golden.json").at("columns");
  REQUIRE(columns.size() > 1500);
  for (const auto& column : columns) {
    const Texts cells = column.at(0), texts = column.at(1);
    INFO(column.dump());
    REQUIRE(as_pandas(cells) == texts);
  }
}

TEST_CASE("pandas: constants of physics are not the nearest doubles", "[phyx]") {
  CHECK(as_pandas({"6.626e-34", "0.5", "1.38e-23"}) ==
        Texts{"6.626000000000001e-34", "0.5", "1.3799999999999998e-23"});
  CHECK(as_pandas({"12", "0.50", "7"}) == Texts{"12.0", "0.5", "7.0"});
}

TEST_CASE("pandas: the order of cells decides whether large numbers stay text", "[phyx]") {
  const std::string large = "123456789012345678901234567890";
  CHECK(as_pandas({large, "0.5"}) == Texts{large, "0.5"});
  CHECK(as_pandas({"0.5", large}) == Texts{"0.5", "1.2345678901234568e+29"});
  CHECK(as_pandas({"9223372036854775808"}) == Texts{"9223372036854775808"});
  CHECK(as_pandas({"9223372036854775808", "NA"}) == Texts{"9223372036854775808", "NA"});
  CHECK(as_pandas({large, "NA"}) == Texts{large, "nan"});
}

TEST_CASE("pandas: a cell of megabytes is read once", "[phyx]") {
  const std::size_t many = 20'000'000;
  CHECK(as_pandas({"0.5", "0." + std::string(many, '0')}) == Texts{"0.5", "0.0"});
  CHECK(as_pandas({"0.5", std::string(many, ' ') + "7"}) == Texts{"0.5", "7.0"});
  const std::string blanks = "7" + std::string(many, ' ') + "x";
  CHECK(as_pandas({"0.5", blanks})[1] == blanks);
}

}  // namespace test_pandas
