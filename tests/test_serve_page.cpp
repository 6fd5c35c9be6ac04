// SPDX-License-Identifier: MIT
// GET /: the page, and the headers with which a browser runs nothing else.
#include "phyx/serve/page.hpp"

#include "tests/chat_server.hpp"
#include "tests/test.hpp"

namespace test_serve_page {
namespace {

using namespace gaze;
using namespace gaze::test;
using phyx::serve::page_answer;
using phyx::serve::page_html;

std::string policy_of(const std::string& html) { return page_answer(html).headers[0].second; }

}  // namespace

TEST_CASE("the server's root is the page, with headers that let nothing else run") {
  const TestServer s;
  const HttpResult r = get(s.port(), "/");
  CHECK(r.status == 200);
  CHECK(r.body == page_html());
  CHECK(contains(r.body, "</html>"));
  CHECK(r.header("Content-Type") == "text/html; charset=utf-8");
  CHECK(r.header("X-Content-Type-Options") == "nosniff");
  CHECK(r.header("Referrer-Policy") == "no-referrer");
  CHECK(r.header("Cache-Control") == "no-store");
  CHECK(r.header("Content-Security-Policy") == policy_of(r.body));
  CHECK(r.header("Access-Control-Allow-Origin").empty());
  const HttpResult head = http_exchange(s.port(), http_request("HEAD", "/"));
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(head.header("Content-Security-Policy") == r.header("Content-Security-Policy"));
  CHECK(post(s.port(), "/", "{}").status == 405);
}

TEST_CASE("the page is for the server's own names and pages") {
  const TestServer s;
  const auto status = [&](const std::string& headers, const std::string& host) {
    return http_exchange(s.port(), http_request("GET", "/", "", headers, host)).status;
  };
  CHECK(status("", "localhost") == 200);
  CHECK(status("", "evil.example") == 403);
  CHECK(status("Origin: http://evil.example\r\n", "localhost") == 403);
}

TEST_CASE("the policy names the hashes of the page's script and style") {
  // The script's hash is the example of the specification; the style is empty.
  CHECK(policy_of("<style></style><script>alert('Hello, world.');</script>") ==
        "default-src 'none'; "
        "script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='; "
        "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
        "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'");
  for (const char* page :
       {"<style></style>", "<script></script>", "<style></style><script src=x></script>",
        "<style></style></script><script>", "<style></style><script></script><script></script>",
        "<style>a</style><style>b</style><script></script>"})
    CHECK_THROWS_AS(page_answer(page), Error);
}

}  // namespace test_serve_page
