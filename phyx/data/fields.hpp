// SPDX-License-Identifier: MIT
// Reading the fields of one record; errors name the file, the row or line, and the field.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/data/tsv.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// The place of a record in its file, for errors: "[gaze::read_tsv] FILE row 3, answer: empty".
struct RecordPlace {
  std::string_view where;  // the operation: "read_tsv"
  std::string_view file;
  std::string_view unit;  // "row" or "line"
  std::size_t number;

  [[noreturn]] void fail(const std::string& complaint) const;  // of the whole record
  [[noreturn]] void fail(std::string_view field, const std::string& complaint) const;
  void check(bool condition, std::string_view field, const char* complaint) const {
    if (!condition) fail(field, complaint);
  }
  void check_length(std::string_view text, std::size_t most, std::string_view field) const {
    if (text.size() > most) fail(field, "over " + std::to_string(most) + " bytes");
  }
};

// The functions below throw the Error of `place` for malformed input.

/// The domain in the data's spelling (canonical_domain).
std::string parse_domain(std::string_view text, const RecordPlace& place);

/// The distinct reasoning types in a cell.
std::vector<std::string> parse_reasoning(std::string_view text, const TsvLimits& limits,
                                         const RecordPlace& place);

/// "A", "B", "C" or "D".
std::string parse_letter(std::string_view text, const RecordPlace& place);

/// The string under `key`; empty if absent. Errors name `field`, the field that contains the
/// object.
std::string optional_text(const io::Json& object, const char* key, const RecordPlace& place,
                          std::string_view field);

/// The list of strings under `key`; empty if absent.
std::vector<std::string> optional_texts(const io::Json& object, const char* key,
                                        const RecordPlace& place, std::string_view field);

/// The string under a key that must exist; an integer is returned as text (`index`).
std::string required_text(const io::Json& record, const char* key, const RecordPlace& place);

io::Json parse_object(std::string_view text, const RecordPlace& place, std::string_view field);

/// A solution or a scene, from the JSON text of a table's cell or from a parsed object.
Solution parse_solution(std::string_view text, const RecordPlace& place);
Solution solution_from(const io::Json& json, const RecordPlace& place);
Scene parse_scene(std::string_view text, const RecordPlace& place);
Scene scene_from(const io::Json& json, const RecordPlace& place);

/// Distinct types; an Error for one that PhyX does not have.
std::vector<std::string> checked_reasoning(std::vector<std::string> types,
                                           const RecordPlace& place);

}  // namespace gaze::phyx
