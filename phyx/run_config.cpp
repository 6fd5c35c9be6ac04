// SPDX-License-Identifier: MIT
// Comparing configurations recursively, and refusing folders of other commands.
#include "phyx/run_config.hpp"

#include <cstddef>
#include <ctime>
#include <filesystem>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

std::optional<Difference> first_difference(const std::string& name, const io::Json& before,
                                           const io::Json& asked) {
  const auto text = [](const io::Json& value) {
    constexpr std::size_t longest = 200;
    const std::string all = value.dump(-1, ' ', true, io::Json::error_handler_t::replace);
    return all.size() > longest ? all.substr(0, longest) + "..." : all;
  };
  if (before == asked) return std::nullopt;
  if (before.is_object() && asked.is_object()) {
    io::Json keys = asked;
    keys.insert(before.begin(), before.end());
    for (const auto& [key, value] : keys.items()) {
      const std::string quoted = text(key), bare = quoted.substr(1, quoted.size() - 2);
      if (auto found =
              first_difference(name.empty() ? bare : name + "." + bare,
                               before.value(key, io::Json()), asked.value(key, io::Json())))
        return found;
    }
  }
  if (before.is_array() && asked.is_array() && before.size() == asked.size())
    for (std::size_t i = 0; i < asked.size(); ++i)
      if (auto found = first_difference(name + "[" + std::to_string(i) + "]", before[i], asked[i]))
        return found;
  return Difference{name, text(before), text(asked)};
}

void check_same_config(const std::string& path, const std::string& name, const io::Json& before,
                       const io::Json& asked) {
  const auto d = first_difference(name, before, asked);
  GAZE_CHECK(!d, "resume", path, ", ", d->name, ": the run to be resumed has ", d->before, ", but ",
             d->asked, " was requested");
}

void check_own_folder(const char* command, const std::string& folder, const std::string& mark,
                      const std::vector<std::string>& written) {
  if (std::filesystem::exists(folder + "/" + mark)) return;
  for (const auto& name : written)
    GAZE_CHECK(!std::filesystem::exists(folder + "/" + name), command, folder, "/", name,
               ": already exists, but the folder has no ", mark);
}

}  // namespace gaze::phyx
