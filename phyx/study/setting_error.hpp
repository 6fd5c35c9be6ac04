// SPDX-License-Identifier: MIT
// The error of an invalid study, with the settings at fault.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

/// An invalid study. names(): the settings at fault by their names in study files, the likeliest
/// first ("data.test_new", "condition.b.grpo.top_p", "claim.spatial"), from which the reader of a
/// file tells the line.
class SettingError : public Error {
 public:
  SettingError(std::vector<std::string> names, const std::string& message)
      : Error("study", message), names_(std::move(names)) {}
  const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  std::vector<std::string> names_;
};

/// The message of an error without the operation in front.
inline std::string message_of(const Error& e) {
  const std::string all = e.what();
  return all.substr(all.find("] ") + 2);
}

/// Runs `check`; its Error becomes a SettingError about these settings, unless it is one.
template <class Check>
void blame(const std::vector<std::string>& names, Check check) {
  try {
    check();
  } catch (const SettingError&) {
    throw;
  } catch (const Error& e) {
    throw SettingError(names, message_of(e));
  }
}

}  // namespace gaze::phyx
