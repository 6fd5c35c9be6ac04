// SPDX-License-Identifier: MIT
// BlockCache: freed memory kept by rounded size, because training asks for the same sizes in every
// step. Every device's allocator is one of these over the device's own memory.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze {

/// source.take(bytes) gives memory, or null where there is none; source.give(p, bytes) takes it
/// back. Freed blocks take, with those in use, at most an eighth more than the most that was ever
/// in use.
template <class Source>
class BlockCache {
 public:
  explicit BlockCache(Source source = {}) : source_(source) {}

  /// Bytes that a block of `bytes` takes. Up to a quarter is wasted, so that nearly equal sizes
  /// share blocks.
  static constexpr std::size_t rounded(std::size_t bytes) {
    if (bytes <= 256) return 256;
    std::size_t step = 64;
    while (step * 8 < bytes) step *= 2;
    return (bytes + step - 1) / step * step;
  }

  /// At least `bytes` bytes; null where even without the kept blocks there is no room.
  void* allocate(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    void* p = kept_block(size);
    if (!p) {
      make_room(size);
      p = source_.take(size);
      if (!p && kept_ > 0) {
        give_all();
        p = source_.take(size);
      }
    }
    if (!p) return nullptr;
    in_use_ += size;
    peak_ = std::max(peak_, in_use_);
    return p;
  }

  void free(void* p, std::size_t bytes) noexcept {
    const std::size_t size = rounded(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    in_use_ -= size;
    try {
      if (size <= limit_ && kept_ <= limit_ - size) {
        free_[size].blocks.push_back(p);
        kept_ += size;
        return;
      }
    } catch (const std::bad_alloc&) {  // no room to note the block, so it is not kept
    }
    source_.give(p, size);
  }

  /// Takes blocks from another source from now on; an Error while any block is in use.
  void use(Source source) {
    const std::lock_guard<std::mutex> lock(mutex_);
    GAZE_CHECK(in_use_ == 0, "Allocator", "the memory of ", in_use_,
               " bytes of tensors cannot be replaced while they are in use");
    give_all();
    source_ = source;
  }

  /// Limits the bytes of freed blocks that are kept (0: none). When more are kept already, all of
  /// them go back. Without a call there is no limit.
  void keep_at_most(std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    limit_ = bytes;
    if (kept_ > bytes) give_all();
  }

  /// Largest number of bytes in use at once since the start or the last reset_peak().
  std::size_t peak() const { return locked(peak_); }
  std::size_t in_use() const { return locked(in_use_); }
  std::size_t kept() const { return locked(kept_); }
  void reset_peak() {
    const std::lock_guard<std::mutex> lock(mutex_);
    peak_ = in_use_;
  }

  /// Around fork(): nobody is in the middle of a change, and the child finds the mutex free.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  /// Freed blocks of one size, and the number of the last request for that size.
  struct Blocks {
    std::vector<void*> blocks;
    std::uint64_t asked = 0;
  };

  void* kept_block(std::size_t size) {
    Blocks& own = free_[size];
    own.asked = ++requests_;
    if (own.blocks.empty()) return nullptr;
    void* const p = own.blocks.back();
    own.blocks.pop_back();
    kept_ -= size;
    return p;
  }

  /// Gives back freed blocks, those of the size first that was not asked for the longest, until
  /// with a new block no more is held than an eighth above the most that was ever in use.
  void make_room(std::size_t size) {
    const std::size_t most = std::max(peak_, in_use_ + size);
    while (kept_ > 0 && in_use_ + kept_ + size > most + most / 8) {
      auto oldest = free_.end();
      for (auto it = free_.begin(); it != free_.end(); ++it)
        if (!it->second.blocks.empty() &&
            (oldest == free_.end() || it->second.asked < oldest->second.asked))
          oldest = it;
      source_.give(oldest->second.blocks.back(), oldest->first);
      oldest->second.blocks.pop_back();
      kept_ -= oldest->first;
    }
  }

  void give_all() {
    for (auto& [size, kept] : free_) {
      for (void* p : kept.blocks) source_.give(p, size);
      kept.blocks.clear();
    }
    kept_ = 0;
  }

  std::size_t locked(const std::size_t& value) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  Source source_;
  std::map<std::size_t, Blocks> free_;
  std::uint64_t requests_ = 0;
  std::size_t in_use_ = 0, peak_ = 0, kept_ = 0;
  std::size_t limit_ = static_cast<std::size_t>(-1);
};

}  // namespace gaze
