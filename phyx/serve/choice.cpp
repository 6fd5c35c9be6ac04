// SPDX-License-Identifier: MIT
// From tokens to pieces of text.
#include "phyx/serve/choice.hpp"

#include <utility>

#include "gaze/text/utf8_repair.hpp"

namespace gaze::phyx::serve {

Piece Choice::add(const GeneratedToken& token) {
  ++generated_;
  if (token.end) return {.index = index_};
  held_.push_back({{token.id, token.logp, token.top, false}, text_});
  unfinished_ += model_->bytes(token.id);
  std::string text;
  unfinished_.erase(0, unfinished_.size() - text::append_repaired(unfinished_, text));
  text_ += text.size();
  return release(stops_.push(text), false);
}

Piece Choice::finish(bool ended, std::exception_ptr error) {
  std::string text;
  if (!unfinished_.empty() && !stopped()) text = stops_.push(text::kReplacement);
  text += stops_.finish();
  Piece last = release(std::move(text), !stopped());
  last.finish = ended || stopped() ? "stop" : "length";
  last.generated = generated_;
  last.error = std::move(error);
  return last;
}

/// A piece with the tokens that begin before its end, or with all that are left.
Piece Choice::release(std::string text, bool all) {
  Piece out{.index = index_, .text = std::move(text)};
  released_ += out.text.size();
  while (!held_.empty() && (all || held_.front().start < released_)) {
    out.tokens.push_back(std::move(held_.front().token));
    held_.pop_front();
  }
  return out;
}

}  // namespace gaze::phyx::serve
