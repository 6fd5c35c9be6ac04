// SPDX-License-Identifier: MIT
// Checking options, and their ranges as text.
#include "phyx/rewards/options.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "gaze/core/printable.hpp"

namespace gaze::phyx {

namespace {

bool has_type(const io::Json& v, OptionType type) {
  const auto all = [&](auto is) { return v.is_array() && std::all_of(v.begin(), v.end(), is); };
  switch (type) {
    case OptionType::boolean:
      return v.is_boolean();
    case OptionType::integer:
      return v.is_number_integer();
    case OptionType::number:
      return v.is_number();
    case OptionType::text:
      return v.is_string();
    case OptionType::integers:
      return all([](const io::Json& one) { return one.is_number_integer(); });
    case OptionType::texts:
      return all([](const io::Json& one) { return one.is_string(); });
  }
  return false;
}

bool in_range(const io::Json& v, const OptionRange& range) {
  if (v.is_array())
    return std::all_of(v.begin(), v.end(), [&](const auto& one) { return in_range(one, range); });
  if (v.is_number()) {
    const double x = v.get<double>();
    return std::isfinite(x) && x >= range.low && x <= range.high;
  }
  if (!v.is_string() || range.choices.empty()) return true;
  return std::find(range.choices.begin(), range.choices.end(), v.get<std::string>()) !=
         range.choices.end();
}

std::string number_text(double x) {
  const bool whole = x == std::floor(x) && std::abs(x) < 1e15;
  return whole ? std::to_string(static_cast<long long>(x)) : io::Json(x).dump();
}

std::string shown(const io::Json& v) {
  return printable(v.dump(-1, ' ', false, io::Json::error_handler_t::replace), kShownBytes);
}

/// Integers are given as such; their fields are int.
constexpr double largest_integer = 2147483647;

}  // namespace

const char* type_name(OptionType type) {
  switch (type) {
    case OptionType::boolean:
      return "true or false";
    case OptionType::integer:
      return "an integer";
    case OptionType::number:
      return "a number";
    case OptionType::text:
      return "a text";
    case OptionType::integers:
      return "a list of integers";
    case OptionType::texts:
      return "a list of texts";
  }
  return "";
}

std::string RewardOption::range_text() const {
  std::string out;
  for (const auto& choice : range.choices) out += (out.empty() ? "" : " or ") + choice;
  if (!out.empty()) return out;
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high) out = number_text(range.low) + " to " + number_text(range.high);
  if (low && !high) out = "at least " + number_text(range.low);
  if (high && !low) out = "at most " + number_text(range.high);
  if (type == OptionType::number && !out.empty()) return out;
  return type_name(type) + (out.empty() ? "" : ", " + out);
}

bool RewardKind::has_defaults() const {
  return std::none_of(options.begin(), options.end(),
                      [](const RewardOption& o) { return o.default_value.is_null(); });
}

void check_options(const std::string& reward, const std::vector<RewardOption>& options,
                   const io::Json& given) {
  GAZE_CHECK(given.is_object(), "reward", reward, ": its options are not an object");
  std::string known;
  for (const RewardOption& option : options) known += (known.empty() ? "" : ", ") + option.name;
  for (const auto& entry : given.items()) {
    const std::string& name = entry.key();
    const io::Json& value = entry.value();
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const RewardOption& o) { return o.name == name; });
    GAZE_CHECK(option != options.end(), "reward", reward, " has no option '",
               printable(name, kShownBytes), "'; ",
               known.empty() ? "it has none" : "it has " + known);
    OptionRange range = option->range;
    if (option->type == OptionType::integer || option->type == OptionType::integers) {
      range.low = std::max(range.low, -largest_integer);
      range.high = std::min(range.high, largest_integer);
    }
    GAZE_CHECK(has_type(value, option->type) && in_range(value, range), "reward", reward, ".", name,
               ": ", shown(value), " is not ", option->range_text());
  }
}

io::Json settle_options(const std::string& reward, const std::vector<RewardOption>& options,
                        const io::Json& given) {
  check_options(reward, options, given);
  io::Json out = io::Json::object();
  for (const RewardOption& option : options) {
    out[option.name] = given.value(option.name, option.default_value);
    GAZE_CHECK(!out[option.name].is_null(), "reward", reward, " needs the option '", option.name,
               "'");
  }
  return out;
}

}  // namespace gaze::phyx
