// SPDX-License-Identifier: MIT
// gaze serve.
#include <chrono>
#include <cstdio>
#include <thread>

#include "gaze/text/strings.hpp"
#include "phyx/cli/command.hpp"
#include "phyx/cli/device.hpp"
#include "phyx/cli/published_options.hpp"
#include "phyx/serve/served_model.hpp"
#include "phyx/serve/server.hpp"
#ifdef GAZE_WITH_CUDA
#include "phyx/serve/served_model.inl"
#endif

namespace gaze::phyx::cli {

namespace {

const CLI::Validator seconds_or_mebibytes =
    number("from 0.01 to 100000", [](double x) { return x >= 0.01 && x <= 1e5; });

struct ServeOptions {
  serve::ServedSettings model;
  serve::ServerSettings server;
  std::string device = "cpu";
  double body_mebibytes = 16;

  ServeOptions() { server.address.port = 8080; }

  void add(CLI::App& app) {
    app.add_option("--model", model.path,
                   "folder or .safetensors file of a trained model, or folder of a published "
                   "checkpoint")
        ->required();
    app.add_option("--name", model.name, "the model's name in the API (default: of the path)");
    add_published(app, model.published);
    add_device(app, device);
    add_address(app);
    add_limits(app);
  }

  void add_address(CLI::App& app) {
    app.add_option("--host", server.address.host,
                   "address to listen on; others than the default are reached from other machines")
        ->capture_default_str();
    app.add_option("--port", server.address.port, "0: any free one, which is printed")
        ->transform(whole(0, 65535))
        ->capture_default_str();
    app.add_option("--allow-host", server.address.names,
                   "further names by which clients may call the server");
  }

  void add_limits(CLI::App& app) {
    const auto count = [&app](const char* name, auto& value, std::int64_t most, const char* help) {
      app.add_option(name, value, help)->transform(whole(1, most))->capture_default_str();
    };
    const auto seconds = [&app](const char* name, double& value, const char* help) {
      app.add_option(name, value, help)->check(seconds_or_mebibytes)->capture_default_str();
    };
    auto& completion = server.api.completion;
    count("--cache-tokens", model.cache_tokens, largest,
          "tokens of all running requests, prompts and answers, in the key-value store");
    count("--max-tokens", completion.max_tokens, largest, "most that a request may ask for");
    count("--default-tokens", completion.default_tokens, largest,
          "longest answer to a request that does not say");
    count("--max-messages", server.api.messages, 100000, "messages of a conversation");
    count("--queue", server.queue, 100000, "requests that wait; more are answered with 429");
    count("--connections", server.http.connections, 500, "open at once; more get 503");
    app.add_option("--max-body", body_mebibytes, "size of a request in MiB")
        ->check(seconds_or_mebibytes)
        ->capture_default_str();
    seconds("--request-seconds", completion.seconds, "longest time for an answer");
    seconds("--receive-seconds", server.http.receive_seconds, "for a request to arrive");
    seconds("--send-seconds", server.http.send_seconds, "for a client that does not read");
  }

  void run() {
    catch_signals();
    for (std::string& name : server.address.names) name = text::lower(name);
    server.http.body_bytes = static_cast<std::size_t>(body_mebibytes * (1 << 20));
    server.http.answer_seconds = server.api.completion.seconds + 60;
    const auto served =
        on_device(device, [&](auto chosen) { return serve::load_served<decltype(chosen)>(model); });
    const serve::ChatServer running(
        *served, [&] { return served->make_batch(); }, server);
    const std::string url = running.http().url();
    std::printf("%s at %s/v1; Ctrl-C ends\nA page to ask it: %s/\n",
                for_standard_output(served->name()).c_str(), url.c_str(), url.c_str());
    std::fflush(stdout);
    while (!stop_requested()) {
      GAZE_CHECK(running.http().listening(), "serve", "the listening socket failed");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
};

}  // namespace

void add_serve(CLI::App& app) {
  add_command<ServeOptions>(app, "serve", "answer over HTTP with OpenAI's API");
}

}  // namespace gaze::phyx::cli
