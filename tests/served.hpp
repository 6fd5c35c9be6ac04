// SPDX-License-Identifier: MIT
// A server of a model from a file or folder.
#pragma once
#include <memory>

#include "gaze/io/json.hpp"
#include "phyx/serve/served_model.hpp"
#include "tests/chat_server.hpp"

namespace gaze::test {

struct Served {
  std::unique_ptr<phyx::serve::ServedModel> model;
  phyx::serve::ChatServer server;

  explicit Served(const phyx::serve::ServedSettings& settings, const TestOptions& options = {})
      : model(phyx::serve::load_served<Cpu>(settings)),
        server(
            *model, [this] { return model->make_batch(); }, options.settings()) {}

  HttpResult send(const io::Json& messages, io::Json fields) const {
    fields["model"] = model->name();
    fields["messages"] = messages;
    return post(server.http().port(), "/v1/chat/completions", fields.dump());
  }
  HttpResult send_user(const io::Json& content, const io::Json& fields) const {
    return send(io::Json::array({{{"role", "user"}, {"content", content}}}), fields);
  }
};

}  // namespace gaze::test
