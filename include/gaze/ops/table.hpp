// SPDX-License-Identifier: MIT
// The table of operations: every one that autograd can record, what it runs on, how its derivative
// is checked and which benchmark row measures it. Tests fail when a row has no check or a check no
// row; benchmarks and the support table of the documentation are drawn from it.
#pragma once
#include <array>
#include <string_view>

namespace gaze {

/// Sets of element types and of devices, as bits.
enum OpTypes : unsigned { float32 = 1, float64 = 2 };
enum OpDevices : unsigned { on_cpu = 1, on_cuda = 2 };

/// How an operation's values and derivative are checked, as bits.
enum OpChecks : unsigned {
  finite_differences = 1,  // of float64, tests/gradcheck.hpp
  float_to_double = 2,     // the vector kernels against the plain loops
  golden_file = 4,         // PyTorch, tests/golden/engine_golden.json
  cpu_to_cuda = 8,
};

struct OpRow {
  std::string_view name;    // as in Error::where() and Node::op
  std::string_view header;  // under gaze/
  unsigned types, devices, checks;
  std::string_view benchmark;  // row of bench/, empty: too small to have one
};

namespace detail {
inline constexpr unsigned both_types = float32 | float64;
inline constexpr unsigned all_cpu_checks = finite_differences | float_to_double | golden_file;

constexpr OpRow op_row(std::string_view name, std::string_view header,
                       std::string_view benchmark = "") {
  return {name, header, both_types, on_cpu, all_cpu_checks, benchmark};
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
    // views
    detail::op_row("contiguous", "ops/views.hpp"),
    detail::op_row("reshape", "ops/views.hpp"),
    detail::op_row("permute", "ops/views.hpp"),
    detail::op_row("slice", "ops/views.hpp"),
    detail::op_row("expand", "ops/views.hpp"),
    detail::op_row("concatenate", "ops/views.hpp"),
    // sums
    detail::op_row("sum", "ops/reduce.hpp"),
    detail::op_row("mean", "ops/reduce.hpp"),
    // products
    detail::op_row("matmul", "ops/matmul.hpp", "gemm"),
    detail::op_row("linear", "ops/matmul.hpp", "gemm"),
    // rows
    detail::op_row("rms_norm", "ops/norm.hpp", "rows/rms_norm"),
    detail::op_row("layer_norm", "ops/norm.hpp", "rows/layer_norm"),
    detail::op_row("gather_rows", "ops/rows.hpp"),
    detail::op_row("scatter_add_rows", "ops/rows.hpp"),
    detail::op_row("rotary", "ops/rotary.hpp", "rows/rotary"),
    detail::op_row("swiglu", "ops/swiglu.hpp", "rows/swiglu"),
    detail::op_row("attention", "ops/attention.hpp", "attention"),
    detail::op_row("linear_logprob", "ops/logprob.hpp", "linear_logprob"),
    // the graph itself
    OpRow{"checkpoint", "autograd.hpp", detail::both_types, on_cpu,
          finite_differences | float_to_double, ""},
};

/// The row of an operation, or null.
constexpr const OpRow* find_op(std::string_view name) {
  for (const OpRow& row : op_table)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace gaze
