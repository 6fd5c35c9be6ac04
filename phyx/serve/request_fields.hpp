// SPDX-License-Identifier: MIT
// Reading the fields of a JSON object from a client.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>

#include "gaze/io/json.hpp"

namespace gaze::phyx::serve {

/// An object in a request. A field that is missing and one that is null are the same. Every
/// function names the field in its ApiError.
class RequestFields {
 public:
  /// `path`: of the object, such as "messages[0]"; "" for the whole body.
  RequestFields(const io::Json& object, std::string path);

  /// The name of a field with its path.
  std::string name(const std::string& field) const;

  /// Null if it is missing.
  const io::Json* find(const std::string& field);
  const io::Json& at(const std::string& field);

  std::string text(const std::string& field);
  bool flag(const std::string& field, bool otherwise);
  double number(const std::string& field, double least, double most, double otherwise);
  std::optional<std::int64_t> whole(const std::string& field, std::int64_t least,
                                    std::int64_t most);

  /// Fields that have no effect on the answer.
  void ignore(std::initializer_list<const char*> fields);
  /// A field that is not supported, but for values that ask for nothing: `neutral`, a JSON list.
  void unsupported(const std::string& field, const char* neutral = "[]");

  /// Refuses fields that no function was asked for.
  void finish() const;

 private:
  const io::Json& object_;
  std::string path_;
  std::set<std::string> known_;
};

/// A JSON value for an error message.
std::string shown(const io::Json& value);

}  // namespace gaze::phyx::serve
