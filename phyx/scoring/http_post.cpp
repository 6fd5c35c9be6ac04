// SPDX-License-Identifier: MIT
// libcurl with callbacks that count bytes and a loop that polls for cancellation.
#include "phyx/scoring/http_post.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

namespace {

using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// State of the callbacks.
struct Receiving {
  const HttpLimits& limits;
  HttpReply reply;
  std::size_t header_bytes = 0;
  std::string too_much = {};  // the limit that was exceeded
};

/// Reads the value of a header line with this name (in lower case).
bool header_value(std::string_view line, std::string_view name, std::string& value) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (!std::equal(name.begin(), name.end(), line.begin(), same)) return false;
  line.remove_prefix(name.size() + 1);
  const std::size_t first = std::min(line.find_first_not_of(" \t"), line.size());
  const std::size_t last = line.find_last_not_of(" \t\r\n");
  value = last == line.npos || last < first ? "" : line.substr(first, last - first + 1);
  return true;
}

/// Both callbacks abort the call by returning fewer bytes than they received.
std::size_t receive_header(char* data, std::size_t, std::size_t size, void* to) {
  auto& in = *static_cast<Receiving*>(to);
  in.header_bytes += size;
  if (in.header_bytes > in.limits.header_bytes) {
    in.too_much = "more than " + std::to_string(in.limits.header_bytes) + " bytes of headers";
    return 0;
  }
  header_value({data, size}, "retry-after", in.reply.retry_after);
  return size;
}

std::size_t receive_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& in = *static_cast<Receiving*>(to);
  if (size > in.limits.body_bytes - in.reply.body.size()) {
    in.too_much = "a reply of more than " + std::to_string(in.limits.body_bytes) + " bytes";
    return 0;
  }
  in.reply.body.append(data, size);
  return size;
}

long milliseconds(double seconds) {
  constexpr double longest = 1e9;  // about 11 days
  return static_cast<long>(std::clamp(seconds * 1000, 1.0, longest));
}

}  // namespace

struct HttpPoster::Handles {
  CURL* call = nullptr;
  CURLM* loop = nullptr;

  Handles() {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    GAZE_CHECK(ready == CURLE_OK, "http", curl_easy_strerror(ready));
    call = curl_easy_init();
    loop = curl_multi_init();
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    curl_easy_cleanup(call);
    curl_multi_cleanup(loop);
  }

  template <class Value>
  void set(CURLoption option, Value value) const {
    const CURLcode code = curl_easy_setopt(call, option, value);
    GAZE_CHECK(code == CURLE_OK, "http", curl_easy_strerror(code));
  }

  /// Options of every request.
  void set_rules() const {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");  // ignores the environment
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_WRITEFUNCTION, &receive_body);
    set(CURLOPT_HEADERFUNCTION, &receive_header);
#if LIBCURL_VERSION_NUM >= 0x075700
    set(CURLOPT_QUICK_EXIT, 1L);  // do not wait for name resolution when aborting
#endif
  }

  /// Runs the call to its end; CURLE_ABORTED_BY_CALLBACK if `stop` ended it.
  CURLcode run(const std::function<bool()>& stop) const {
    GAZE_CHECK(curl_multi_add_handle(loop, call) == CURLM_OK, "http", "the call cannot be started");
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    for (int running = 1; !(stop && stop());) {
      const CURLMcode code = curl_multi_perform(loop, &running);
      if (code != CURLM_OK) result = CURLE_RECV_ERROR;
      if (code != CURLM_OK || running == 0) break;
      curl_multi_poll(loop, nullptr, 0, 50, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(loop, &left))
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    curl_multi_remove_handle(loop, call);
    return result;
  }
};

HttpPoster::HttpPoster() : handles_(std::make_unique<Handles>()) {
  GAZE_CHECK(handles_->call && handles_->loop, "http", "libcurl cannot be started");
}

HttpPoster::~HttpPoster() = default;

bool HttpPoster::usable(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  return parsed && curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
}

HttpReply HttpPoster::post(const std::string& url, const std::vector<std::string>& headers,
                           const std::string& body, const HttpLimits& limits,
                           const std::function<bool()>& stop) {
  const Handles& h = *handles_;
  Headers list(curl_slist_append(nullptr, "Expect:"), &curl_slist_free_all);  // no 100-continue
  for (const auto& header : headers) {
    curl_slist* const longer = curl_slist_append(list.get(), header.c_str());
    GAZE_CHECK(longer, "http", "out of memory");
    list.release();
    list.reset(longer);
  }
  Receiving in{limits, {}};
  char why[CURL_ERROR_SIZE] = {};
  curl_easy_reset(h.call);  // keeps the connection
  h.set_rules();
  h.set(CURLOPT_URL, url.c_str());
  h.set(CURLOPT_HTTPHEADER, list.get());
  h.set(CURLOPT_POSTFIELDS, body.data());
  h.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  h.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(limits.connect_seconds));
  h.set(CURLOPT_TIMEOUT_MS, milliseconds(limits.seconds));
  h.set(CURLOPT_WRITEDATA, &in);
  h.set(CURLOPT_HEADERDATA, &in);
  h.set(CURLOPT_ERRORBUFFER, static_cast<char*>(why));
  const CURLcode code = h.run(stop);
  h.set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code != CURLE_OK)
    return {0, "",
            !in.too_much.empty() ? in.too_much
            : why[0]             ? why
                                 : curl_easy_strerror(code),
            ""};
  long status = 0;
  curl_easy_getinfo(h.call, CURLINFO_RESPONSE_CODE, &status);
  in.reply.status = static_cast<int>(status);
  return std::move(in.reply);
}

}  // namespace gaze::phyx
