// SPDX-License-Identifier: MIT
// The error object.
#include "phyx/serve/api_error.hpp"

#include "gaze/io/json.hpp"

namespace gaze::phyx::serve {

namespace {

const char* type_of(int status) {
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

}  // namespace

std::string ApiError::json() const {
  const auto text = [](const std::string& s) {
    return s.empty() ? io::OrderedJson() : io::OrderedJson(s);
  };
  const io::OrderedJson error = {{"message", message_},
                                 {"type", type_of(status_)},
                                 {"param", text(printable(param_, kShownBytes))},
                                 {"code", text(code_)}};
  return io::dump_json(io::OrderedJson{{"error", error}}, "an error");
}

ApiError as_api_error(std::exception_ptr error, bool of_request) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const ApiError& e) {
    return e;
  } catch (const Error& e) {
    if (of_request) return ApiError(400, e.what());
    return ApiError(500, e.what());
  } catch (...) {
    return ApiError(500, "the server failed");
  }
}

}  // namespace gaze::phyx::serve
