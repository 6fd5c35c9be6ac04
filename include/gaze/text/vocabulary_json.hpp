// SPDX-License-Identifier: MIT
// Parts common to all kinds of tokenizer.json: the size limit, and the map from token to id.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"

namespace gaze::text::detail {

inline constexpr std::size_t kMaxTokenizerBytes = std::size_t{64} << 20;

/// Inverts the file's map `model.vocab` from token to id; ids must be 0, 1, 2, … without gaps.
/// Errors name the operation `where` and the file `path`.
inline std::vector<std::string> tokens_by_id(const io::Json& vocab, const char* where,
                                             const std::string& path) {
  GAZE_CHECK(vocab.is_object(), where, path, ": 'model.vocab' is not an object");
  std::vector<std::string> tokens(vocab.size());
  for (const auto& [token, id] : vocab.items()) {
    GAZE_CHECK(!token.empty(), where, path, ": 'model.vocab' has an empty token");
    GAZE_CHECK(id.is_number_unsigned() && id.get<std::uint64_t>() < tokens.size(), where, path,
               ": 'model.vocab' gives '", token, "' an id outside 0 to ", tokens.size() - 1);
    std::string& slot = tokens[id.get<std::size_t>()];
    GAZE_CHECK(slot.empty(), where, path, ": 'model.vocab' gives id ", id.get<std::uint64_t>(),
               " to both '", slot, "' and '", token, "'");
    slot = token;
  }
  return tokens;
}

}  // namespace gaze::text::detail
