// SPDX-License-Identifier: MIT
// The options of a reward: names, types, defaults and ranges, one table per settings struct.
#pragma once
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// The type of an option's value, in JSON and TOML alike.
enum class OptionType { boolean, integer, number, text, integers, texts };

/// "a number", "a list of integers", …
const char* type_name(OptionType type);

/// The values that an option may have: numbers from `low` to `high`, or one of `choices`.
struct OptionRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};
};

struct RewardOption {
  std::string name;
  OptionType type;
  io::Json default_value;  // null: the option is required
  std::string meaning;
  OptionRange range = {};

  /// For people: "0 to 1", "at least 0", "look or answer", "true or false".
  std::string range_text() const;
};

/// A kind of reward, by which the registry makes rewards with given options. `formula` refers to
/// options by name; `low` and `high` are those of the defaults.
struct RewardKind {
  std::string name, doc, formula, cheats;
  double low = 0, high = 1;
  std::vector<RewardOption> options = {};
  /// Makes a reward from all options, as settle_options() returns them.
  std::function<Reward(const io::Json& options)> make;

  /// Whether no option is required.
  bool has_defaults() const;
};

/// Throws Error for an unknown name (listing the known ones), a wrong type and a value outside its
/// range; `given` must be an object, and `reward` names the reward in messages.
void check_options(const std::string& reward, const std::vector<RewardOption>& options,
                   const io::Json& given);

/// Checks `given` and completes it by the defaults of the options that it does not set. Throws
/// Error as check_options(), and for a missing required option.
io::Json settle_options(const std::string& reward, const std::vector<RewardOption>& options,
                        const io::Json& given);

/// Maps the fields of a settings struct to options. A field is a pointer to a member or a function
/// that returns a reference to it; its default is the field's value in a new `Config`.
template <class Config>
class OptionTable {
 public:
  /// A field of type bool, int, double, std::vector<int> or std::vector<std::string>.
  template <class Field>
  void add(const std::string& name, Field field, const std::string& meaning,
           OptionRange range = {}) {
    using Value = std::remove_cvref_t<decltype(std::invoke(field, std::declval<Config&>()))>;
    Config defaults;
    options_.push_back({name, type_of<Value>(), io::Json(std::invoke(field, defaults)), meaning,
                        std::move(range)});
    set_.push_back([field, name](Config& c, const io::Json& all) {
      std::invoke(field, c) = all.at(name).template get<Value>();
    });
  }

  /// A field of an enumeration type, whose values have these names.
  template <class Field, class Value>
  void add_choice(const std::string& name, Field field, const std::string& meaning,
                  const std::vector<std::pair<std::string, Value>>& names) {
    Config defaults;
    RewardOption option{name, OptionType::text, nullptr, meaning, {}};
    for (const auto& [text, value] : names) {
      option.range.choices.push_back(text);
      if (std::invoke(field, defaults) == value) option.default_value = text;
    }
    options_.push_back(std::move(option));
    set_.push_back([field, name, names](Config& c, const io::Json& all) {
      for (const auto& [text, value] : names)
        if (all.at(name) == text) std::invoke(field, c) = value;
    });
  }

  /// Makes the option added last required.
  void require() { options_.back().default_value = nullptr; }

  const std::vector<RewardOption>& options() const { return options_; }

  /// The settings of a complete object of options.
  Config read(const io::Json& settled) const {
    Config out;
    for (const auto& set : set_) set(out, settled);
    return out;
  }

 private:
  template <class Value>
  static constexpr OptionType type_of() {
    if constexpr (std::is_same_v<Value, bool>) return OptionType::boolean;
    if constexpr (std::is_same_v<Value, int>) return OptionType::integer;
    if constexpr (std::is_same_v<Value, double>) return OptionType::number;
    if constexpr (std::is_same_v<Value, std::vector<int>>) return OptionType::integers;
    if constexpr (std::is_same_v<Value, std::vector<std::string>>) return OptionType::texts;
  }

  std::vector<RewardOption> options_;
  std::vector<std::function<void(Config&, const io::Json&)>> set_;
};

/// The kind whose rewards `make` builds from the settings in `table`.
template <class Config>
RewardKind kind_of(const OptionTable<Config>& table, std::function<Reward(Config)> make) {
  const Reward r = make({});
  return {r.name,
          r.doc,
          r.formula,
          r.cheats,
          r.low,
          r.high,
          table.options(),
          [table, make = std::move(make)](const io::Json& all) { return make(table.read(all)); }};
}

}  // namespace gaze::phyx
