// SPDX-License-Identifier: MIT
// Checkpoints: weights under their names, and with them, to resume, the optimiser's moments.
#pragma once
#include <charconv>
#include <deque>
#include <set>

#include "gaze/io/safetensors.hpp"
#include "gaze/optim/adamw.hpp"

namespace gaze {

/// Tensors to write, with copies of those that the host cannot read.
class TensorsToWrite {
 public:
  TensorsToWrite() = default;
  TensorsToWrite(TensorsToWrite&&) = default;  // views point into copies, so it is never copied

  template <class T, class Device>
  void add(const std::string& name, const Tensor<T, Device>& t) {
    GAZE_CHECK(t.defined(), "save", name, ": has no values yet; allocate() comes first");
    GAZE_CHECK(t.contiguous(), "save", name, ": shape ", t.shape(), " is not contiguous in memory");
    const T* values = t.data();
    if constexpr (!std::is_same_v<Device, Cpu>) {
      const auto bytes = static_cast<std::size_t>(t.numel()) * sizeof(T);
      copies_.emplace_back(bytes);
      Allocator<Device>::copy_out(copies_.back().data(), values, bytes);
      values = reinterpret_cast<const T*>(copies_.back().data());
    }
    views_.push_back({name,
                      std::string(io::dtype_of<T>()),
                      {t.shape().begin(), t.shape().end()},
                      std::as_bytes(std::span(values, static_cast<std::size_t>(t.numel())))});
  }
  const std::vector<io::TensorView>& views() const { return views_; }

 private:
  std::vector<io::TensorView> views_;
  std::deque<std::vector<std::byte>> copies_;
};

namespace detail {

template <class T>
void read_values(const io::SafetensorsFile& file, const std::string& name, const Shape& shape,
                 T* to) {
  const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  file.read<T>(name, sizes, std::span<T>(to, static_cast<std::size_t>(shape.numel())));
}

template <class T, class Device>
void read_tensor(const io::SafetensorsFile& file, const std::string& name, Tensor<T, Device> to) {
  if constexpr (std::is_same_v<Device, Cpu>) {
    read_values(file, name, to.shape(), to.data());
  } else {
    std::vector<T> values(static_cast<std::size_t>(to.numel()));
    read_values(file, name, to.shape(), values.data());
    Allocator<Device>::copy_in(to.data(), values.data(), values.size() * sizeof(T));
  }
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

namespace detail {

/// The parameters of a model, without those of some parts, which it must have.
template <class T, class Device>
std::vector<Parameter<T, Device>*> parameters_without(const char* op,
                                                      Parameters<T, Device>& parameters,
                                                      const std::vector<std::string>& parts) {
  std::vector<Parameter<T, Device>*> out;
  std::set<std::string> unknown(parts.begin(), parts.end());
  for (const auto& pack : parameters.packs()) {
    unknown.erase(pack.part);
    if (std::find(parts.begin(), parts.end(), pack.part) == parts.end())
      out.insert(out.end(), pack.members.begin(), pack.members.end());
  }
  GAZE_CHECK(unknown.empty(), op, "the model has no part named ", *unknown.begin());
  return out;
}

}  // namespace detail

/// Writes all weights, each under its name, but those of parts to leave out; whole or not at all.
template <class T, class Device>
void save_weights(const std::string& path, Parameters<T, Device>& parameters,
                  const io::Metadata& metadata, const std::vector<std::string>& without = {}) {
  TensorsToWrite tensors;
  for (const auto* p : detail::parameters_without("save", parameters, without))
    tensors.add(p->name, p->value);
  io::write_safetensors(path, tensors.views(), metadata);
}

/// Reads all weights, but those of parts to leave as they are, which the file need not have. A
/// missing, misshapen or superfluous tensor is an error that names it, and then no weight has
/// changed.
template <class T, class Device>
void load_weights(const std::string& path, Parameters<T, Device>& parameters,
                  const std::vector<std::string>& without = {}) {
  parameters.check_allocated("load");
  const io::SafetensorsFile file(path);
  const auto wanted = detail::parameters_without("load", parameters, without);
  std::vector<Tensor<T, Device>> read;
  for (const auto* p : wanted) {
    read.emplace_back(p->shape);
    detail::read_tensor(file, p->name, read.back());
  }
  for (const auto& [name, info] : file.tensors())
    GAZE_CHECK(parameters.find(name), "load", path, ": the model has no tensor named ", name);
  std::size_t i = 0;
  for (auto* p : wanted) {
    Kernels<Device>::copy(p->value.numel(), read[i++].data(), p->value.data());
    p->value.changed();
  }
}

/// Writes packs and moments, and `tensors`: everything that the next step depends on.
template <class T, class Device>
void save_state(const std::string& path, Parameters<T, Device>& parameters,
                AdamW<T, Device>& optimiser, io::Metadata metadata, TensorsToWrite tensors = {}) {
  for (std::size_t i = 0; i < parameters.packs().size(); ++i) {
    const auto& pack = parameters.packs()[i];
    tensors.add(pack.name(), pack.values);
    if (!pack.trained) continue;
    const auto& m = optimiser.moments()[i];
    tensors.add(pack.name() + ".first", m.first);
    tensors.add(pack.name() + ".second", m.second);
  }
  metadata["optimiser_steps"] = std::to_string(optimiser.steps());
  io::write_safetensors(path, tensors.views(), metadata);
}

/// Reads what save_state() wrote for the same model and stage.
template <class T, class Device>
void load_state(const io::SafetensorsFile& file, Parameters<T, Device>& parameters,
                AdamW<T, Device>& optimiser) {
  parameters.check_allocated("resume");
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
