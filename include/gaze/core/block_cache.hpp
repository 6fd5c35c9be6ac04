// SPDX-License-Identifier: MIT
// BlockCache: freed memory kept by rounded size, because training asks for the same sizes in every
// step. Every device's allocator is one of these over the device's own memory.
#pragma once
#include <cstddef>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace gaze {

/// Source::take(bytes) gives memory, or null where there is none; Source::give(p) takes it back.
template <class Source>
class BlockCache {
 public:
  /// Up to a quarter of a power of two is wasted, so that nearly equal sizes share blocks.
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
    void* p = take_kept(size);
    if (!p) p = Source::take(size);
    if (!p && kept_ > 0) {
      give_all();
      p = Source::take(size);
    }
    if (!p) return nullptr;
    in_use_ += size;
    if (in_use_ > peak_) peak_ = in_use_;
    return p;
  }

  void free(void* p, std::size_t bytes) noexcept {
    const std::size_t size = rounded(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    in_use_ -= size;
    try {
      if (size <= limit_ && kept_ <= limit_ - size) {
        free_[size].push_back(p);
        kept_ += size;
        return;
      }
    } catch (const std::bad_alloc&) {  // no room to note the block, so it is not kept
    }
    Source::give(p);
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

 private:
  void* take_kept(std::size_t size) {
    const auto found = free_.find(size);
    if (found == free_.end() || found->second.empty()) return nullptr;
    void* p = found->second.back();
    found->second.pop_back();
    kept_ -= size;
    return p;
  }
  void give_all() {
    for (auto& [size, blocks] : free_)
      for (void* p : blocks) Source::give(p);
    free_.clear();
    kept_ = 0;
  }
  std::size_t locked(const std::size_t& value) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  std::size_t in_use_ = 0, peak_ = 0, kept_ = 0;
  std::size_t limit_ = static_cast<std::size_t>(-1);
};

}  // namespace gaze
