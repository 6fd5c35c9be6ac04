// SPDX-License-Identifier: MIT
// The weights of a published checkpoint in Hugging Face's layout: a folder with model.safetensors,
// or with model.safetensors.index.json and the files ("shards") that this index names:
//   {"metadata": {"total_size": 52},
//    "weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors", ...}}
// Opening checks all of it and allocates no tensor. Tensors are then read into the caller's memory,
// converted to its type, or mapped and used where they lie.
//
// Two kinds of checkpoint are refused, because their weights would depend on the program:
// - Both model.safetensors and an index: transformers 5.0 reads the former, vLLM the latter. Open
//   the file that is meant by its own path.
// - A tensor in a shard that the index maps to another file (thus also one in two shards) or to
//   none: transformers 5.0 reads all tensors of every shard. Indexes are written from the files, so
//   such files come from different checkpoints.
// The index's metadata is not used: the files state their sizes.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/dtype.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/mapped_file.hpp"
#include "gaze/io/safetensors.hpp"

namespace gaze::io {

/// A tensor's values in a mapped file, only read, as long as `file` lives. See mapped_file.hpp for
/// files that change meanwhile.
template <FileElement T>
struct MappedValues {
  std::shared_ptr<const MappedFile> file;
  std::span<const T> values;
};

/// The weights of a checkpoint, by name. All const functions may be called by several threads at a
/// time; files are mapped when the first of their tensors is.
class WeightFiles {
 public:
  using Info = SafetensorsFile::Info;  ///< What a header says of one tensor.

  /// Opens a folder, an index (a file named *.index.json) or one safetensors file. Errors name the
  /// file and the tensor or key.
  explicit WeightFiles(std::string path);
  WeightFiles(const WeightFiles&) = delete;
  WeightFiles& operator=(const WeightFiles&) = delete;

  const std::string& path() const { return path_; }  ///< as it was opened
  std::vector<std::string> files() const;            ///< their paths

  std::vector<std::string> names() const;  ///< sorted
  /// Whether a file has it.
  bool contains(const std::string& name) const { return tensors_.count(name) > 0; }
  /// Error: no file has it.
  const Info& info(const std::string& name) const { return *find(name).info; }
  /// The path of the file that contains the tensor.
  const std::string& file(const std::string& name) const { return find(name).file->data.path(); }

  /// Reads one tensor, see SafetensorsFile::read.
  template <FileElement T>
  void read(const std::string& name, std::span<const std::int64_t> expected_shape,
            std::span<T> out) const {
    const Tensor& tensor = find(name);
    tensor.file->data.read<T>(name, expected_shape, out);
    tensor.used = true;
  }
  /// The tensor where it lies in its file; none if its type is not T or the file does not align
  /// its elements, which the format does not require.
  template <FileElement T>
  std::optional<MappedValues<T>> map(const std::string& name,
                                     std::span<const std::int64_t> expected_shape) const;

  /// Tensors of which nothing was read or mapped yet, sorted.
  std::vector<std::string> unused() const;
  /// Those of `names` that no file contains.
  std::vector<std::string> missing(const std::vector<std::string>& names) const;

 private:
  struct File {
    const SafetensorsFile data;
    std::shared_ptr<const MappedFile> mapping;  // once needed; guarded by mutex_

    explicit File(const std::string& path) : data(path) {}
  };
  struct Tensor {
    const Info* info;
    File* file;
    mutable std::atomic<bool> used{false};

    Tensor(const Info& i, File& f) : info(&i), file(&f) {}
  };

  const Tensor& find(const std::string& name) const;
  void add(File& file);
  void open_index(const std::string& path);
  void add_shard(const std::string& path, const std::string& shard, const Json& weight_map);

  std::string path_;
  std::deque<File> files_;  // addresses stay
  std::map<std::string, Tensor> tensors_;
  mutable std::mutex mutex_;
};

namespace detail {

inline constexpr std::string_view kIndexEnd = ".index.json";

/// The file of weights that `path` means: itself, or that in the folder `path`.
inline std::string weights_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return path;
  const std::string file = std::filesystem::path(path) / "model.safetensors",
                    index = file + std::string(kIndexEnd);
  const bool has_file = exists(file), has_index = exists(index);
  GAZE_CHECK(has_file || has_index, "load", path,
             ": neither model.safetensors nor model.safetensors.index.json is in this folder");
  GAZE_CHECK(!has_file || !has_index, "load", path,
             ": both model.safetensors and model.safetensors.index.json are in this folder, and "
             "tools differ in which they read; name one of them instead of the folder");
  return has_file ? file : index;
}

/// A value of weight_map: the bare name of a safetensors file. `label` names its key in errors.
inline const std::string& shard_name(const Json& value, const std::string& label) {
  GAZE_CHECK(value.is_string(), "load", label, ": not the name of a file");
  const auto& name = value.get_ref<const std::string&>();
  GAZE_CHECK(name.find_first_of(std::string_view("/\\\0", 3)) == name.npos &&
                 std::string_view(name).ends_with(".safetensors"),
             "load", label, ": '", printable(name, kShownBytes),
             "' is not the name of a safetensors file in the same folder");
  return name;
}

/// The path after links. Errors begin with `label` and leave out where a link leads.
inline std::filesystem::path real_path(const std::filesystem::path& path,
                                       const std::string& label) {
  std::error_code error;
  auto real = std::filesystem::canonical(path, error);
  GAZE_CHECK(!error, "load", label, ": cannot open: ", error.message());
  return real;
}

/// An Error if the file is a link out of its folder. In the cache of Hugging Face's hub all files
/// of a folder models--owner--name/snapshots/revision are links into models--owner--name/blobs, and
/// these may be links into a folder blobs that all models share; both count as inside.
inline void check_inside(const std::filesystem::path& file, const std::string& label) {
  const auto named = file.parent_path();
  const auto target = real_path(file, label),
             folder = real_path(named.empty() ? "." : named, label);
  const auto within = [&](const std::filesystem::path& parent) {
    return *target.lexically_relative(parent).begin() != "..";
  };
  const auto revisions = folder.parent_path(), model = revisions.parent_path();
  const bool cached = revisions.filename() == "snapshots" &&
                      (within(model / "blobs") || within(model.parent_path() / "blobs"));
  GAZE_CHECK(cached || within(folder), "load", label, ": is a link to a file outside its folder");
}

}  // namespace detail

inline WeightFiles::WeightFiles(std::string path) : path_(std::move(path)) {
  const std::string file = detail::weights_file(path_);
  if (file != path_) detail::check_inside(file, file);
  if (file.ends_with(detail::kIndexEnd))
    open_index(file);
  else
    add(files_.emplace_back(file));
}

/// Adds a file's tensors, whose names are new.
inline void WeightFiles::add(File& file) {
  for (const auto& [name, info] : file.data.tensors()) tensors_.try_emplace(name, info, file);
}

inline void WeightFiles::open_index(const std::string& path) {
  const Json index = read_json_object(path);
  const Json& weight_map = json_at(index, "weight_map", path);
  GAZE_CHECK(weight_map.is_object() && !weight_map.empty(), "load", path,
             ": weight_map does not map names of tensors to files");
  const auto label = [&](const std::string& tensor) {
    return path + " weight_map '" + printable(tensor, kShownBytes) + "'";
  };
  std::map<std::string, std::string> shards;  // with the first tensor of each
  for (const auto& [tensor, file] : weight_map.items())
    shards.emplace(detail::shard_name(file, label(tensor)), tensor);
  for (const auto& [shard, tensor] : shards) {
    const auto file = std::filesystem::path(path).replace_filename(shard);
    detail::check_inside(file, label(tensor) + ": " + shard);
    add_shard(file, shard, weight_map);
  }
  for (const auto& [tensor, file] : weight_map.items())
    GAZE_CHECK(contains(tensor), "load", label(tensor), ": not in ", file.get<std::string>());
}

/// Adds a file whose tensors must be those that the index maps to it.
inline void WeightFiles::add_shard(const std::string& path, const std::string& shard,
                                   const Json& weight_map) {
  File& file = files_.emplace_back(path);
  for (const auto& [name, info] : file.data.tensors()) {
    const std::string label = detail::tensor_label(path, name);
    const auto mapped = weight_map.find(name);
    GAZE_CHECK(mapped != weight_map.end(), "load", label, ": not in weight_map of the index");
    GAZE_CHECK(*mapped == shard, "load", label, ": weight_map of the index maps it to ",
               mapped->get<std::string>());
  }
  add(file);
}

inline std::vector<std::string> WeightFiles::names() const {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors_) out.push_back(name);
  return out;
}

inline const WeightFiles::Tensor& WeightFiles::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  GAZE_CHECK(found != tensors_.end(), "load", detail::tensor_label(path_, name),
             ": not in the checkpoint");
  return found->second;
}

template <FileElement T>
std::optional<MappedValues<T>> WeightFiles::map(
    const std::string& name, std::span<const std::int64_t> expected_shape) const {
  const Tensor& tensor = find(name);
  const Info& info = tensor.file->data.info(name, expected_shape);
  if (info.dtype != dtype_of<T>() || info.begin % sizeof(T) != 0) return std::nullopt;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!tensor.file->mapping) tensor.file->mapping = tensor.file->data.map();
  tensor.used = true;
  const std::byte* const at = tensor.file->mapping->bytes().data() + info.begin;
  return MappedValues<T>{
      tensor.file->mapping,
      {reinterpret_cast<const T*>(at), static_cast<std::size_t>(info.elements())}};
}

inline std::vector<std::string> WeightFiles::files() const {
  std::vector<std::string> out;
  for (const auto& file : files_) out.push_back(file.data.path());
  return out;
}

inline std::vector<std::string> WeightFiles::unused() const {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors_)
    if (!tensor.used) out.push_back(name);
  return out;
}

inline std::vector<std::string> WeightFiles::missing(const std::vector<std::string>& names) const {
  std::vector<std::string> out;
  for (const std::string& name : names)
    if (!contains(name)) out.push_back(name);
  return out;
}

}  // namespace gaze::io
