// SPDX-License-Identifier: MIT
// Checkpoints: weights under their names, and with them, to resume, the optimiser's moments.
#pragma once
#include <charconv>

#include "gaze/io/safetensors.hpp"
#include "gaze/optim/adamw.hpp"

namespace gaze {

namespace detail {

template <class T, class Device>
io::TensorView tensor_view(const std::string& name, const Tensor<T, Device>& t) {
  return {name,
          std::string(io::dtype_of<T>()),
          {t.shape().begin(), t.shape().end()},
          std::as_bytes(std::span<const T>(t.data(), static_cast<std::size_t>(t.numel())))};
}

template <class T, class Device>
void read_tensor(const io::SafetensorsFile& file, const std::string& name, Tensor<T, Device> to) {
  const std::vector<std::int64_t> shape(to.shape().begin(), to.shape().end());
  file.read<T>(name, shape, std::span<T>(to.data(), static_cast<std::size_t>(to.numel())));
  to.changed();
}

inline const std::string& saved_text(const io::SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  GAZE_CHECK(found != file.metadata().end(), "resume", file.path(), ": its metadata has no ", key);
  return found->second;
}

inline Index saved_count(const io::SafetensorsFile& file, const std::string& key) {
  const std::string& text = saved_text(file, key);
  Index value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  GAZE_CHECK(error == std::errc() && end == text.data() + text.size() && value >= 0, "resume",
             file.path(), ", ", key, ": not a count: '", text, "'");
  return value;
}

}  // namespace detail

/// Writes all weights, each under its name, but those of parts to leave out; whole or not at all.
template <class T, class Device>
void save_weights(const std::string& path, Parameters<T, Device>& parameters,
                  const io::Metadata& metadata, const std::vector<std::string>& without = {}) {
  std::vector<io::TensorView> tensors;
  for (const auto& pack : parameters.packs()) {
    if (std::find(without.begin(), without.end(), pack.part) != without.end()) continue;
    for (const auto* p : pack.members) tensors.push_back(detail::tensor_view(p->name, p->value));
  }
  io::write_safetensors(path, tensors, metadata);
}

/// Reads all weights. A missing, misshapen or superfluous tensor is an error that names it, and
/// then no weight has changed.
template <class T, class Device>
void load_weights(const std::string& path, Parameters<T, Device>& parameters) {
  const io::SafetensorsFile file(path);
  std::vector<Tensor<T, Device>> read;
  for (const auto& p : parameters.all()) {
    read.emplace_back(p.shape);
    detail::read_tensor(file, p.name, read.back());
  }
  for (const auto& [name, info] : file.tensors())
    GAZE_CHECK(parameters.find(name), "load", path, ": the model has no tensor named ", name);
  std::size_t i = 0;
  for (auto& p : parameters.all()) {
    Kernels<Device>::copy(p.value.numel(), static_cast<const T*>(read[i++].data()), p.value.data());
    p.value.changed();
  }
}

/// Writes packs and moments, and `tensors`: everything that the next step depends on.
template <class T, class Device>
void save_state(const std::string& path, Parameters<T, Device>& parameters,
                AdamW<T, Device>& optimiser, io::Metadata metadata,
                std::vector<io::TensorView> tensors = {}) {
  for (std::size_t i = 0; i < parameters.packs().size(); ++i) {
    const auto& pack = parameters.packs()[i];
    tensors.push_back(detail::tensor_view(pack.name(), pack.values));
    if (!pack.trained) continue;
    const auto& m = optimiser.moments()[i];
    tensors.push_back(detail::tensor_view(pack.name() + ".first", m.first));
    tensors.push_back(detail::tensor_view(pack.name() + ".second", m.second));
  }
  metadata["optimiser_steps"] = std::to_string(optimiser.steps());
  io::write_safetensors(path, tensors, metadata);
}

/// Reads what save_state() wrote for the same model and stage.
template <class T, class Device>
void load_state(const io::SafetensorsFile& file, Parameters<T, Device>& parameters,
                AdamW<T, Device>& optimiser) {
  for (std::size_t i = 0; i < parameters.packs().size(); ++i) {
    auto& pack = parameters.packs()[i];
    detail::read_tensor(file, pack.name(), pack.values);
    if (!pack.trained) continue;
    auto& m = optimiser.moments()[i];
    detail::read_tensor(file, pack.name() + ".first", m.first);
    detail::read_tensor(file, pack.name() + ".second", m.second);
  }
  optimiser.set_steps(detail::saved_count(file, "optimiser_steps"));
}

}  // namespace gaze
