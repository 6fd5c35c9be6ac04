// SPDX-License-Identifier: MIT
// Matrix products through cuBLASLt (library_gemm.cu), which the emulator does not have.
#pragma once
#include "gaze/kernels/gemm.hpp"

namespace gaze::cuda {

// Each function computes the product and returns true, or does nothing and returns false: where
// kernel_choice (host/choice.hpp) selects other kernels, and for sizes that the library does not
// support.

/// T is float or bf16.
template <class T>
bool library_gemm(const args::Gemm<T>& a);

/// linear_gelu_forward and its backward, with the activation as the product's epilogue.
bool library_linear_gelu(const args::LinearGeluForward<float>& a);
bool library_linear_gelu_backward(const args::LinearGeluBackward<float>& a);

}  // namespace gaze::cuda
