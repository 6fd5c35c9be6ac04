// SPDX-License-Identifier: MIT
// A TOML document as a tree of keys, each with its place in the file, and overlays of trees.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/io/json.hpp"

namespace gaze::phyx {

/// A key with its value or, for a table, its keys. An array of tables is a table with the keys 0,
/// 1, 2, ...
struct TomlEntry {
  std::string key, where;  // where: "my.toml:12", or the name of a command line option
  io::Json value;          // of a key that is not a table
  bool table = false;
  std::vector<TomlEntry> entries;  // of a table, in the order of the file

  /// The entry of this key, or null.
  const TomlEntry* find(std::string_view name) const;

  /// Sets a value by its path ("grpo.adaptive.target"), creating tables as needed.
  void assign(const std::string& path, const io::Json& to, const std::string& from);

  /// Overlays another table: its values replace those of the same path, tables are merged.
  void overlay(const TomlEntry& over);

  /// The value, or a table as an object.
  io::Json json() const;
};

/// One value below a table, with its path from it.
struct TomlLeaf {
  std::string path, where;
  io::Json value;
};

/// All values below a table, in the order of the file; paths start with `prefix`.
std::vector<TomlLeaf> leaves(const TomlEntry& table, const std::string& prefix);

/// Largest study file, in bytes.
inline constexpr std::size_t largest_study = std::size_t{1} << 20;

/// Parses a document. `name` names it in errors. Throws Error "NAME:LINE: ..." for malformed TOML,
/// dates and times.
TomlEntry parse_toml(std::string_view text, const std::string& name);

/// A value as TOML on one line.
std::string toml_text(const io::OrderedJson& value);

/// A key as TOML: bare, or quoted if need be.
std::string toml_key(const std::string& key);

}  // namespace gaze::phyx
