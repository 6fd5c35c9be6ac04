// SPDX-License-Identifier: MIT
// safetensors: named tensors in one file. Eight bytes hold the length of a JSON header (little
// endian), then comes the header, then the data, where
//   {"__metadata__": {"step": "7"}, "wq": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0,
//   24]}}
// counts offsets from the header's end. Files are written atomically. A file is checked whole
// when it is opened (every length, offset, shape and name, before memory is taken for any of
// them), and tensors are then read one by one, straight into the caller's memory.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/checked.hpp"
#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"

namespace gaze::io {

static_assert(std::endian::native == std::endian::little, "safetensors data is little endian");

/// Bytes of one element of a type of the format; 0 for one that we do not know. (The format's types
/// of less than a byte are not known.)
inline std::size_t dtype_size(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 17> sizes = {{{"F64", 8},
                                                                               {"F32", 4},
                                                                               {"F16", 2},
                                                                               {"BF16", 2},
                                                                               {"F8_E5M2", 1},
                                                                               {"F8_E4M3", 1},
                                                                               {"I64", 8},
                                                                               {"I32", 4},
                                                                               {"I16", 2},
                                                                               {"I8", 1},
                                                                               {"U64", 8},
                                                                               {"U32", 4},
                                                                               {"U16", 2},
                                                                               {"U8", 1},
                                                                               {"BOOL", 1},
                                                                               {"C64", 8},
                                                                               {"F8_E8M0", 1}}};
  for (const auto& [name, size] : sizes) {
    if (name == dtype) return size;
  }
  return 0;
}

/// The file's name for a C++ type. (bfloat16 is two bytes of a type of core/, so callers name it.)
template <class T>
constexpr std::string_view dtype_of() {
  if constexpr (std::same_as<T, double>) return "F64";
  if constexpr (std::same_as<T, float>) return "F32";
  if constexpr (std::same_as<T, std::int64_t>) return "I64";
  if constexpr (std::same_as<T, std::int32_t>) return "I32";
  if constexpr (std::same_as<T, std::uint8_t>) return "U8";
  return "";
}

/// One tensor with its data. No dimensions: a scalar.
struct TensorEntry {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;
};

/// One tensor to be written, its data elsewhere.
struct TensorView {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

using Metadata = std::map<std::string, std::string>;

namespace detail {

inline constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{100} << 20;  // as the format says
inline constexpr std::size_t kMaxDimensions = 16;

/// IEEE 754 binary16: a sign, five bits of exponent, ten of fraction.
inline float float_of_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, rest = bits & 0x7FFFu;
  if (rest < 0x400u) {  // zero and subnormal: fraction x 2^-24
    const float size = static_cast<float>(rest) * 0x1p-24f;
    return sign ? -size : size;
  }
  const bool finite = rest < 0x7C00u;  // else infinite, or NaN
  return std::bit_cast<float>(sign | ((rest << 13) + (finite ? 112u << 23 : 224u << 23)));
}

inline std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t n : shape) {
    if (text.size() > 1) text += ',';
    text += std::to_string(n);
  }
  return text + "]";
}

/// Bytes of a tensor; an Error for unknown types, negative sizes and products that overflow.
inline std::uint64_t tensor_bytes(std::string_view dtype, std::span<const std::int64_t> shape,
                                  const std::string& where, const std::string& label) {
  const std::uint64_t bytes = dtype_size(dtype);
  GAZE_CHECK(bytes > 0, where, label, ": dtype ", dtype.substr(0, 20), " is not known");
  GAZE_CHECK(shape.size() <= kMaxDimensions, where, label, ": ", shape.size(), " dimensions");
  for (const std::int64_t n : shape)
    GAZE_CHECK(n >= 0, where, label, ": shape ", shape_text(shape), " has a negative size");
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto count = element_count(shape);
  GAZE_CHECK(count && static_cast<std::uint64_t>(*count) <= most / bytes, where, label, ": shape ",
             shape_text(shape), " overflows");
  return bytes * static_cast<std::uint64_t>(*count);
}

inline std::string tensor_label(const std::string& path, const std::string& name) {
  return path + " tensor '" + name + "'";
}

/// The header, padded with spaces so that the data begins at a multiple of 8.
inline std::string safetensors_header(const std::string& path,
                                      const std::vector<const TensorView*>& order,
                                      const Metadata& metadata) {
  OrderedJson header = OrderedJson::object();
  auto& members = header.get_ref<OrderedJson::object_t&>();
  if (!metadata.empty()) members.emplace_back("__metadata__", metadata);
  std::uint64_t offset = 0;
  for (const TensorView* tensor : order) {
    OrderedJson entry;
    entry["dtype"] = tensor->dtype;
    entry["shape"] = tensor->shape;
    entry["data_offsets"] = {offset, offset + tensor->data.size()};
    offset += tensor->data.size();
    members.emplace_back(tensor->name, std::move(entry));
  }
  std::string text = dump_json(header, path);
  text.append((8 - text.size() % 8) % 8, ' ');
  GAZE_CHECK(text.size() <= kMaxHeaderBytes, "save", path, ": a header of ", text.size(),
             " bytes is too long");
  return text;
}

/// Checks what is to be written and puts wide elements first, so that each tensor is aligned.
inline std::vector<const TensorView*> writing_order(const std::string& path,
                                                    std::span<const TensorView> tensors) {
  std::vector<const TensorView*> order;
  std::set<std::string_view> names;
  for (const TensorView& tensor : tensors) {
    const std::string label = tensor_label(path, tensor.name);
    const std::uint64_t bytes = tensor_bytes(tensor.dtype, tensor.shape, "save", label);
    GAZE_CHECK(bytes == tensor.data.size(), "save", label, ": shape ", shape_text(tensor.shape),
               " of ", tensor.dtype, " is ", bytes, " bytes, but there are ", tensor.data.size());
    GAZE_CHECK(tensor.name != "__metadata__", "save", label, ": this name is the format's own");
    GAZE_CHECK(names.insert(tensor.name).second, "save", label, ": the name is there twice");
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    return dtype_size(a->dtype) > dtype_size(b->dtype);
  });
  return order;
}

}  // namespace detail

/// Writes a file, atomically. Each tensor's bytes must be what its dtype and shape say.
inline void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                              const Metadata& metadata = {}) {
  const auto order = detail::writing_order(path, tensors);
  const std::string header = detail::safetensors_header(path, order, metadata);
  const std::uint64_t length = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (const TensorView* tensor : order) file.write(tensor->data);
  file.commit();
}
inline void write_safetensors(const std::string& path, const std::vector<TensorView>& tensors,
                              const Metadata& metadata = {}) {
  write_safetensors(path, std::span<const TensorView>(tensors), metadata);
}
inline void write_safetensors(const std::string& path, const std::vector<TensorEntry>& tensors,
                              const Metadata& metadata = {}) {
  std::vector<TensorView> views;
  for (const TensorEntry& t : tensors) views.push_back({t.name, t.dtype, t.shape, t.data});
  write_safetensors(path, views, metadata);
}

/// An open file: all about its tensors is known and checked, their data is read on demand.
class SafetensorsFile {
 public:
  struct Info {
    std::string dtype;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0, end = 0;  ///< counted from the start of the file
  };

  explicit SafetensorsFile(std::string path);

  const std::string& path() const { return path_; }
  const std::map<std::string, Info>& tensors() const { return tensors_; }  ///< by name
  const Metadata& metadata() const { return metadata_; }
  bool contains(const std::string& name) const { return tensors_.count(name) > 0; }
  const Info& info(const std::string& name) const;

  /// Reads one tensor into `out`; an Error where its dtype or shape is not the expected one. As
  /// float, F16 and BF16 are read too, which are all floats.
  void read(const std::string& name, std::string_view dtype,
            std::span<const std::int64_t> expected_shape, std::span<std::byte> out) const;
  template <class T>
  requires(!dtype_of<T>().empty()) void read(const std::string& name,
                                             std::span<const std::int64_t> expected_shape,
                                             std::span<T> out) const {
    if constexpr (std::same_as<T, float>)
      if (const std::string& dtype = info(name).dtype; dtype == "F16" || dtype == "BF16")
        return read_half(name, dtype, expected_shape, out);
    read(name, dtype_of<T>(), expected_shape, std::as_writable_bytes(out));
  }
  /// Reads one tensor, whatever it is.
  TensorEntry read(const std::string& name) const;

 private:
  std::string label(const std::string& name) const { return detail::tensor_label(path_, name); }
  void check(bool ok, const char* what) const;
  void read_half(const std::string& name, std::string_view dtype,
                 std::span<const std::int64_t> expected_shape, std::span<float> out) const;
  void read_header();
  Info parse_info(const std::string& name, const Json& entry, std::uint64_t data_begin,
                  std::uint64_t file_bytes) const;
  void check_layout(std::uint64_t data_begin, std::uint64_t file_bytes) const;
  void read_at(std::uint64_t offset, std::span<std::byte> out, const std::string& what) const;

  std::string path_;
  detail::Descriptor file_;
  std::map<std::string, Info> tensors_;
  Metadata metadata_;
};

inline SafetensorsFile::SafetensorsFile(std::string path)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  check(file_.get() >= 0, "cannot open");
  read_header();
}

inline void SafetensorsFile::check(bool ok, const char* what) const {
  const int code = errno;
  GAZE_CHECK(ok, "load", path_, ": ", what, ": ", errno_text(code));
}

inline void SafetensorsFile::read_header() {
  struct stat status {};
  check(::fstat(file_.get(), &status) == 0, "cannot look at it");
  GAZE_CHECK(S_ISREG(status.st_mode), "load", path_, ": not a regular file");
  const auto file_bytes = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t length = 0;
  GAZE_CHECK(file_bytes >= sizeof length, "load", path_, ": ", file_bytes,
             " bytes are too few for a safetensors file");
  read_at(0, std::as_writable_bytes(std::span(&length, 1)), path_);
  GAZE_CHECK(length <= file_bytes - sizeof length && length <= detail::kMaxHeaderBytes, "load",
             path_, ": the header claims ", length, " bytes in a file of ", file_bytes);
  std::string text(static_cast<std::size_t>(length), '\0');
  read_at(sizeof length, std::as_writable_bytes(std::span(text.data(), text.size())), path_);
  const Json header = parse_json(text, path_ + " header");
  GAZE_CHECK(header.is_object(), "load", path_, ": the header is not an object");
  const std::uint64_t data_begin = sizeof length + length;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      GAZE_CHECK(entry.is_object(), "load", path_, ": __metadata__ is not an object");
      for (const auto& [key, value] : entry.items()) {
        GAZE_CHECK(value.is_string(), "load", path_, ": __metadata__ '", key, "' is not a string");
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    tensors_.emplace(name, parse_info(name, entry, data_begin, file_bytes));
  }
  check_layout(data_begin, file_bytes);
}

inline SafetensorsFile::Info SafetensorsFile::parse_info(const std::string& name, const Json& entry,
                                                         std::uint64_t data_begin,
                                                         std::uint64_t file_bytes) const {
  const std::string at = label(name);
  const auto is_size = [](const Json& value) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return value.is_number_unsigned() && value.get<std::uint64_t>() <= most;
  };
  Info info;
  const Json& dtype = json_at(entry, "dtype", at);
  GAZE_CHECK(dtype.is_string(), "load", at, ": dtype is not a string");
  info.dtype = dtype.get<std::string>();
  const Json& shape = json_at(entry, "shape", at);
  GAZE_CHECK(shape.is_array() && std::all_of(shape.begin(), shape.end(), is_size), "load", at,
             ": shape is not a list of sizes");
  info.shape = shape.get<std::vector<std::int64_t>>();
  const Json& offsets = json_at(entry, "data_offsets", at);
  GAZE_CHECK(
      offsets.is_array() && offsets.size() == 2 && is_size(offsets[0]) && is_size(offsets[1]),
      "load", at, ": data_offsets is not a pair of offsets");
  const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
  const std::uint64_t data_bytes = file_bytes - data_begin;
  GAZE_CHECK(begin <= end && end <= data_bytes, "load", at, ": data_offsets [", begin, ",", end,
             "] are not within the ", data_bytes, " bytes of data");
  const std::uint64_t bytes = detail::tensor_bytes(info.dtype, info.shape, "load", at);
  GAZE_CHECK(bytes == end - begin, "load", at, ": shape ", detail::shape_text(info.shape), " of ",
             info.dtype, " is ", bytes, " bytes, but its data_offsets hold ", end - begin);
  info.begin = data_begin + begin;
  info.end = data_begin + end;
  return info;
}

/// The format allows neither overlaps nor holes: tensors cover the data exactly.
inline void SafetensorsFile::check_layout(std::uint64_t data_begin,
                                          std::uint64_t file_bytes) const {
  std::vector<std::pair<const Info*, const std::string*>> order;
  for (const auto& [name, info] : tensors_) order.emplace_back(&info, &name);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end);
  });
  std::uint64_t covered = data_begin;
  for (const auto& [info, name] : order) {
    GAZE_CHECK(info->begin >= covered, "load", label(*name), ": overlaps another tensor");
    GAZE_CHECK(info->begin == covered, "load", label(*name), ": leaves a hole of ",
               info->begin - covered, " bytes before it");
    covered = info->end;
  }
  GAZE_CHECK(covered == file_bytes, "load", path_, ": ", file_bytes - covered,
             " bytes at the end belong to no tensor");
}

inline void SafetensorsFile::read_at(std::uint64_t offset, std::span<std::byte> out,
                                     const std::string& what) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    check(n >= 0, "cannot read");
    GAZE_CHECK(n > 0, "load", what, ": the file ends at byte ", offset);
    offset += static_cast<std::uint64_t>(n);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

inline const SafetensorsFile::Info& SafetensorsFile::info(const std::string& name) const {
  const auto found = tensors_.find(name);
  GAZE_CHECK(found != tensors_.end(), "load", label(name), ": not in the file");
  return found->second;
}

inline void SafetensorsFile::read(const std::string& name, std::string_view dtype,
                                  std::span<const std::int64_t> expected_shape,
                                  std::span<std::byte> out) const {
  const Info& tensor = info(name);
  GAZE_CHECK(tensor.dtype == dtype, "load", label(name), ": dtype ", tensor.dtype, ", expected ",
             dtype);
  GAZE_CHECK(std::equal(tensor.shape.begin(), tensor.shape.end(), expected_shape.begin(),
                        expected_shape.end()),
             "load", label(name), ": shape ", detail::shape_text(tensor.shape), ", expected ",
             detail::shape_text(expected_shape));
  GAZE_CHECK(out.size() == tensor.end - tensor.begin, "load", label(name), ": ",
             tensor.end - tensor.begin, " bytes do not fit a buffer of ", out.size());
  read_at(tensor.begin, out, label(name));
}

inline void SafetensorsFile::read_half(const std::string& name, std::string_view dtype,
                                       std::span<const std::int64_t> expected_shape,
                                       std::span<float> out) const {
  std::vector<std::uint16_t> bits(out.size());
  read(name, dtype, expected_shape, std::as_writable_bytes(std::span(bits)));
  std::transform(bits.begin(), bits.end(), out.begin(), [&](std::uint16_t x) {
    return dtype == "F16" ? detail::float_of_half(x)
                          : std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16);
  });
}

inline TensorEntry SafetensorsFile::read(const std::string& name) const {
  const Info& tensor = info(name);
  TensorEntry entry{name, tensor.dtype, tensor.shape, {}};
  entry.data.resize(static_cast<std::size_t>(tensor.end - tensor.begin));
  read_at(tensor.begin, entry.data, label(name));
  return entry;
}

}  // namespace gaze::io
