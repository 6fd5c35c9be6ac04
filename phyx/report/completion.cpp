// SPDX-License-Identifier: MIT
// Reading completions, and recognising pictures.
#include "phyx/report/completion.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/base64.hpp"
#include "gaze/io/json.hpp"
#include "phyx/report/json_fields.hpp"

namespace gaze::phyx::report {

namespace {

/// Attention is optional: if incomplete it is dropped, if malformed it is an error.
void read_attention(const io::Json& a, const std::string& where, Completion& c) {
  if (!a.is_object() || !a.contains("grid") || !a.contains("maps")) return;
  const auto &grid = a["grid"], &maps = a["maps"];
  GAZE_CHECK(grid.is_array() && grid.size() == 2 && grid[0].is_number_integer() &&
                 grid[1].is_number_integer() && grid[0] > 0 && grid[1] > 0 && grid[0] <= 256 &&
                 grid[1] <= 256,
             "report", where, ", attention.grid: not [width, height]");
  GAZE_CHECK(maps.is_array(), "report", where, ", attention.maps: not a list");
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  c.grid_width = grid[0].get<int>();
  c.grid_height = grid[1].get<int>();
  for (const auto& map : maps) {
    GAZE_CHECK(map.is_array() && map.size() == std::size_t(c.grid_width * c.grid_height), "report",
               where, ", attention.maps: a map does not have width x height values");
    auto& out = c.maps.emplace_back();
    for (const auto& v : map) {  // JSON has null for NaN
      GAZE_CHECK(v.is_number() || v.is_null(), "report", where, ", attention.maps: not a number");
      const double share = v.is_null() ? not_a_number : v.get<double>();
      out.push_back(std::fabs(share) <= 1e30 ? float(share) : float(not_a_number));
    }
  }
  if (a.contains("tokens") && a["tokens"].is_array())
    for (const auto& t : a["tokens"]) c.tokens.push_back(t.is_string() ? t.get<std::string>() : "");
}

std::uint32_t big_endian(std::string_view b, std::size_t at, int bytes) {
  std::uint32_t v = 0;
  for (int i = 0; i < bytes; ++i) v = v << 8 | std::uint8_t(b[at + std::size_t(i)]);
  return v;
}

/// Finds the size in a JPEG's frame header.
bool jpeg_size(std::string_view b, int& width, int& height) {
  for (std::size_t at = 2; at + 9 < b.size() && std::uint8_t(b[at]) == 0xFF;) {
    const std::uint8_t marker = std::uint8_t(b[at + 1]);
    const bool frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      height = int(big_endian(b, at + 5, 2));
      width = int(big_endian(b, at + 7, 2));
      return width > 0 && height > 0;
    }
    at += 2 + big_endian(b, at + 2, 2);
  }
  return false;
}

/// PNG or JPEG bytes as a data URI; empty for other types and for pictures that are too large for a
/// browser.
std::optional<EmbeddedImage> embed_bytes(std::string_view b) {
  constexpr std::uint32_t too_wide = 8193;
  EmbeddedImage out;
  std::string type;
  if (b.size() > 24 && b.substr(0, 8) == "\x89PNG\r\n\x1a\n") {
    type = "png";
    out.width = int(std::min(big_endian(b, 16, 4), too_wide));
    out.height = int(std::min(big_endian(b, 20, 4), too_wide));
  } else if (b.size() > 10 && b.substr(0, 3) == "\xFF\xD8\xFF" &&
             jpeg_size(b, out.width, out.height)) {
    type = "jpeg";
  }
  if (type.empty() || out.width <= 0 || out.height <= 0 || out.width >= int(too_wide) ||
      out.height >= int(too_wide))
    return std::nullopt;
  const auto* data = reinterpret_cast<const std::uint8_t*>(b.data());
  out.uri = "data:image/" + type + ";base64," + io::base64_encode(std::span(data, b.size()));
  return out;
}

/// Whether a name from a log stays inside the run's folder.
bool stays_inside(const std::filesystem::path& name) {
  if (name.empty() || name.is_absolute()) return false;
  return std::none_of(name.begin(), name.end(), [](const auto& part) { return part == ".."; });
}

constexpr std::size_t largest_embedded_image = 4u << 20;

constexpr std::size_t most_bytes = std::size_t{256} << 20;  // limit of a CompletionPicker

/// Memory of a completion, including an allowance for the tree node.
std::size_t bytes_of(const Completion& c) {
  std::size_t bytes = sizeof c + 500 + 2 * (c.condition.size() + c.index.size()) +
                      c.question.size() + c.answer.size() + c.text.size() + c.image.size();
  for (const auto& token : c.tokens) bytes += sizeof token + token.size();
  for (const auto& map : c.maps) bytes += sizeof map + map.size() * sizeof(float);
  for (const auto& [name, value] : c.rewards) bytes += 100 + name.size();
  return bytes;
}

}  // namespace

std::optional<EmbeddedImage> embed_image(const Completion& c) {
  std::string_view text = c.image;
  const std::size_t comma = text.rfind("data:image/", 0) == 0 ? text.find(',') : text.npos;
  if (comma != text.npos) text.remove_prefix(comma + 1);
  const bool encoded = text.rfind("iVBOR", 0) == 0 || text.rfind("/9j/", 0) == 0;
  try {
    if (encoded && text.size() < largest_embedded_image * 4 / 3) {
      const auto bytes = io::base64_decode(text);
      return embed_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    if (encoded || !stays_inside(c.image)) return std::nullopt;
    for (const auto& folder : c.folders) {
      const auto path = std::filesystem::path(folder) / c.image;
      std::error_code error;  // e.g. a name that is too long: no such picture
      if (std::filesystem::is_regular_file(path, error))
        return embed_bytes(io::read_file(path.string(), largest_embedded_image));
    }
  } catch (const Error&) {
    // The example is shown without its picture.
  }
  return std::nullopt;
}

Completion read_completion(const io::Json& value, const std::string& where,
                           const std::string& beside, const std::string& root) {
  Completion c;
  c.folders = {beside, root};
  c.condition = json_text(value, "condition", where);
  c.index = json_text(value, "index", where);
  c.form = json_text(value, "form", where);
  c.question = json_text(value, "question", where);
  c.answer = json_text(value, "answer", where);
  c.text = json_text(value, "text", where);
  c.image = json_text(value, "image", where);
  c.seed = json_integer(value, "seed", where);
  c.step = json_integer(value, "step", where);
  const auto correct = value.find("correct");
  if (correct != value.end()) c.correct = *correct == true || *correct == 1;
  const auto rewards = value.find("rewards");
  if (rewards != value.end() && rewards->is_object())
    for (const auto& [name, v] : rewards->items())
      if (v.is_number()) c.rewards[name] = v.get<double>();
  const auto attention = value.find("attention");
  if (attention != value.end()) read_attention(*attention, where, c);
  return c;
}

void CompletionPicker::add(Completion&& c) {
  auto& slot = kept_[{c.index, c.form}][c.condition];
  const bool later = !slot || c.seed < slot->seed || (c.seed == slot->seed && c.step >= slot->step);
  if (!later) return;
  const std::size_t before = slot ? bytes_of(*slot) : 0, after = bytes_of(c);
  // Hostile or endless logs must not exhaust memory.
  if (bytes_ - before + after > most_bytes) {
    if (!slot) kept_[{c.index, c.form}].erase(c.condition);
    return;
  }
  bytes_ += after - before;
  slot = std::move(c);
}

std::vector<Completion> CompletionPicker::take() {
  std::vector<Completion> out;
  for (auto& [problem, by_condition] : kept_)
    for (auto& [condition, c] : by_condition) out.push_back(std::move(*c));
  kept_.clear();
  return out;
}

}  // namespace gaze::phyx::report
