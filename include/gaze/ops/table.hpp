// SPDX-License-Identifier: MIT
// The table of all operations: types, devices, checks of values and derivatives, and benchmarks.
// Tests fail when an operation has no row, a row no check, a check no row, or a benchmark name no
// row in bench/. docs/ops.md is generated from it.
#pragma once
#include <array>
#include <string_view>

#include "gaze/core/language.hpp"

namespace gaze {

/// A set of element types, as bits.
enum OpTypes : unsigned { float32 = 1, float64 = 2, int32 = 4 };
/// A set of devices, as bits.
enum OpDevices : unsigned { on_cpu = 1, on_cuda = 2 };

/// How an operation's values and derivative are checked, as bits.
enum OpChecks : unsigned {
  finite_differences = 1,  // of float64, gaze/testing/gradcheck.hpp
  float_to_double = 2,     // the vector kernels against the plain loops
  golden_file = 4,         // PyTorch, tests/golden/engine_golden.json
  cpu_to_cuda = 8,         // the CUDA kernels, on the emulator or a GPU, against the CPU's float64
  refusal = 16,            // has no derivative, and throws where an input requires one
};

/// One operation.
struct OpRow {
  std::string_view name;    // as in Error::where() and Node::op
  std::string_view header;  // under gaze/
  std::string_view kernel;  // of the forward; of a view's derivative; empty: none
  unsigned types, devices, checks;
  std::string_view benchmark;     // row of bench/, without what follows another slash
  std::string_view no_benchmark;  // reason, where `benchmark` is empty
};

namespace detail {
inline constexpr unsigned both_types = float32 | float64;
inline constexpr unsigned both_devices = on_cpu | on_cuda;
inline constexpr unsigned value_checks = float_to_double | golden_file | cpu_to_cuda;
inline constexpr unsigned all_checks = finite_differences | value_checks;

// Reasons for having no benchmark.
inline constexpr std::string_view like_add = "same kernel as elementwise/add, another formula";
inline constexpr std::string_view like_exp = "a loop like elementwise/exp, another formula";
inline constexpr std::string_view a_view = "a view: moves no values";
inline constexpr std::string_view a_copy = "one strided copy per input";
inline constexpr std::string_view a_row_copy = "one copy or addition per row";
inline constexpr std::string_view short_sums = "the models sum only short arrays";
inline constexpr std::string_view unused = "not used by the models";

constexpr OpRow op_row(std::string_view name, std::string_view header, std::string_view kernel,
                       std::string_view benchmark, std::string_view no_benchmark = "") {
  return {name, header, kernel, both_types, both_devices, all_checks, benchmark, no_benchmark};
}

/// An operation whose result has no derivative.
constexpr OpRow plain_row(std::string_view name, std::string_view header, std::string_view kernel,
                          std::string_view no_benchmark) {
  return {name, header, kernel, both_types, both_devices, value_checks | refusal, "", no_benchmark};
}
}  // namespace detail

inline constexpr std::array op_table = {
    // elementwise, with broadcasting where there are two inputs
    detail::op_row("add", "ops/elementwise.hpp", "add", "elementwise/add"),
    detail::op_row("sub", "ops/elementwise.hpp", "sub", "", detail::like_add),
    detail::op_row("mul", "ops/elementwise.hpp", "mul", "elementwise/mul"),
    detail::op_row("div", "ops/elementwise.hpp", "broadcast", "", detail::like_add),
    detail::op_row("minimum", "ops/elementwise.hpp", "broadcast", "", detail::like_add),
    detail::op_row("maximum", "ops/elementwise.hpp", "broadcast", "", detail::like_add),
    detail::op_row("clamp", "ops/elementwise.hpp", "broadcast", "", detail::like_exp),
    detail::op_row("scale", "ops/elementwise.hpp", "scale", "", detail::like_exp),
    detail::op_row("exp", "ops/elementwise.hpp", "unary_forward", "elementwise/exp"),
    detail::op_row("log", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("sqrt", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("tanh", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("sigmoid", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("silu", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("gelu", "ops/elementwise.hpp", "unary_forward", "elementwise/gelu"),
    detail::op_row("relu", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("square", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("neg", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("gelu_tanh", "ops/elementwise.hpp", "unary_forward", "elementwise/gelu"),
    detail::op_row("gelu_exact", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("rsqrt", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("abs", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("erf", "ops/elementwise.hpp", "unary_forward", "", detail::like_exp),
    detail::op_row("pow", "ops/elementwise.hpp", "power_forward", "", detail::unused),
    // comparing and choosing
    detail::plain_row("equal", "ops/select.hpp", "compare", detail::unused),
    detail::plain_row("not_equal", "ops/select.hpp", "compare", detail::unused),
    detail::plain_row("less", "ops/select.hpp", "compare", detail::unused),
    detail::plain_row("less_equal", "ops/select.hpp", "compare", detail::unused),
    detail::plain_row("greater", "ops/select.hpp", "compare", detail::unused),
    detail::plain_row("greater_equal", "ops/select.hpp", "compare", detail::unused),
    detail::op_row("where", "ops/select.hpp", "choose", "", detail::unused),
    detail::op_row("masked_fill", "ops/select.hpp", "choose", "", detail::unused),
    // views
    detail::op_row("contiguous", "ops/views.hpp", "copy_strided", "", detail::a_copy),
    detail::op_row("reshape", "ops/views.hpp", "copy_strided", "", detail::a_view),
    detail::op_row("permute", "ops/views.hpp", "add_strided", "", detail::a_view),
    detail::op_row("slice", "ops/views.hpp", "add_strided", "", detail::a_view),
    detail::op_row("expand", "ops/views.hpp", "add_strided", "", detail::a_view),
    detail::op_row("concatenate", "ops/views.hpp", "copy_to_strided", "", detail::a_copy),
    detail::op_row("stack", "ops/joins.hpp", "copy_to_strided", "", detail::a_copy),
    detail::op_row("repeat", "ops/joins.hpp", "copy_strided", "", detail::a_copy),
    detail::op_row("pad", "ops/joins.hpp", "copy_to_strided", "", detail::a_copy),
    OpRow{"cast", "ops/cast.hpp", "cast", detail::both_types | int32, detail::both_devices,
          detail::all_checks, "", detail::like_exp},
    // reductions, over everything or along any axes
    detail::op_row("sum", "ops/reduce.hpp", "column_sum", "", detail::short_sums),
    detail::op_row("mean", "ops/reduce.hpp", "column_sum", "", detail::short_sums),
    detail::op_row("variance", "ops/reduce.hpp", "variance_forward", "", detail::unused),
    detail::op_row("max", "ops/reduce.hpp", "best_in_rows", "", detail::unused),
    detail::op_row("min", "ops/reduce.hpp", "best_in_rows", "", detail::unused),
    detail::op_row("logsumexp", "ops/reduce.hpp", "logsumexp_forward", "", detail::unused),
    detail::plain_row("argmax", "ops/reduce.hpp", "best_in_rows", detail::unused),
    detail::plain_row("argmin", "ops/reduce.hpp", "best_in_rows", detail::unused),
    // along one axis
    detail::op_row("softmax", "ops/reduce.hpp", "softmax_forward", "", detail::unused),
    detail::op_row("log_softmax", "ops/reduce.hpp", "softmax_forward", "", detail::unused),
    detail::op_row("cumsum", "ops/reduce.hpp", "cumsum", "", detail::unused),
    detail::op_row("sort", "ops/sort.hpp", "order_rows", "", detail::unused),
    detail::op_row("topk", "ops/sort.hpp", "order_rows", "", detail::unused),
    detail::op_row("gather", "ops/select.hpp", "gather_elements", "", detail::unused),
    detail::op_row("scatter_add", "ops/select.hpp", "scatter_add_elements", "", detail::unused),
    // products
    detail::op_row("matmul", "ops/gemm.hpp", "gemm", "gemm"),
    detail::op_row("linear", "ops/gemm.hpp", "gemm", "gemm"),
    OpRow{"gelu_mlp", "ops/gelu_mlp.hpp", "linear_gelu_forward", detail::both_types,
          detail::both_devices, finite_differences | float_to_double | cpu_to_cuda, "",
          "two linear with gelu between"},
    detail::op_row("einsum", "ops/einsum.hpp", "gemm", "gemm"),
    detail::op_row("unfold", "ops/convolution.hpp", "unfold", "", detail::unused),
    detail::op_row("conv2d", "ops/convolution.hpp", "gemm", "gemm"),
    // rows
    detail::op_row("rms_norm", "ops/rows.hpp", "rms_norm_forward", "rows/rms_norm"),
    detail::op_row("layer_norm", "ops/rows.hpp", "layer_norm_forward", "rows/layer_norm"),
    detail::op_row("gather_rows", "ops/rows.hpp", "gather_rows", "", detail::a_row_copy),
    detail::op_row("scatter_add_rows", "ops/rows.hpp", "scatter_add_rows", "", detail::a_row_copy),
    detail::op_row("embedding", "ops/rows.hpp", "gather_rows", "", detail::a_row_copy),
    detail::op_row("rotary", "ops/rows.hpp", "rotary", "rows/rotary"),
    detail::op_row("swiglu", "ops/elementwise.hpp", "swiglu_forward", "rows/swiglu"),
    detail::op_row("attention", "ops/attention.hpp", "attention_forward", "attention"),
    detail::op_row("linear_logprob", "ops/logprob.hpp", "softmax_stats", "linear_logprob"),
    detail::op_row("cross_entropy", "ops/losses.hpp", "softmax_stats", "",
                   "the models use linear_logprob"),
    // the graph itself
    OpRow{"checkpoint", "autograd.hpp", "", detail::both_types, detail::both_devices,
          finite_differences | float_to_double | cpu_to_cuda, "", "runs a function of the caller"},
};

/// The row of an operation, or null.
constexpr const OpRow* find_op(std::string_view name) {
  for (const OpRow& row : op_table)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace gaze
