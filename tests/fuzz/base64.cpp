// SPDX-License-Identifier: MIT
// Fuzz target: base64. What is accepted encodes to the same text; any bytes come back.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gaze/io/base64.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_base64 {

using gaze::fuzz::require;
using namespace gaze::io;

void run(std::string_view input) {
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  require(base64_decode(base64_encode(bytes)) == bytes, "other bytes come back");
  require(base64_encode(base64_decode(input)) == input, "another text comes back");
}

const gaze::fuzz::Target target("base64", run);

}  // namespace fuzz_base64
