// SPDX-License-Identifier: MIT
// cpp-httplib with its own sockets, threads and most of its features switched off. Compiles with
// versions 0.11 (Debian 12) to 0.18 (Debian 13).
#include "phyx/serve/http_server.hpp"

#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <thread>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/serve/connection.hpp"
#include "phyx/serve/connection_threads.hpp"

namespace gaze::phyx::serve {

namespace {

/// Of the thread that serves it; handlers find it here.
thread_local Connection* current = nullptr;

/// cpp-httplib's view of a connection.
class ConnectionStream : public httplib::Stream {
 public:
  explicit ConnectionStream(Connection& connection) : connection_(connection) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }  // write() decides
  ssize_t read(char* to, size_t size) override { return connection_.read(to, size); }
  ssize_t write(const char* from, size_t size) override { return connection_.write(from, size); }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return connection_.socket(); }

 private:
  Connection& connection_;
};

/// A whole answer without a parsed request.
std::string plain_response(const char* status, const std::string& body) {
  return concat("HTTP/1.1 ", status, "\r\nContent-Type: application/json\r\nRetry-After: 1\r\n",
                "Connection: close\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

bool matches(const Route& route, const std::string& path) {
  if (route.path.back() != '*') return route.path == path;
  return path.compare(0, route.path.size() - 1, route.path, 0, route.path.size() - 1) == 0;
}

/// The length of a body in decimal digits.
std::optional<std::uint64_t> content_length(const std::string& text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
  if (!digits || text.empty() || text.size() > 18) return std::nullopt;
  return std::stoull(text);
}

}  // namespace

class HttpServer::Server : public httplib::Server {
 public:
  Server(const HttpAddress& address, const HttpLimits& limits, std::vector<Route> routes,
         DescribeError describe);
  ~Server() override;

  int port() const { return port_; }
  const std::string& host() const { return host_; }
  bool listening() const { return !ended_; }
  int connections() const { return open_; }

 private:
  using Refusal = std::optional<std::pair<int, std::string>>;

  bool process_and_close_socket(socket_t socket) override;
  template <class Self>
  static void process(Self& self, ConnectionStream& stream);
  static void prepare(httplib::Request& request);

  void set_handlers();
  Refusal check(const httplib::Request& request, httplib::Response& response) const;
  Refusal check_sender(const httplib::Request& request) const;
  Refusal check_body(const httplib::Request& request) const;
  void set_error(httplib::Response& out, int status, const std::string& message) const;
  void read_body(const httplib::Request& in, httplib::Response& out,
                 const httplib::ContentReader& reader) const;
  void answer(const httplib::Request& in, std::string body, httplib::Response& out) const;
  void set_answer(const httplib::Request& in, HttpAnswer answer, httplib::Response& out) const;

  std::string host_;
  HttpLimits limits_;
  AccessRule rule_;
  std::vector<Route> routes_;
  DescribeError describe_;
  int port_ = -1;
  std::atomic<bool> stopping_{false}, ended_{false};
  std::atomic<int> open_{0};
  std::thread accepting_;
};

HttpServer::Server::Server(const HttpAddress& address, const HttpLimits& limits,
                           std::vector<Route> routes, DescribeError describe)
    : host_(address.host),
      limits_(limits),
      rule_{is_loopback(address.host), address.names},
      routes_(std::move(routes)),
      describe_(std::move(describe)) {
  rule_.names.push_back(text::lower(address.host));
  set_handlers();
  new_task_queue = [this] { return new ConnectionThreads(limits_.connections, open_); };
  // The library's own options let a second server listen on the same port and take half of the
  // connections.
  set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  errno = 0;
  if (address.port == 0)
    port_ = bind_to_any_port(host_);
  else if (bind_to_port(host_, address.port))
    port_ = address.port;
  const int code = errno;
  GAZE_CHECK(port_ > 0, "serve", "cannot listen on ", printable(host_, kShownBytes), " port ",
             address.port, code ? ": " + io::errno_text(code) : std::string());
  ::listen(svr_sock_, SOMAXCONN);  // the library's queue is so short that clients lose a second
  accepting_ = std::thread([this] {
    listen_after_bind();
    ended_ = true;
  });
  while (!is_running() && !ended_) std::this_thread::yield();
}

HttpServer::Server::~Server() {
  stopping_ = true;
  stop();
  accepting_.join();
}

// ---- connections --------------------------------------------------------------------------------

bool HttpServer::Server::process_and_close_socket(socket_t socket) {
  if (ConnectionThreads::refusing) {
    const std::string text =
        plain_response("503 Service Unavailable", describe_(503, "too many connections are open"));
    ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(socket, SHUT_WR);
    // Unread bytes would reset the connection before the client has read the answer; one that goes
    // on sending does not get more time than this.
    char rest[4096];
    for (int i = 0; i < 16 && ::recv(socket, rest, sizeof rest, MSG_DONTWAIT) > 0; ++i) {
    }
    ::close(socket);
    return true;
  }
  Connection connection(socket, limits_, stopping_);
  current = &connection;
  ConnectionStream stream(connection);
  try {
    process(*this, stream);
  } catch (...) {  // while answering; the client sees the connection close
  }
  current = nullptr;
  return true;
}

template <class Self>
void HttpServer::Server::process(Self& self, ConnectionStream& stream) {
  bool closed = false;
  if constexpr (requires { self.process_request(stream, true, closed, prepare); })
    self.process_request(stream, true, closed, prepare);
  else
    self.process_request(stream, "", 0, "", 0, true, closed, prepare);
}

/// Removes what would have the library compress the answer or cut pieces from it.
void HttpServer::Server::prepare(httplib::Request& request) {
  request.ranges.clear();
  for (const char* name : {"Range", "Accept-Encoding"}) request.headers.erase(name);
  if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding"))
    current->received();
  current->allow_body();
}

// ---- requests -----------------------------------------------------------------------------------

void HttpServer::Server::set_handlers() {
  set_payload_max_length(limits_.body_bytes);
  set_pre_routing_handler([this](const httplib::Request& in, httplib::Response& out) {
    const Refusal refusal = check(in, out);
    if (refusal) set_error(out, refusal->first, refusal->second);
    if (refusal || in.method == "POST")
      return refusal ? HandlerResponse::Handled : HandlerResponse::Unhandled;
    answer(in, "", out);
    return HandlerResponse::Handled;
  });
  set_expect_100_continue_handler([this](const httplib::Request& in, httplib::Response& out) {
    const Refusal refusal = check(in, out);
    if (!refusal) return 100;
    set_error(out, refusal->first, refusal->second);
    return refusal->first;
  });
  Post(R"([\s\S]*)", [this](const httplib::Request& in, httplib::Response& out,
                            const httplib::ContentReader& reader) { read_body(in, out, reader); });
  // Errors of the library itself, such as a head that cannot be parsed.
  set_error_handler(Handler([this](const httplib::Request&, httplib::Response& out) {
    if (!out.body.empty()) return;
    if (current->timed_out())
      set_error(out, 408, "the request did not arrive in time");
    else if (current->too_long())
      set_error(out, 431, "the request's head is too long");
    else
      set_error(out, out.status, "the request cannot be read");
  }));
  set_exception_handler([this](const httplib::Request&, httplib::Response& out,
                               std::exception_ptr) { set_error(out, 500, "the server failed"); });
}

HttpServer::Server::Refusal HttpServer::Server::check(const httplib::Request& request,
                                                      httplib::Response& response) const {
  if (auto refusal = check_sender(request)) return refusal;
  if (request.path.size() > 1000) return {{414, "the path is too long"}};
  std::string allowed;
  bool served = false;
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  for (const Route& route : routes_)
    if (matches(route, request.path)) {
      allowed += (allowed.empty() ? "" : ", ") + route.method;
      served = served || route.method == method;
    }
  if (allowed.empty()) return {{404, "there is nothing at " + request.path}};
  if (!served) response.set_header("Allow", allowed);
  if (!served) return {{405, request.path + " answers " + allowed}};
  return method == "POST" ? check_body(request) : std::nullopt;
}

HttpServer::Server::Refusal HttpServer::Server::check_sender(
    const httplib::Request& request) const {
  if (request.get_header_value_count("Host") != 1) return {{400, "one Host header is required"}};
  const std::string host = request.get_header_value("Host");
  if (!rule_.allows_host(host))
    return {{403, "Host " + printable(host, kShownBytes) + " is not a name of this server"}};
  const auto [origin, last] = request.headers.equal_range("Origin");
  const bool own = std::all_of(origin, last, [&](const auto& header) {
    return AccessRule::is_own_origin(header.second, host);
  });
  if (!own) return {{403, "web pages of other origins may not use this server"}};
  return std::nullopt;
}

HttpServer::Server::Refusal HttpServer::Server::check_body(const httplib::Request& request) const {
  const std::string type = text::lower(request.get_header_value("Content-Type"));
  const std::string json = "application/json";
  if (type != json && type.substr(0, json.size() + 1) != json + ";")
    return {{415, "Content-Type must be application/json"}};
  if (request.has_header("Content-Encoding")) return {{415, "Content-Encoding is not supported"}};
  if (request.has_header("Transfer-Encoding")) {
    const bool only_chunked =
        text::lower(request.get_header_value("Transfer-Encoding")) == "chunked" &&
        !request.has_header("Content-Length");
    return only_chunked ? Refusal() : Refusal({400, "Transfer-Encoding must be chunked, alone"});
  }
  if (request.get_header_value_count("Content-Length") != 1)
    return {{411, "one Content-Length header is required"}};
  const auto length = content_length(request.get_header_value("Content-Length"));
  if (!length) return {{400, "Content-Length is not a number"}};
  if (*length > limits_.body_bytes)
    return {{413, concat("a body of ", *length, " bytes, at most ", limits_.body_bytes)}};
  return std::nullopt;
}

void HttpServer::Server::read_body(const httplib::Request& in, httplib::Response& out,
                                   const httplib::ContentReader& reader) const {
  std::string body;
  bool too_long = false;
  const bool whole = reader([&](const char* bytes, std::size_t size) {
    too_long = size > limits_.body_bytes - body.size();
    if (!too_long) body.append(bytes, size);
    return !too_long;
  });
  if (whole) {
    current->received();
    return answer(in, std::move(body), out);
  }
  if (too_long || current->too_long())
    set_error(out, 413, concat("a body of more than ", limits_.body_bytes, " bytes"));
  else if (current->timed_out())
    set_error(out, 408, "the request did not arrive in time");
  else
    set_error(out, 400, "the body ended early or is not chunked as it says");
}

// ---- answers ------------------------------------------------------------------------------------

void HttpServer::Server::set_error(httplib::Response& out, int status,
                                   const std::string& message) const {
  out.status = status;
  out.set_content(describe_(status, message), "application/json");
}

void HttpServer::Server::answer(const httplib::Request& in, std::string body,
                                httplib::Response& out) const {
  const std::string method = in.method == "HEAD" ? "GET" : in.method;
  const auto route = std::find_if(routes_.begin(), routes_.end(), [&](const Route& r) {
    return r.method == method && matches(r, in.path);
  });
  const Connection& connection = *current;
  set_answer(in,
             route->handler({method, in.path, std::move(body)},
                            [&connection] { return connection.connected(); }),
             out);
}

void HttpServer::Server::set_answer(const httplib::Request& in, HttpAnswer answer,
                                    httplib::Response& out) const {
  out.status = answer.status;
  for (const auto& [name, value] : answer.headers) out.set_header(name.c_str(), value);
  if (!answer.stream) return out.set_content(answer.body, answer.type.c_str());
  const auto provide = [stream = std::move(answer.stream)](std::size_t, httplib::DataSink& sink) {
    bool open = true;
    stream([&](std::string_view piece) {
      open = open && sink.write(piece.data(), piece.size());
      return open;
    });
    if (open) sink.done();
    return open;
  };
  if (in.version == "HTTP/1.0")  // knows no chunks
    out.set_content_provider(answer.type.c_str(), provide);
  else
    out.set_chunked_content_provider(answer.type.c_str(), provide);
}

// ---- the interface ------------------------------------------------------------------------------

HttpServer::HttpServer(const HttpAddress& address, const HttpLimits& limits,
                       std::vector<Route> routes, DescribeError describe)
    : server_(std::make_unique<Server>(address, limits, std::move(routes), std::move(describe))) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const { return server_->port(); }

std::string HttpServer::url() const {
  const bool v6 = server_->host().find(':') != std::string::npos;
  return concat("http://", v6 ? "[" : "", server_->host(), v6 ? "]" : "", ":", port());
}

bool HttpServer::listening() const { return server_->listening(); }
int HttpServer::connections() const { return server_->connections(); }

}  // namespace gaze::phyx::serve
