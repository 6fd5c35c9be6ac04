// SPDX-License-Identifier: MIT
// BlockCache: freed memory cached by rounded size, because training requests the same sizes in
// every step. Every device's allocator is a BlockCache over the device's memory.
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

/// source.take(bytes) allocates memory, or returns null; source.give(p, bytes) frees it. Cached
/// plus live memory is capped at 1.125 x peak use.
template <class Source>
class BlockCache {
 public:
  explicit BlockCache(Source source = {}) : source_(source) {}  ///< Empty, over this source.

  /// The block size for `bytes`. Wastes up to a quarter, so that nearly equal sizes share blocks.
  static constexpr std::size_t rounded(std::size_t bytes) {
    if (bytes <= 256) return 256;
    std::size_t step = 64;
    while (step * 8 < bytes) step *= 2;
    return (bytes + step - 1) / step * step;
  }

  /// At least `bytes` bytes; null if out of memory even without the cached blocks.
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

  /// Takes back a block of allocate(bytes): caches it, or gives it to the source.
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
    } catch (const std::bad_alloc&) {  // no memory to record the block: free it
    }
    source_.give(p, size);
  }

  /// Switches to another source; an Error while any block is in use.
  void use(Source source) {
    const std::lock_guard<std::mutex> lock(mutex_);
    GAZE_CHECK(in_use_ == 0, "Allocator", "the memory of ", in_use_,
               " bytes of tensors cannot be replaced while they are in use");
    give_all();
    source_ = source;
  }

  /// Limits the bytes of cached blocks (0: cache nothing; default: no limit). If more are cached
  /// already, frees all of them.
  void keep_at_most(std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    limit_ = bytes;
    if (kept_ > bytes) give_all();
  }

  /// Peak of the bytes in use since the start or the last reset_peak().
  std::size_t peak() const { return locked(peak_); }
  std::size_t in_use() const { return locked(in_use_); }  ///< bytes of blocks that are in use
  std::size_t kept() const { return locked(kept_); }      ///< bytes of cached blocks
  /// Starts peak() again from the bytes in use now.
  void reset_peak() {
    const std::lock_guard<std::mutex> lock(mutex_);
    peak_ = in_use_;
  }

  /// Around fork(): no change is in progress, and the child finds the mutex free.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }  ///< Ends lock().

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

  /// Frees cached blocks, least recently requested size first, until cached plus live memory with
  /// a new block is within 1.125 x peak use.
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
