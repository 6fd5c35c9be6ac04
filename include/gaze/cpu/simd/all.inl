// SPDX-License-Identifier: MIT
// Every kernel file of one instruction set, in order of use. Included by sets.hpp only.
#include "gaze/cpu/simd/math.inl"
#include "gaze/cpu/simd/gemm.inl"
#include "gaze/cpu/simd/attention.inl"
#include "gaze/cpu/simd/rows.inl"
#include "gaze/cpu/simd/elementwise.inl"
