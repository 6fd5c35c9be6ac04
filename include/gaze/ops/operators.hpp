// SPDX-License-Identifier: MIT
// Arithmetic operators of tensors: +, -, * and / between two tensors, or a tensor and a number on
// either side, and unary -. Each is the operation of elementwise.hpp of that meaning, with its
// broadcasting, derivative and errors:
//
//   auto y = 0.5 * (a + b) / c - 1;     // div(scale(add(a, b), 0.5), c), minus 1 in each element
//
// Tensors of different element types or devices do not compile together, nor do tensors of whole
// numbers. A number is converted to the element type of its tensor. There is no `+=`: copies of a
// tensor share their values, so that it would change all of them; write a = a + b.
#pragma once
#include <concepts>
#include <type_traits>

#include "gaze/ops/elementwise.hpp"

namespace gaze {

/// add(a, b).
template <std::floating_point T, class Device>
Tensor<T, Device> operator+(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  return add(a, b);
}
/// sub(a, b).
template <std::floating_point T, class Device>
Tensor<T, Device> operator-(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  return sub(a, b);
}
/// mul(a, b): element by element; the matrix product is matmul().
template <std::floating_point T, class Device>
Tensor<T, Device> operator*(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  return mul(a, b);
}
/// div(a, b).
template <std::floating_point T, class Device>
Tensor<T, Device> operator/(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  return div(a, b);
}
/// neg(x).
template <std::floating_point T, class Device>
Tensor<T, Device> operator-(const Tensor<T, Device>& x) {
  return neg(x);
}

/// add(x, number).
template <std::floating_point T, class Device>
Tensor<T, Device> operator+(const Tensor<T, Device>& x, std::type_identity_t<T> number) {
  return add(x, Tensor<T, Device>::scalar(number));
}
/// add(number, x).
template <std::floating_point T, class Device>
Tensor<T, Device> operator+(std::type_identity_t<T> number, const Tensor<T, Device>& x) {
  return add(Tensor<T, Device>::scalar(number), x);
}
/// sub(x, number).
template <std::floating_point T, class Device>
Tensor<T, Device> operator-(const Tensor<T, Device>& x, std::type_identity_t<T> number) {
  return sub(x, Tensor<T, Device>::scalar(number));
}
/// sub(number, x).
template <std::floating_point T, class Device>
Tensor<T, Device> operator-(std::type_identity_t<T> number, const Tensor<T, Device>& x) {
  return sub(Tensor<T, Device>::scalar(number), x);
}
/// scale(x, number).
template <std::floating_point T, class Device>
Tensor<T, Device> operator*(const Tensor<T, Device>& x, std::type_identity_t<T> number) {
  return scale(x, number);
}
/// scale(x, number).
template <std::floating_point T, class Device>
Tensor<T, Device> operator*(std::type_identity_t<T> number, const Tensor<T, Device>& x) {
  return scale(x, number);
}
/// div(x, number): divided, not multiplied with a rounded 1 / number.
template <std::floating_point T, class Device>
Tensor<T, Device> operator/(const Tensor<T, Device>& x, std::type_identity_t<T> number) {
  return div(x, Tensor<T, Device>::scalar(number));
}
/// div(number, x).
template <std::floating_point T, class Device>
Tensor<T, Device> operator/(std::type_identity_t<T> number, const Tensor<T, Device>& x) {
  return div(Tensor<T, Device>::scalar(number), x);
}

}  // namespace gaze
