// SPDX-License-Identifier: MIT
// Parsing JSON inside cells and values from fixed lists (domains, reasoning types, letters).
#include "phyx/data/fields.hpp"

#include <algorithm>
#include <utility>

#include "gaze/core/error.hpp"
#include "phyx/data/prompt.hpp"

namespace gaze::phyx {

void RecordPlace::fail(const std::string& complaint) const {
  GAZE_FAIL(std::string(where), file, " ", unit, " ", number, ": ", complaint);
}

void RecordPlace::fail(std::string_view field, const std::string& complaint) const {
  GAZE_FAIL(std::string(where), file, " ", unit, " ", number, ", ", field, ": ", complaint);
}

std::string parse_domain(std::string_view text, const RecordPlace& place) {
  const auto domain = canonical_domain(text);
  if (!domain) place.fail("category", "unknown domain " + shown_text(text));
  return *domain;
}

std::vector<std::string> parse_reasoning(std::string_view text, const TsvLimits& limits,
                                         const RecordPlace& place) {
  place.check_length(text, limits.list_bytes, "reasoning_type");
  return checked_reasoning(parse_list(text), place);
}

std::string parse_letter(std::string_view text, const RecordPlace& place) {
  const std::string letter(trim_blanks(text));
  if (letter.size() != 1 || letter[0] < 'A' || letter[0] > 'D')
    place.fail("answer", "not a letter from A to D: " + shown_text(text));
  return letter;
}

std::string optional_text(const io::Json& object, const char* key, const RecordPlace& place,
                          std::string_view field) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (!found->is_string()) place.fail(field, std::string(key) + " is not a string");
  return found->get<std::string>();
}

std::vector<std::string> optional_texts(const io::Json& object, const char* key,
                                        const RecordPlace& place, std::string_view field) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found == object.end()) return texts;
  if (!found->is_array()) place.fail(field, std::string(key) + " is not a list");
  for (const io::Json& item : *found) {
    if (!item.is_string())
      place.fail(field, std::string(key) + " contains an item that is not a string");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::string required_text(const io::Json& record, const char* key, const RecordPlace& place) {
  const auto found = record.find(key);
  if (found != record.end() && found->is_number_integer()) return found->dump();
  place.check(found != record.end() && found->is_string(), key, "missing or not a string");
  return found->get<std::string>();
}

io::Json parse_object(std::string_view text, const RecordPlace& place, std::string_view field) {
  constexpr std::string_view by = "[gaze::parse_json] ";
  io::Json object;
  try {
    object = io::parse_json(text, shown_text(text));
  } catch (const Error& error) {
    place.fail(field, "not a JSON object: " + std::string(error.what()).substr(by.size()));
  }
  if (!object.is_object()) place.fail(field, "not a JSON object: " + shown_text(text));
  return object;
}

Solution parse_solution(std::string_view text, const RecordPlace& place) {
  return solution_from(parse_object(text, place, "solution"), place);
}

Solution solution_from(const io::Json& json, const RecordPlace& place) {
  return {optional_texts(json, "look", place, "solution"),
          optional_text(json, "principle", place, "solution"),
          optional_texts(json, "steps", place, "solution"),
          optional_text(json, "value", place, "solution"),
          optional_text(json, "unit", place, "solution")};
}

namespace {

Region parse_region(const io::Json& json, const RecordPlace& place) {
  place.check(json.is_object(), "scene", "a region is not an object");
  Region region;
  region.name = optional_text(json, "name", place, "scene");
  const auto box = json.find("box");
  place.check(box != json.end() && box->is_array() && box->size() == 4, "scene",
              "a region's box is not [x0,y0,x1,y1]");
  float* corners[] = {&region.x0, &region.y0, &region.x1, &region.y1};
  for (std::size_t i = 0; i < 4; ++i) {
    place.check((*box)[i].is_number(), "scene",
                "a region's box contains an item that is not a number");
    *corners[i] = (*box)[i].get<float>();
    place.check(*corners[i] >= 0 && *corners[i] <= 1, "scene", "a region's box is outside 0 to 1");
  }
  place.check(region.x0 <= region.x1 && region.y0 <= region.y1, "scene",
              "a region's box has swapped corners");
  return region;
}

}  // namespace

Scene parse_scene(std::string_view text, const RecordPlace& place) {
  return scene_from(parse_object(text, place, "scene"), place);
}

Scene scene_from(const io::Json& json, const RecordPlace& place) {
  Scene scene{optional_text(json, "caption", place, "scene"),
              optional_texts(json, "slots", place, "scene"),
              {},
              {}};
  const auto read = [&](const char* key, std::vector<Region>& to) {
    const auto list = json.find(key);
    if (list == json.end()) return;
    if (!list->is_array()) place.fail("scene", std::string(key) + " is not a list");
    for (const io::Json& region : *list) to.push_back(parse_region(region, place));
  };
  read("regions", scene.regions);
  read("labels", scene.labels);
  return scene;
}

std::vector<std::string> checked_reasoning(std::vector<std::string> types,
                                           const RecordPlace& place) {
  std::vector<std::string> unique;
  for (std::string& type : types) {
    if (std::find(reasoning_types.begin(), reasoning_types.end(), type) == reasoning_types.end())
      place.fail("reasoning_type", "unknown type " + shown_text(type));
    if (std::find(unique.begin(), unique.end(), type) == unique.end())
      unique.push_back(std::move(type));
  }
  return unique;
}

}  // namespace gaze::phyx
