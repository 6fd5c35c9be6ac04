// SPDX-License-Identifier: MIT
// Checkpoints: weights by name and, in a state to resume from, the optimiser's moments.
#pragma once
#include <charconv>
#include <deque>
#include <set>

#include "gaze/io/safetensors.hpp"
#include "gaze/optim/adamw.hpp"

namespace gaze {

/// Tensors to write, with host copies of those in device memory.
class TensorsToWrite {
 public:
  TensorsToWrite() = default;
  TensorsToWrite(TensorsToWrite&&) = default;  // no copies: views point into copies_

  /// Adds a tensor. Errors: it is undefined or not contiguous.
  template <class T, class Device>
  void add(const std::string& name, const Tensor<T, Device>& t) {
    GAZE_CHECK(t.defined(), "save", name, ": has no values yet; call allocate() first");
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
  /// Valid as long as this object.
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

}  // namespace detail

/// Reads a tensor of the same name and shape from the file, converted as SafetensorsFile::read
/// does.
template <class T, class Device>
void read_tensor(const io::SafetensorsFile& file, const std::string& name, Tensor<T, Device> to) {
  if constexpr (std::is_same_v<Device, Cpu>) {
    detail::read_values(file, name, to.shape(), to.data());
  } else {
    std::vector<T> values(static_cast<std::size_t>(to.numel()));
    detail::read_values(file, name, to.shape(), values.data());
    Allocator<Device>::copy_in(to.data(), values.data(), values.size() * sizeof(T));
  }
  to.changed();
}

/// The text under a key of a saved state's metadata.
inline const std::string& saved_text(const io::SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  GAZE_CHECK(found != file.metadata().end(), "resume", file.path(), ": its metadata has no ", key);
  return found->second;
}

/// The same as a count, at least 0.
inline Index saved_count(const io::SafetensorsFile& file, const std::string& key) {
  const std::string& text = saved_text(file, key);
  Index value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  GAZE_CHECK(error == std::errc() && end == text.data() + text.size() && value >= 0, "resume",
             file.path(), ", ", key, ": not a count: '", text, "'");
  return value;
}

namespace detail {

/// All parameters but those of some parts, which the model must have.
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

/// Writes all weights by name, except those of the parts in `without`. Atomic: the file is written
/// whole or not at all.
template <class T, class Device>
void save_weights(const std::string& path, Parameters<T, Device>& parameters,
                  const io::Metadata& metadata, const std::vector<std::string>& without = {}) {
  TensorsToWrite tensors;
  for (const auto* p : detail::parameters_without("save", parameters, without))
    tensors.add(p->name, p->value);
  io::write_safetensors(path, tensors.views(), metadata);
}

/// Throws an Error that names the first tensor of the file that is missing, has another shape than
/// its parameter, or has none, without reading any. The parameters need not be allocated.
template <class T, class Device>
void check_weights(const io::SafetensorsFile& file, Parameters<T, Device>& parameters,
                   const std::vector<std::string>& without = {}) {
  for (const auto* p : detail::parameters_without("load", parameters, without)) {
    const std::vector<std::int64_t> expected(p->shape.begin(), p->shape.end());
    GAZE_CHECK(file.info(p->name).shape == expected, "load",
               io::detail::tensor_label(file.path(), p->name), ": shape ",
               io::detail::shape_text(file.info(p->name).shape), ", expected ",
               io::detail::shape_text(expected));
  }
  for (const auto& [name, info] : file.tensors())
    GAZE_CHECK(parameters.find(name), "load", file.path(), ": the model has no tensor named ",
               name);
}

/// Reads all weights by name, except those of the parts in `without`, which keep their values and
/// may be missing from the file. A missing, unexpected or wrongly shaped tensor is an error that
/// names it; no weight has changed then.
template <class T, class Device>
void load_weights(const std::string& path, Parameters<T, Device>& parameters,
                  const std::vector<std::string>& without = {}) {
  parameters.check_allocated("load");
  const io::SafetensorsFile file(path);
  check_weights(file, parameters, without);
  const auto wanted = detail::parameters_without("load", parameters, without);
  std::vector<Tensor<T, Device>> read;
  for (const auto* p : wanted) {
    read.emplace_back(p->shape);
    read_tensor(file, p->name, read.back());
  }
  std::size_t i = 0;
  for (auto* p : wanted) {
    Kernels<Device>::copy(p->value.numel(), read[i++].data(), p->value.data());
    p->value.changed();
  }
}

/// Reads all weights by name straight to their places, rounded where they are held in bf16 alone:
/// for a model made for its file (Parameters::allocate_for_file()), so that no weight is held
/// twice. The tensors are checked as load_weights() does before any is read.
template <class T, class Device>
void read_weights(const std::string& path, Parameters<T, Device>& parameters) {
  parameters.check_allocated("load");
  const io::SafetensorsFile file(path);
  check_weights(file, parameters);
  for (auto& p : parameters.all()) {
    if (p.in_pack)
      read_tensor(file, p.name, p.value);
    else
      p.hold([&]<class U>(std::type_identity<U>) {
        Tensor<U, Device> values(p.shape);
        read_tensor(file, p.name, values);
        return values;
      });
  }
}

/// Writes everything that the next step depends on: packs, moments and `tensors`.
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

/// Reads a file that save_state() wrote for the same model and stage.
template <class T, class Device>
void load_state(const io::SafetensorsFile& file, Parameters<T, Device>& parameters,
                AdamW<T, Device>& optimiser) {
  parameters.check_allocated("resume");
  for (std::size_t i = 0; i < parameters.packs().size(); ++i) {
    auto& pack = parameters.packs()[i];
    read_tensor(file, pack.name(), pack.values);
    if (!pack.trained) continue;
    auto& m = optimiser.moments()[i];
    read_tensor(file, pack.name() + ".first", m.first);
    read_tensor(file, pack.name() + ".second", m.second);
  }
  optimiser.set_steps(saved_count(file, "optimiser_steps"));
}

}  // namespace gaze
