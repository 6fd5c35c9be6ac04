// SPDX-License-Identifier: MIT
// Errors of the API: an HTTP status and OpenAI's error object.
#pragma once
#include <string>
#include <utility>

#include "gaze/core/error.hpp"

namespace gaze::phyx::serve {

/// Says why a request is refused or has failed. `param`: the field at fault, "messages[0].role".
class ApiError : public Error {
 public:
  ApiError(int status, const std::string& message, std::string param = "", std::string code = "")
      : Error("serve", message),
        status_(status),
        message_(printable_line(message)),
        param_(std::move(param)),
        code_(std::move(code)) {}

  int status() const { return status_; }

  /// {"error": {"message", "type", "param", "code"}} as text.
  std::string json() const;

 private:
  int status_;
  std::string message_, param_, code_;
};

/// Refuses a request with status 400: "FIELD: PARTS".
template <class... Parts>
[[noreturn]] void refuse(const std::string& field, const Parts&... parts) {
  throw ApiError(400, field + ": " + concat(parts...), field);
}

/// Any exception as an ApiError. An Error is the request's fault (400) if `of_request`, else the
/// server's (500), and its message is told in both cases. The message of an exception that is no
/// Error is not told (500).
ApiError as_api_error(std::exception_ptr error, bool of_request);

}  // namespace gaze::phyx::serve
