// SPDX-License-Identifier: MIT
// StagingRing: a ring of staging buffers for copies to the device. A copy from pinned memory runs
// in parallel with the device's work, and the host continues immediately; a buffer is reused only
// when the copies from it are done.
#pragma once
#include <cstddef>
#include <vector>

namespace gaze::cuda {

/// Fence::record() marks the current end of the stream, and Fence::wait() waits until the stream
/// has reached that mark; it returns at once if there is none.
template <class Fence>
class StagingRing {
 public:
  /// `count` buffers of `bytes` each, contiguous in `memory`.
  StagingRing(std::byte* memory, std::size_t bytes, std::size_t count)
      : memory_(memory), bytes_(bytes), fences_(count) {}

  /// Maximum size of one copy.
  std::size_t largest() const { return bytes_; }

  /// Room for a copy, which must be enqueued before the next call.
  std::byte* take(std::size_t size) {
    if (used_ + size > bytes_) {
      fences_[buffer_].record();
      buffer_ = (buffer_ + 1) % fences_.size();
      fences_[buffer_].wait();
      used_ = 0;
    }
    std::byte* const room = memory_ + buffer_ * bytes_ + used_;
    used_ += (size + 63) / 64 * 64;
    return room;
  }

 private:
  std::byte* memory_;
  std::size_t bytes_, used_ = 0, buffer_ = 0;
  std::vector<Fence> fences_;
};

}  // namespace gaze::cuda
