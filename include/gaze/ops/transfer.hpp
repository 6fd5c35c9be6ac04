// SPDX-License-Identifier: MIT
// Moving values between devices, with their gradient.
#pragma once
#include "gaze/autograd.hpp"

namespace gaze {

/// x on device To: x itself where it is there already, else a contiguous copy (the host waits). The
/// gradient travels back the same way.
template <class To, class T, class From>
Tensor<T, To> transfer(const Tensor<T, From>& x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else {
    auto y = x.template to<To>();
    if (recorded(x))
      record(
          "transfer", y, [to = x.node()](const auto& dy) { to->take(dy.template to<From>()); }, x);
    return y;
  }
}

}  // namespace gaze
