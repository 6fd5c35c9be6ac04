// SPDX-License-Identifier: MIT
// The table of all operations: types and devices, how values and derivative are checked, and the
// benchmark row. Tests fail if an operation has no row, a row no check or a check no row;
// docs/ops.md is generated from it.
#pragma once
#include <array>
#include <string_view>

#include "gaze/core/language.hpp"

namespace gaze {

/// Sets of element types and of devices, as bits.
enum OpTypes : unsigned { float32 = 1, float64 = 2, int32 = 4 };
enum OpDevices : unsigned { on_cpu = 1, on_cuda = 2 };

/// How an operation's values and derivative are checked, as bits.
enum OpChecks : unsigned {
  finite_differences = 1,  // of float64, tests/gradcheck.hpp
  float_to_double = 2,     // the vector kernels against the plain loops
  golden_file = 4,         // PyTorch, tests/golden/engine_golden.json
  cpu_to_cuda = 8,         // the CUDA kernels, on the emulator or a GPU, against the CPU's float64
  refusal = 16,            // has no derivative, and throws if an input needs one
};

struct OpRow {
  std::string_view name;    // as in Error::where() and Node::op
  std::string_view header;  // under gaze/
  unsigned types, devices, checks;
  std::string_view benchmark;  // row of bench/, or empty
};

namespace detail {
inline constexpr unsigned both_types = float32 | float64;
inline constexpr unsigned both_devices = on_cpu | on_cuda;
inline constexpr unsigned value_checks = float_to_double | golden_file | cpu_to_cuda;
inline constexpr unsigned all_checks = finite_differences | value_checks;

constexpr OpRow op_row(std::string_view name, std::string_view header,
                       std::string_view benchmark = "") {
  return {name, header, both_types, both_devices, all_checks, benchmark};
}

/// An operation whose result has no derivative.
constexpr OpRow plain_row(std::string_view name, std::string_view header) {
  return {name, header, both_types, both_devices, value_checks | refusal, ""};
}
}  // namespace detail

inline constexpr std::array op_table = {
    // elementwise, with broadcasting where there are two inputs
    detail::op_row("add", "ops/elementwise.hpp", "elementwise/add"),
    detail::op_row("sub", "ops/elementwise.hpp"),
    detail::op_row("mul", "ops/elementwise.hpp", "elementwise/mul"),
    detail::op_row("div", "ops/elementwise.hpp"),
    detail::op_row("minimum", "ops/elementwise.hpp"),
    detail::op_row("maximum", "ops/elementwise.hpp"),
    detail::op_row("clamp", "ops/elementwise.hpp"),
    detail::op_row("scale", "ops/elementwise.hpp"),
    detail::op_row("exp", "ops/elementwise.hpp", "elementwise/exp"),
    detail::op_row("log", "ops/elementwise.hpp"),
    detail::op_row("sqrt", "ops/elementwise.hpp"),
    detail::op_row("tanh", "ops/elementwise.hpp"),
    detail::op_row("sigmoid", "ops/elementwise.hpp"),
    detail::op_row("silu", "ops/elementwise.hpp"),
    detail::op_row("gelu", "ops/elementwise.hpp", "elementwise/gelu"),
    detail::op_row("relu", "ops/elementwise.hpp"),
    detail::op_row("square", "ops/elementwise.hpp"),
    detail::op_row("neg", "ops/elementwise.hpp"),
    detail::op_row("gelu_tanh", "ops/elementwise.hpp", "elementwise/gelu"),
    detail::op_row("gelu_exact", "ops/elementwise.hpp"),
    detail::op_row("rsqrt", "ops/elementwise.hpp"),
    detail::op_row("abs", "ops/elementwise.hpp"),
    detail::op_row("erf", "ops/elementwise.hpp"),
    detail::op_row("pow", "ops/elementwise.hpp"),
    // comparing and choosing
    detail::plain_row("equal", "ops/select.hpp"),
    detail::plain_row("not_equal", "ops/select.hpp"),
    detail::plain_row("less", "ops/select.hpp"),
    detail::plain_row("less_equal", "ops/select.hpp"),
    detail::plain_row("greater", "ops/select.hpp"),
    detail::plain_row("greater_equal", "ops/select.hpp"),
    detail::op_row("where", "ops/select.hpp"),
    detail::op_row("masked_fill", "ops/select.hpp"),
    // views
    detail::op_row("contiguous", "ops/views.hpp"),
    detail::op_row("reshape", "ops/views.hpp"),
    detail::op_row("permute", "ops/views.hpp"),
    detail::op_row("slice", "ops/views.hpp"),
    detail::op_row("expand", "ops/views.hpp"),
    detail::op_row("concatenate", "ops/views.hpp"),
    detail::op_row("stack", "ops/joins.hpp"),
    detail::op_row("repeat", "ops/joins.hpp"),
    detail::op_row("pad", "ops/joins.hpp"),
    OpRow{"cast", "ops/cast.hpp", detail::both_types | int32, detail::both_devices,
          detail::all_checks, ""},
    // reductions, over everything or along any axes
    detail::op_row("sum", "ops/reduce.hpp"),
    detail::op_row("mean", "ops/reduce.hpp"),
    detail::op_row("variance", "ops/reduce.hpp"),
    detail::op_row("max", "ops/reduce.hpp"),
    detail::op_row("min", "ops/reduce.hpp"),
    detail::op_row("logsumexp", "ops/reduce.hpp"),
    detail::plain_row("argmax", "ops/reduce.hpp"),
    detail::plain_row("argmin", "ops/reduce.hpp"),
    // along one axis
    detail::op_row("softmax", "ops/reduce.hpp"),
    detail::op_row("log_softmax", "ops/reduce.hpp"),
    detail::op_row("cumsum", "ops/reduce.hpp"),
    detail::op_row("sort", "ops/sort.hpp"),
    detail::op_row("topk", "ops/sort.hpp"),
    detail::op_row("gather", "ops/select.hpp"),
    detail::op_row("scatter_add", "ops/select.hpp"),
    // products
    detail::op_row("matmul", "ops/gemm.hpp", "gemm"),
    detail::op_row("linear", "ops/gemm.hpp", "gemm"),
    OpRow{"gelu_mlp", "ops/gelu_mlp.hpp", detail::both_types, detail::both_devices,
          finite_differences | float_to_double | cpu_to_cuda, ""},
    detail::op_row("einsum", "ops/einsum.hpp", "gemm"),
    detail::op_row("unfold", "ops/convolution.hpp"),
    detail::op_row("conv2d", "ops/convolution.hpp", "gemm"),
    // rows
    detail::op_row("rms_norm", "ops/rows.hpp", "rows/rms_norm"),
    detail::op_row("layer_norm", "ops/rows.hpp", "rows/layer_norm"),
    detail::op_row("gather_rows", "ops/rows.hpp"),
    detail::op_row("scatter_add_rows", "ops/rows.hpp"),
    detail::op_row("embedding", "ops/rows.hpp"),
    detail::op_row("rotary", "ops/rows.hpp", "rows/rotary"),
    detail::op_row("swiglu", "ops/elementwise.hpp", "rows/swiglu"),
    detail::op_row("attention", "ops/attention.hpp", "attention"),
    detail::op_row("linear_logprob", "ops/logprob.hpp", "linear_logprob"),
    detail::op_row("cross_entropy", "ops/losses.hpp"),
    // the graph itself
    OpRow{"checkpoint", "autograd.hpp", detail::both_types, detail::both_devices,
          finite_differences | float_to_double | cpu_to_cuda, ""},
};

/// The row of an operation, or null.
constexpr const OpRow* find_op(std::string_view name) {
  for (const OpRow& row : op_table)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace gaze
