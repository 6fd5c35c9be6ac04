// SPDX-License-Identifier: MIT
// A model of a file or folder, ready to be served: a published checkpoint or one of our own.
#pragma once
#include <memory>
#include <string>

#include "gaze/core/device.hpp"
#include "phyx/eval/published_model.hpp"
#include "phyx/serve/chat_model.hpp"
#include "phyx/serve/scheduler.hpp"

namespace gaze::phyx::serve {

struct ServedSettings {
  std::string path = {}, name = {};  // an empty name: that of the path
  PublishedSettings published = {};
  Index cache_tokens = 8192;  // room for keys and values of all requests that run
};

/// The model must outlive the batches that make_batch() returns.
class ServedModel : public ChatModel {
 public:
  virtual std::unique_ptr<Batch> make_batch() const = 0;
};

/// Loads it to a device. Throws Error, also for a folder whose chat template is not known.
template <class Device = Cpu>
std::unique_ptr<ServedModel> load_served(const ServedSettings& settings);

extern template std::unique_ptr<ServedModel> load_served<Cpu>(const ServedSettings&);

}  // namespace gaze::phyx::serve
