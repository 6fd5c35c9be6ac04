// SPDX-License-Identifier: MIT
// Reading TOML with toml++, and writing it.
#include "phyx/study/toml_tree.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

// Malformed files break assertions of toml++ before its parser refuses them. They are left out,
// also with NDEBUG, with which clang would assume that they hold.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(condition) static_assert(true)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include "gaze/core/error.hpp"

namespace gaze::phyx {

namespace {

constexpr int most_nested = 16;

/// Converts the nodes of one document.
struct TomlConverter {
  const std::string& name;

  std::string where(const toml::node& node) const {
    return name + ":" + std::to_string(node.source().begin.line);
  }

  TomlEntry operator()(std::string key, const toml::node& node, int depth) const {
    GAZE_CHECK(depth < most_nested, "study", where(node), ": nested deeper than ", most_nested);
    TomlEntry out{std::move(key), where(node), {}, false, {}};
    if (const toml::table* table = node.as_table()) return add_keys(out, *table, depth);
    const toml::array* array = node.as_array();
    if (array && !array->empty() && array->is_homogeneous(toml::node_type::table)) {
      out.table = true;
      for (std::size_t i = 0; i < array->size(); ++i)
        out.entries.push_back((*this)(std::to_string(i), *array->get(i), depth + 1));
      return out;
    }
    out.value = array ? items(*array, depth) : scalar(node);
    return out;
  }

 private:
  TomlEntry add_keys(TomlEntry& out, const toml::table& table, int depth) const {
    out.table = true;
    std::vector<std::pair<toml::source_position, TomlEntry>> entries;
    for (const auto& [key, node] : table)
      entries.emplace_back(key.source().begin, (*this)(std::string(key.str()), node, depth + 1));
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return std::tie(a.first.line, a.first.column) < std::tie(b.first.line, b.first.column);
    });
    for (auto& e : entries) out.entries.push_back(std::move(e.second));
    return std::move(out);
  }

  io::Json items(const toml::array& array, int depth) const {
    io::Json out = io::Json::array();
    for (const toml::node& item : array) out.push_back((*this)("", item, depth + 1).json());
    return out;
  }

  io::Json scalar(const toml::node& node) const {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* number = node.as_floating_point()) return number->get();
    if (const auto* flag = node.as_boolean()) return flag->get();
    GAZE_FAIL("study", where(node), ": dates and times have no meaning here");
  }
};

}  // namespace

const TomlEntry* TomlEntry::find(std::string_view name) const {
  for (const auto& e : entries)
    if (e.key == name) return &e;
  return nullptr;
}

void TomlEntry::assign(const std::string& path, const io::Json& to, const std::string& from) {
  const std::size_t dot = path.find('.');
  const std::string first = path.substr(0, dot);
  auto found = std::find_if(entries.begin(), entries.end(),
                            [&](const TomlEntry& e) { return e.key == first; });
  if (found == entries.end()) found = entries.insert(entries.end(), {first, from, {}, false, {}});
  if (dot == path.npos) {
    *found = {first, from, to, false, {}};
    return;
  }
  if (!found->table) *found = {first, from, {}, true, {}};
  found->assign(path.substr(dot + 1), to, from);
}

void TomlEntry::overlay(const TomlEntry& over) {
  for (const TomlEntry& e : over.entries) {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const TomlEntry& mine) { return mine.key == e.key; });
    if (found == entries.end())
      entries.push_back(e);
    else if (found->table && e.table)
      found->overlay(e);
    else
      *found = e;
  }
}

io::Json TomlEntry::json() const {
  if (!table) return value;
  io::Json out = io::Json::object();
  for (const auto& e : entries) out[e.key] = e.json();
  return out;
}

std::vector<TomlLeaf> leaves(const TomlEntry& table, const std::string& prefix) {
  std::vector<TomlLeaf> out;
  for (const TomlEntry& e : table.entries) {
    if (!e.table) {
      out.push_back({prefix + e.key, e.where, e.value});
      continue;
    }
    for (auto& leaf : leaves(e, prefix + e.key + ".")) out.push_back(std::move(leaf));
  }
  return out;
}

TomlEntry parse_toml(std::string_view text, const std::string& name) {
  GAZE_CHECK(text.size() <= largest_study, "study", name, ": larger than ", largest_study,
             " bytes");
  try {
    return TomlConverter{name}("", toml::parse(text, name), 0);
  } catch (const toml::parse_error& e) {
    GAZE_FAIL("study", name, ":", e.source().begin.line, ": ", e.description());
  }
}

std::string toml_key(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
  return bare ? key : toml_text(key);
}

std::string toml_text(const io::OrderedJson& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>()))
    return std::isnan(value.get<double>()) ? "nan" : value.get<double>() < 0 ? "-inf" : "inf";
  if (value.is_array() || value.is_object()) {
    std::string out;
    for (const auto& [key, item] : value.items())
      out += (out.empty() ? "" : ", ") + (value.is_object() ? toml_key(key) + " = " : "") +
             toml_text(item);
    if (value.is_array()) return "[" + out + "]";
    return out.empty() ? "{}" : "{ " + out + " }";
  }
  // JSON's escapes are TOML's, which also wants DEL escaped.
  std::string text = io::dump_json(value, "study");
  for (std::size_t at = 0; (at = text.find('\x7f', at)) != text.npos;)
    text.replace(at, 1, "\\u007f");
  return text;
}

}  // namespace gaze::phyx
