// SPDX-License-Identifier: MIT
// Rows of one's own data for tests, with pictures of one pixel.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gaze/image/png.hpp"
#include "gaze/io/base64.hpp"

namespace gaze::test::own_rows {

using Row = nlohmann::ordered_json;

/// A PNG of one pixel of this colour, in base64.
inline std::string pixel(std::uint8_t red, std::uint8_t green = 0, std::uint8_t blue = 0) {
  const std::uint8_t rgb[3] = {red, green, blue};
  return io::base64_encode(image::encode_png(rgb, 1, 1));
}

inline Row row(const std::string& id, std::uint8_t red, const std::string& answer) {
  return {{"id", id},
          {"image_base64", pixel(red)},
          {"question", "How bright is it ?"},
          {"answer", answer},
          {"response", "<think> so " + answer + " </think> <answer> " + answer + " </answer>"}};
}

/// Ten rows about five pictures: two questions about each, the second a multiple choice.
inline std::vector<Row> ten_rows() {
  std::vector<Row> rows;
  for (int i = 0; i < 5; ++i) {
    const auto red = static_cast<std::uint8_t>(50 * i);
    rows.push_back(row("value-" + std::to_string(i), red, std::to_string(50 * i)));
    rows.push_back(row("choice-" + std::to_string(i), red, i < 3 ? "A" : "B"));
    rows.back()["options"] = Row::parse(R"(["dark", "bright"])");
  }
  return rows;
}

/// The rows as JSONL.
inline std::string jsonl(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& r : rows) out += r.dump() + "\n";
  return out;
}

}  // namespace gaze::test::own_rows
