// SPDX-License-Identifier: MIT
// Row-wise kernels on the CPU: norms, rotary positions, softmax statistics, gather and scatter.
//
// x is [N, C], rows contiguous. A forward row's bits never depend on the other rows or on threads;
// sums over rows (weight gradients) are sums of blocks of 64 rows in ascending order (in double for
// very many blocks), so they have the same bits at any thread count. float runs on simd/rows.inl,
// double on the plain loops in `reference`.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/fork.hpp"
#include "gaze/core/index.hpp"
#include "gaze/cpu/loops.hpp"
#include "gaze/kernels/reduce.hpp"
#include "gaze/kernels/rows.hpp"

namespace gaze::cpu {

/// The formulas as plain loops: double runs on them, and the float kernels are tested against them.
namespace reference {

template <class T>
void rms_norm_forward(Index n, Index c, const T* x, const T* weight, T eps, T* y, T* inv_rms) {
  for (Index r = 0; r < n; ++r, x += c, y += c) {
    T squares = 0;
    for (Index j = 0; j < c; ++j) squares += x[j] * x[j];
    inv_rms[r] = 1 / std::sqrt(squares / static_cast<T>(c) + eps);
    for (Index j = 0; j < c; ++j) y[j] = x[j] * inv_rms[r] * weight[j];
  }
}

template <class T>
void rms_norm_backward(Index n, Index c, const T* x, const T* weight, const T* inv_rms, const T* dy,
                       T* dx, T* dweight, bool accumulate_dx) {
  for (Index r = 0; r < n; ++r, x += c, dy += c, dx += c) {
    const T s = inv_rms[r];
    T dot = 0;
    for (Index j = 0; j < c; ++j) dot += dy[j] * weight[j] * x[j];
    for (Index j = 0; j < c; ++j) {
      if (dweight) dweight[j] += dy[j] * x[j] * s;
      const T d = s * dy[j] * weight[j] - s * s * s * x[j] * dot / static_cast<T>(c);
      dx[j] = accumulate_dx ? dx[j] + d : d;
    }
  }
}

template <class T>
void layer_norm_forward(Index n, Index c, const T* x, const T* weight, const T* bias, T eps, T* y,
                        T* mean, T* inv_std) {
  for (Index r = 0; r < n; ++r, x += c, y += c) {
    T total = 0, squares = 0;
    for (Index j = 0; j < c; ++j) total += x[j];
    mean[r] = total / static_cast<T>(c);
    for (Index j = 0; j < c; ++j) squares += (x[j] - mean[r]) * (x[j] - mean[r]);
    inv_std[r] = 1 / std::sqrt(squares / static_cast<T>(c) + eps);
    for (Index j = 0; j < c; ++j) y[j] = (x[j] - mean[r]) * inv_std[r] * weight[j] + bias[j];
  }
}

template <class T>
void layer_norm_backward(Index n, Index c, const T* x, const T* weight, const T* mean,
                         const T* inv_std, const T* dy, T* dx, T* dweight, T* dbias,
                         bool accumulate_dx) {
  for (Index r = 0; r < n; ++r, x += c, dy += c, dx += c) {
    T total = 0, dot = 0;
    for (Index j = 0; j < c; ++j) {
      total += dy[j] * weight[j];
      dot += dy[j] * weight[j] * (x[j] - mean[r]) * inv_std[r];
    }
    for (Index j = 0; j < c; ++j) {
      const T normed = (x[j] - mean[r]) * inv_std[r];
      if (dweight) dweight[j] += dy[j] * normed;
      if (dbias) dbias[j] += dy[j];
      const T d = inv_std[r] * (dy[j] * weight[j] - (total + normed * dot) / static_cast<T>(c));
      dx[j] = accumulate_dx ? dx[j] + d : d;
    }
  }
}

template <class T>
void rotary(Index n, Index heads, Index head_size, Index stride, const std::int32_t* position,
            const T* table, T sign, T* x) {
  const Index half = head_size / 2;
  for (Index r = 0; r < n; ++r)
    for (Index h = 0; h < heads; ++h)
      for (Index i = 0; i < half; ++i) {
        const T c = table[position[r] * head_size + i];
        const T s = sign * table[position[r] * head_size + half + i];
        T* low = x + r * stride + h * head_size + i;
        const T a = low[0], b = low[half];
        low[0] = a * c - b * s;
        low[half] = b * c + a * s;
      }
}

template <class T>
void softmax_stats(Index n, Index v, const T* logits, Index stride, T inv_temperature,
                   const std::int32_t* target, T* logp, T* entropy, T* lse) {
  for (Index r = 0; r < n; ++r, logits += stride) {
    T row_max = -std::numeric_limits<T>::infinity(), total = 0, weighted = 0;
    for (Index j = 0; j < v; ++j) row_max = std::max(row_max, logits[j] * inv_temperature);
    for (Index j = 0; j < v; ++j) {
      const T z = logits[j] * inv_temperature - row_max, e = std::exp(z);
      total += e;
      if (e != 0) weighted += e * z;
    }
    lse[r] = row_max + std::log(total);
    entropy[r] = std::log(total) - weighted / total;
    logp[r] = 0;
    if (target[r] >= 0) logp[r] = logits[target[r]] * inv_temperature - row_max - std::log(total);
  }
}

template <class T>
void softmax_stats_backward(Index n, Index v, T* logits, Index stride, T inv_temperature,
                            const std::int32_t* target, const T* lse, const T* entropy,
                            const T* dlogp, const T* dentropy) {
  for (Index r = 0; r < n; ++r, logits += stride) {
    const T dl = dlogp && target[r] >= 0 ? dlogp[r] : 0, dh = dentropy ? dentropy[r] : 0;
    for (Index j = 0; j < v; ++j) {
      const T log_p = logits[j] * inv_temperature - lse[r], p = std::exp(log_p);
      T dz = j == target[r] ? dl : 0;
      if ((dl != 0 || dh != 0) && p != 0)
        dz -= p * (dl + (dentropy ? dh * (log_p + entropy[r]) : 0));
      logits[j] = inv_temperature * dz;
    }
  }
}

template <class T>
void add_rows(Index n, Index c, Index stride, const T* x, T* out) {
  for (Index r = 0; r < n; ++r)
    for (Index j = 0; j < c; ++j) out[j] += x[r * stride + j];
}

template <class T>
void scatter_add_rows(Index n, Index c, Index stride, const T* x, const std::int32_t* index,
                      T* table) {
  for (Index r = 0; r < n; ++r)
    if (index[r] >= 0) add_rows(1, c, stride, x + r * stride, table + index[r] * stride);
}

}  // namespace reference

namespace detail {

inline constexpr Index rows_per_block = 64;
inline Index row_blocks(Index n) { return (n + rows_per_block - 1) / rows_per_block; }

/// Calls body(first row, rows, sums) for every block of 64 rows, where sums are `width` zeros of
/// its own. Returns all sums [blocks, width], valid until this thread calls again.
template <class T, class Body>
const T* sum_blocks(Index n, Index width, Index work, Body&& body) {
  thread_local std::vector<T> sums;
  const Index blocks = row_blocks(n);
  sums.assign(static_cast<std::size_t>(blocks * width), T(0));
  T* const first = sums.data();  // the calling thread's vector, in every thread
  parallel_for(blocks, row_grain(work * rows_per_block), [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      const Index row = b * rows_per_block;
      body(row, std::min(rows_per_block, n - row), first + b * width);
    }
  });
  return first;
}

/// Splits columns over threads in pieces of whole cache lines: body(first column, columns).
template <class Body>
void split_columns(Index n, Index c, Body&& body) {
  constexpr Index line = 16;
  const Index lines = (c + line - 1) / line;
  parallel_for(lines, std::max<Index>(4, row_grain(n * line)), [&](Index begin, Index end) {
    body(begin * line, std::min(c, end * line) - begin * line);
  });
}

/// out[j] += x[r, j] over ascending rows r, added up in double; rows are `stride` apart.
template <class T>
void add_rows_in_double(Index n, Index c, Index stride, const T* x, T* out) {
  std::vector<double> total(static_cast<std::size_t>(c));
  for (Index r = 0; r < n; ++r)
    for (Index j = 0; j < c; ++j)
      total[static_cast<std::size_t>(j)] += static_cast<double>(x[r * stride + j]);
  for (Index j = 0; j < c; ++j)
    out[j] = static_cast<T>(static_cast<double>(out[j]) + total[static_cast<std::size_t>(j)]);
}

/// out[j] += the block sums [n, c of stride] in ascending order of blocks.
template <class T>
void add_blocks(Index n, Index c, Index stride, const T* sums, T* out) {
  split_columns(n, c, [&](Index j, Index columns) {
    if (n > kChainedBlocks)
      add_rows_in_double(n, columns, stride, sums + j, out + j);
    else
      GAZE_PICK(add_rows, n, columns, stride, sums + j, out + j);
  });
}

/// Row p holds the D/2 cosines, then the D/2 sines of angles p theta^(-2i/D).
template <class T>
struct RotaryTable {
  Index positions = 0;
  std::vector<T> values;
};

template <class T>
std::shared_ptr<const RotaryTable<T>> make_rotary_table(double theta, Index head_size,
                                                        Index positions) {
  auto table = std::make_shared<RotaryTable<T>>();
  table->positions = positions;
  table->values.resize(static_cast<std::size_t>(positions * head_size));
  const Index half = head_size / 2;
  for (Index i = 0; i < half; ++i) {
    const double step = std::pow(theta, -2.0 * static_cast<double>(i) / double(head_size));
    for (Index p = 0; p < positions; ++p) {
      T* const row = table->values.data() + p * head_size;
      row[i] = static_cast<T>(std::cos(static_cast<double>(p) * step));
      row[half + i] = static_cast<T>(std::sin(static_cast<double>(p) * step));
    }
  }
  return table;
}

/// The cached table of (theta, head_size) for at least `positions`, which grows by doubling. Each
/// entry is computed on its own in double, so growing never changes a bit.
template <class T>
std::shared_ptr<const RotaryTable<T>> rotary_table(T theta, Index head_size, Index positions) {
  using gaze::detail::ProcessMutex;
  static std::map<std::pair<T, Index>, std::shared_ptr<const RotaryTable<T>>> tables;
  const std::lock_guard<std::mutex> lock(ProcessMutex<RotaryTable<T>>::get());
  auto& table = tables[{theta, head_size}];
  if (!table || table->positions < positions) {
    Index room = 256;
    while (room < positions) room *= 2;
    table = make_rotary_table<T>(static_cast<double>(theta), head_size, room);
  }
  return table;
}

}  // namespace detail

template <class T>
void rms_norm_forward(const args::RmsNormForward<T>& a) {
  parallel_for(a.n, detail::row_grain(a.c), [&](Index r, Index end) {
    GAZE_PICK(rms_norm_forward, end - r, a.c, a.x + r * a.c, a.weight, a.eps, a.y + r * a.c,
              a.inv_rms + r);
  });
}

template <class T>
void rms_norm_backward(const args::RmsNormBackward<T>& a) {
  const Index c = a.c, width = a.dweight ? c : 0;
  const T* sums = detail::sum_blocks<T>(a.n, width, c, [&](Index r, Index rows, T* sum) {
    GAZE_PICK(rms_norm_backward, rows, c, a.x + r * c, a.weight, a.inv_rms + r, a.dy + r * c,
              a.dx + r * c, a.dweight ? sum : nullptr, a.accumulate_dx);
  });
  if (a.dweight) detail::add_blocks(detail::row_blocks(a.n), c, c, sums, a.dweight);
}

template <class T>
void layer_norm_forward(const args::LayerNormForward<T>& a) {
  parallel_for(a.n, detail::row_grain(a.c), [&](Index r, Index end) {
    GAZE_PICK(layer_norm_forward, end - r, a.c, a.x + r * a.c, a.weight, a.bias, a.eps,
              a.y + r * a.c, a.mean + r, a.inv_std + r);
  });
}

template <class T>
void layer_norm_backward(const args::LayerNormBackward<T>& a) {
  const Index c = a.c, width = a.dweight || a.dbias ? 2 * c : 0, blocks = detail::row_blocks(a.n);
  const T* sums = detail::sum_blocks<T>(a.n, width, c, [&](Index r, Index rows, T* sum) {
    GAZE_PICK(layer_norm_backward, rows, c, a.x + r * c, a.weight, a.mean + r, a.inv_std + r,
              a.dy + r * c, a.dx + r * c, a.dweight ? sum : nullptr, a.dbias ? sum + c : nullptr,
              a.accumulate_dx);
  });
  if (a.dweight) detail::add_blocks(blocks, c, width, sums, a.dweight);
  if (a.dbias) detail::add_blocks(blocks, c, width, sums + c, a.dbias);
}

template <class T>
void rotary(const args::Rotary<T>& a) {
  if (a.n <= 0) return;
  GAZE_CHECK(a.head_size > 0 && a.head_size % 2 == 0, "rotary", "head size ", a.head_size,
             " is not even");
  const auto [min, max] = std::minmax_element(a.position, a.position + a.n);
  GAZE_CHECK(*min >= 0 && *max < 1 << 20, "rotary", "positions ", *min, " to ", *max,
             " leave 0 to 2^20 - 1");
  const auto table = detail::rotary_table(a.theta, a.head_size, Index{*max} + 1);
  const T* const values = table->values.data();
  const T sign = a.inverse ? T(-1) : T(1);
  parallel_for(a.n, detail::row_grain(a.heads * a.head_size), [&](Index r, Index end) {
    GAZE_PICK(rotary, end - r, a.heads, a.head_size, a.stride, a.position + r, values, sign,
              a.x + r * a.stride);
  });
}

namespace detail {
inline void check_targets(const char* op, Index n, const std::int32_t* target, Index columns) {
  for (Index r = 0; r < n; ++r)
    GAZE_CHECK(target[r] < columns, op, "target ", target[r], " of ", columns, " columns");
}
}  // namespace detail

template <class T>
void softmax_stats(const args::SoftmaxStats<T>& a) {
  detail::check_targets("softmax_stats", a.n, a.target, a.v);
  parallel_for(a.n, detail::row_grain(4 * a.v), [&](Index r, Index end) {
    GAZE_PICK(softmax_stats, end - r, a.v, a.logits + r * a.stride, a.stride, a.inv_temperature,
              a.target + r, a.logp + r, a.entropy + r, a.lse + r);
  });
}

template <class T>
void softmax_stats_backward(const args::SoftmaxStatsBackward<T>& a) {
  detail::check_targets("softmax_stats_backward", a.n, a.target, a.v);
  parallel_for(a.n, detail::row_grain(4 * a.v), [&](Index r, Index end) {
    GAZE_PICK(softmax_stats_backward, end - r, a.v, a.logits + r * a.stride, a.stride,
              a.inv_temperature, a.target + r, a.lse + r, a.entropy ? a.entropy + r : nullptr,
              a.dlogp ? a.dlogp + r : nullptr, a.dentropy ? a.dentropy + r : nullptr);
  });
}

/// y[j] += sum over rows of x[r, j]: the gradient of a bias.
template <class T>
void column_sum(Index n, Index c, const T* x, T* y) {
  const T* sums = detail::sum_blocks<T>(n, c, c, [&](Index r, Index rows, T* sum) {
    GAZE_PICK(add_rows, rows, c, c, x + r * c, sum);
  });
  detail::add_blocks(detail::row_blocks(n), c, c, sums, y);
}

/// y[r] = table[index[r]], or zeros where the index is -1. table is [table_rows, C].
template <class T>
void gather_rows(Index n, Index c, const T* table, const std::int32_t* index, T* y) {
  const std::size_t bytes = static_cast<std::size_t>(c) * sizeof(T);
  parallel_for(n, detail::row_grain(c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      if (index[r] >= 0)
        std::memcpy(y + r * c, table + index[r] * c, bytes);
      else
        std::memset(y + r * c, 0, bytes);
  });
}

/// The same from a table in bf16.
template <class T>
void gather_rounded_rows(Index n, Index c, const bf16* table, const std::int32_t* index, T* y) {
  parallel_for(n, detail::row_grain(c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      for (Index j = 0; j < c; ++j)
        y[r * c + j] = index[r] >= 0 ? static_cast<T>(table[index[r] * c + j]) : T(0);
  });
}

/// table[index[r]] += x[r] in ascending order of r; -1 is skipped. table is [table_rows, C].
/// Threads share out the columns, so that every element is one chain of additions.
template <class T>
void scatter_add_rows(Index n, Index c, const T* x, const std::int32_t* index, Index table_rows,
                      T* table) {
  for (Index r = 0; r < n; ++r)
    GAZE_CHECK(index[r] < table_rows, "scatter_add_rows", "index ", index[r], " of ", table_rows,
               " rows");
  detail::split_columns(n, c, [&](Index j, Index columns) {
    GAZE_PICK(scatter_add_rows, n, columns, c, x + j, index, table + j);
  });
}

}  // namespace gaze::cpu
