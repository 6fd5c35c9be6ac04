// SPDX-License-Identifier: MIT
// The web page of the server, GET /: page.html, compiled into the program.
#pragma once
#include <string_view>

#include "phyx/serve/http.hpp"

namespace gaze::phyx::serve {

/// The bytes of page.html.
std::string_view page_html();

/// A page with headers that let a browser run its inline <script>, apply its inline <style> and
/// call this server, and nothing else. Throws Error if it has not exactly one of each.
HttpAnswer page_answer(std::string_view html);

}  // namespace gaze::phyx::serve
