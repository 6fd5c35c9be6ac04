// SPDX-License-Identifier: MIT
// Fields with their types and ranges.
#include "phyx/serve/request_fields.hpp"

#include <algorithm>
#include <utility>

#include "phyx/serve/api_error.hpp"

namespace gaze::phyx::serve {

std::string shown(const io::Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return printable(value.dump(), kShownBytes);
}

RequestFields::RequestFields(const io::Json& object, std::string path)
    : object_(object), path_(std::move(path)) {
  if (!object.is_object())
    refuse(path_.empty() ? "body" : path_, "must be an object, got ", shown(object));
}

std::string RequestFields::name(const std::string& field) const {
  return path_.empty() ? field : path_ + "." + field;
}

const io::Json* RequestFields::find(const std::string& field) {
  known_.insert(field);
  const auto found = object_.find(field);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

const io::Json& RequestFields::at(const std::string& field) {
  const io::Json* value = find(field);
  if (!value) refuse(name(field), "is required");
  return *value;
}

std::string RequestFields::text(const std::string& field) {
  const io::Json& value = at(field);
  if (!value.is_string()) refuse(name(field), "must be a string, got ", shown(value));
  return value.get<std::string>();
}

bool RequestFields::flag(const std::string& field, bool otherwise) {
  const io::Json* value = find(field);
  if (!value) return otherwise;
  if (!value->is_boolean()) refuse(name(field), "must be true or false, got ", shown(*value));
  return value->get<bool>();
}

double RequestFields::number(const std::string& field, double least, double most,
                             double otherwise) {
  const io::Json* value = find(field);
  if (!value) return otherwise;
  const double number = value->is_number() ? value->get<double>() : most + 1;
  if (!(number >= least && number <= most))
    refuse(name(field), "must be a number from ", least, " to ", most, ", got ", shown(*value));
  return number;
}

std::optional<std::int64_t> RequestFields::whole(const std::string& field, std::int64_t least,
                                                 std::int64_t most) {
  const io::Json* value = find(field);
  if (!value) return std::nullopt;
  // A number above the largest int64 is stored as unsigned.
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<std::uint64_t>() >> 63) &&
                    value->get<std::int64_t>() >= least && value->get<std::int64_t>() <= most;
  if (!fits)
    refuse(name(field), "must be a whole number from ", least, " to ", most, ", got ",
           shown(*value));
  return value->get<std::int64_t>();
}

void RequestFields::ignore(std::initializer_list<const char*> fields) {
  known_.insert(fields.begin(), fields.end());
}

void RequestFields::unsupported(const std::string& field, const char* neutral) {
  const io::Json* value = find(field);
  if (!value) return;
  const io::Json list = io::Json::parse(neutral);
  if (std::find(list.begin(), list.end(), *value) != list.end()) return;
  refuse(name(field), "is not supported, got ", shown(*value));
}

void RequestFields::finish() const {
  for (const auto& [key, value] : object_.items())
    if (known_.count(key) == 0) refuse(name(printable(key, kShownBytes)), "is not a known field");
}

}  // namespace gaze::phyx::serve
