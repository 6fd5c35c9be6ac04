// SPDX-License-Identifier: MIT
// The features of pictures that a frozen tower has seen, so that each picture is encoded once while
// somebody holds it: for its greedy answer and its samples, or for every turn of a conversation.
#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "gaze/ops/views.hpp"
#include "models/packing.hpp"

namespace gaze::models {

/// Tiles that a frozen tower computes together: more would take memory and are no faster.
inline constexpr std::size_t tiles_together = 4;

/// Used by one thread at a time.
template <class T, class Device>
class FeatureCache {
 public:
  /// The features [tiles * each, C] of these tiles; encode(tiles) computes those of new pictures,
  /// a few at a time.
  template <class Encode>
  Tensor<T, Device> operator()(std::span<const Tile> tiles, Index each, const Encode& encode) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.picture.expired(); });
    std::vector<Tile> missing;
    std::set<Key> seen;
    for (const Tile& tile : tiles)
      if (!known_.contains(key(tile)) && seen.insert(key(tile)).second) missing.push_back(tile);
    for (std::size_t i = 0; i < missing.size(); i += tiles_together) {
      const auto some = std::span(missing).subspan(i, std::min(tiles_together, missing.size() - i));
      add(some, each, encode(some));
    }
    std::vector<Tensor<T, Device>> parts;
    for (std::size_t i = 0; i < tiles.size(); ++i)
      parts.push_back(known_.at(key(tiles[i])).features);
    return parts.size() == 1 ? parts.front() : concatenate(parts, 0);
  }

 private:
  /// A tile, by its place in memory, which no other picture takes while somebody holds this one.
  using Key = std::pair<const void*, std::size_t>;
  struct Entry {
    std::weak_ptr<const void> picture;
    Tensor<T, Device> features;  // [each, C]
  };

  static Key key(const Tile& t) {
    return {t.rgb ? static_cast<const void*>(t.rgb.get()) : t.values.get(), t.number};
  }

  void add(std::span<const Tile> tiles, Index each, const Tensor<T, Device>& features) {
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      const auto begin = static_cast<Index>(i) * each;
      const std::weak_ptr<const void> picture = tiles[i].rgb
                                                    ? std::weak_ptr<const void>(tiles[i].rgb)
                                                    : std::weak_ptr<const void>(tiles[i].values);
      known_.emplace(key(tiles[i]), Entry{picture, slice(features, 0, begin, begin + each)});
    }
  }

  std::map<Key, Entry> known_;
};

}  // namespace gaze::models
