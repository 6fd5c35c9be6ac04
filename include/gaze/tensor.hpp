// SPDX-License-Identifier: MIT
// Tensor<T, Device>: a handle to strided values, cheap to copy; copies share the values.
//
//   auto x = Tensor<float>::from({2, 3}, {1, 2, 3, 4, 5, 6});
//   auto y = permute(x, {1, 0});           // a view (ops/views.hpp)
//   x.requires_grad();                     // from now on, operations on x are recorded
//
// Operations are in ops/, gradients in autograd.hpp.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/core/shape.hpp"
#include "gaze/core/storage.hpp"
#include "gaze/kernels/contract.hpp"

namespace gaze {

template <class T, class Device>
struct GradNode;

namespace detail {
/// Throws: `what` of operation `op` has no values.
[[noreturn]] inline void fail_undefined(const char* op, const char* what) {
  GAZE_FAIL(op, what,
            " is undefined: a Tensor() without values, or a gradient that was never computed");
}

/// Throws where an input of an operation is undefined.
template <class... Tensors>
void check_defined(const char* op, const Tensors&... inputs) {
  constexpr const char* names[] = {"the first input", "the second input", "the third input",
                                   "the fourth input", "the fifth input"};
  static_assert(sizeof...(Tensors) <= std::size(names));
  const char* const* name = names;
  ((inputs.defined() ? void() : fail_undefined(op, sizeof...(Tensors) == 1 ? "the input" : *name),
    ++name),
   ...);
}
}  // namespace detail

/// Values of one type on one device, by shape and strides. T: float, double, bf16, std::int32_t.
template <class T, class Device = Cpu>
class Tensor {
 public:
  using value_type = T;        ///< of the elements
  using device_type = Device;  ///< where they are

  /// No values at all; defined() is false.
  Tensor() = default;

  /// Uninitialised values.
  explicit Tensor(const Shape& shape)
      : storage_(std::make_shared<Storage<Device>>(bytes_of(shape))),
        shape_(shape),
        strides_(contiguous_strides(shape)) {}

  /// All elements `value`.
  static Tensor full(const Shape& shape, T value) {
    Tensor t(shape);
    if constexpr (std::is_same_v<Device, Cpu>)
      std::fill_n(t.data(), shape.numel(), value);
    else
      Kernels<Device>::fill(shape.numel(), value, t.data());
    return t;
  }
  static Tensor zeros(const Shape& shape) { return full(shape, T(0)); }  ///< all 0
  static Tensor scalar(T value) { return full({}, value); }              ///< one number, shape []

  /// A copy of host values in row-major order. Error: their number is not that of the shape.
  static Tensor from(const Shape& shape, const std::vector<T>& values) {
    GAZE_CHECK(shape.numel() == static_cast<Index>(values.size()), "from", "shape ", shape, " has ",
               shape.numel(), " elements, got ", values.size());
    Tensor t(shape);
    Allocator<Device>::copy_in(t.data(), values.data(), values.size() * sizeof(T));
    return t;
  }

  /// The values of `owner`, only read, contiguous and in the device's memory.
  static Tensor over(const Shape& shape, std::shared_ptr<const void> owner,
                     std::span<const T> values) {
    GAZE_CHECK(shape.numel() == static_cast<Index>(values.size()), "over", "shape ", shape, " has ",
               shape.numel(), " elements, got ", values.size());
    Tensor t;
    t.storage_ =
        std::make_shared<Storage<Device>>(std::move(owner), values.data(), values.size_bytes());
    t.shape_ = shape;
    t.strides_ = contiguous_strides(shape);
    return t;
  }

  bool defined() const { return storage_ != nullptr; }  ///< whether it has values
  const Shape& shape() const { return shape_; }         ///< the sizes; [] also if undefined
  /// Elements to step per index of each dimension.
  const Shape& strides() const { return strides_; }
  /// Counted from the end when negative.
  Index size(int dimension) const { return shape_.at(dimension); }
  int rank() const { return shape_.rank(); }      ///< the number of dimensions
  Index numel() const { return shape_.numel(); }  ///< the number of elements

  /// The first element; the others follow by strides(). A const handle only reads; a copy of it
  /// writes to the same values. Call changed() after writing to values that backward may have
  /// saved.
  T* data() { return static_cast<T*>(values("data").data()) + offset_; }
  /// The first element, only read.
  const T* data() const { return static_cast<const T*>(values("data").data()) + offset_; }
  /// Shared by views and copies.
  const std::shared_ptr<Storage<Device>>& storage() const { return storage_; }
  std::uint64_t version() const { return values("version").version(); }  ///< of the storage
  void changed() const { values("changed").changed(); }  ///< declares a write through data()

  /// Whether the elements lie in row-major order without gaps.
  bool contiguous() const {
    Index step = 1;
    for (int i = rank() - 1; i >= 0; --i) {
      if (shape_[i] != 1 && strides_[i] != step) return false;
      step *= shape_[i];
    }
    return true;
  }

  /// The only element. Waits for the device, as do the functions below, up to the gradients.
  T item() const {
    values("item");
    GAZE_CHECK(numel() == 1, "item", "a tensor of shape ", shape_, " is not one number");
    T value;
    Allocator<Device>::copy_out(&value, data(), sizeof(T));
    return value;
  }

  /// The elements in row-major order.
  std::vector<T> to_vector() const {
    values("to_vector");
    std::vector<T> out(static_cast<std::size_t>(span()));
    Allocator<Device>::copy_out(out.data(), data(), out.size() * sizeof(T));
    if (contiguous() || out.empty()) return out;
    bytes_of(shape_);  // a stretched view may have more elements than fit in memory
    std::vector<T> ordered;
    ordered.reserve(static_cast<std::size_t>(numel()));
    append(ordered, 0, out.data());
    return ordered;
  }

  /// The same values, contiguous, on another device (or a copy on this one); not recorded.
  template <class Other>
  Tensor<T, Other> to() const {
    return Tensor<T, Other>::from(shape_, to_vector());
  }

  /// The values in host memory: the same ones on the CPU, else a copy; not recorded.
  Tensor<T, Cpu> host() const {
    if constexpr (std::is_same_v<Device, Cpu>)
      return detach();
    else
      return to<Cpu>();
  }

  // ---- gradients (autograd.hpp) -------------------------------------------------------------

  /// Makes this a leaf that receives a gradient.
  Tensor& requires_grad();
  bool needs_grad() const { return node_ != nullptr; }  ///< whether operations on it are recorded
  /// The gradient so far; undefined if there is none.
  Tensor<GradOf<T>, Device> grad() const;
  /// The same values outside the graph.
  Tensor detach() const {
    Tensor t = *this;
    t.node_.reset();
    return t;
  }
  /// In the graph; null: none.
  const std::shared_ptr<GradNode<T, Device>>& node() const { return node_; }
  /// For record().
  void set_node(std::shared_ptr<GradNode<T, Device>> node) { node_ = std::move(node); }

  /// The same storage seen with another offset (in elements), shape and strides; not recorded.
  Tensor view(Index offset, const Shape& shape, const Shape& strides) const {
    values("view");
    Tensor t;
    t.storage_ = storage_;
    t.offset_ = offset_ + offset;
    t.shape_ = shape;
    t.strides_ = strides;
    return t;
  }

 private:
  Storage<Device>& values(const char* op) const {
    if (!storage_) detail::fail_undefined(op, "the tensor");
    return *storage_;
  }

  /// Error: negative sizes, or more bytes than any memory has.
  static std::size_t bytes_of(const Shape& shape) {
    constexpr std::uint64_t max =
        std::min<std::uint64_t>(std::uint64_t{1} << 48, std::numeric_limits<std::ptrdiff_t>::max());
    const auto n = static_cast<std::uint64_t>(shape.numel("Tensor"));
    GAZE_CHECK(n <= max / sizeof(T), "Tensor", "no memory holds a tensor of shape ", shape);
    return static_cast<std::size_t>(n) * sizeof(T);
  }

  /// Elements from the first to the last in memory.
  Index span() const {
    if (numel() == 0) return 0;
    Index last = 0;
    for (int i = 0; i < rank(); ++i) last += (shape_[i] - 1) * strides_[i];
    return last + 1;
  }

  void append(std::vector<T>& out, int dimension, const T* p) const {
    if (dimension == rank()) {
      out.push_back(*p);
      return;
    }
    for (Index i = 0; i < shape_[dimension]; ++i)
      append(out, dimension + 1, p + i * strides_[dimension]);
  }

  std::shared_ptr<Storage<Device>> storage_;
  Index offset_ = 0;
  Shape shape_, strides_;
  std::shared_ptr<GradNode<T, Device>> node_;
};

}  // namespace gaze
