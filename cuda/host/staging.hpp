// SPDX-License-Identifier: MIT
// StagingRing: room for copies on their way to the device, handed out in turn. A copy from pinned
// memory runs beside the device's work, and the host goes on at once; room is used again only when
// the copies that went through it are done.
#pragma once
#include <cstddef>
#include <vector>

namespace gaze::cuda {

/// Fence::record() marks where the stream is, Fence::wait() waits until it has come there (at once
/// if it was never marked).
template <class Fence>
class StagingRing {
 public:
  /// `count` buffers of `bytes` each, one after another in `memory`.
  StagingRing(std::byte* memory, std::size_t bytes, std::size_t count)
      : memory_(memory), bytes_(bytes), fences_(count) {}

  /// The most that one copy can have.
  std::size_t largest() const { return bytes_; }

  /// Room for a copy that is put into the stream before the next call.
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
