// SPDX-License-Identifier: MIT
// Every CPU kernel as an explicit instantiation: GAZE_INSTANTIATE is `template` or
// `extern template`. Included by cpu/kernels.hpp, where GAZE_CPU_COMPILED says that the kernels are
// compiled elsewhere (a program of many files compiles them once), and by the file that does it.
GAZE_INSTANTIATE void gemm(bool, bool, Index, Index, Index, const GAZE_T*, Index, const GAZE_T*,
                           Index, GAZE_T*, Index, bool, const GAZE_T*);
GAZE_INSTANTIATE void store_keys(const AttentionShape&, Index, const GAZE_T*, Index,
                                 const std::int32_t*, GAZE_T*);
GAZE_INSTANTIATE void store_values(const AttentionShape&, Index, const GAZE_T*, Index,
                                   const std::int32_t*, GAZE_T*);
GAZE_INSTANTIATE void load_rows(const AttentionShape&, Index, const GAZE_T*, const std::int32_t*,
                                GAZE_T*, Index);
GAZE_INSTANTIATE void attention_forward(const AttentionShape&, Index, const GAZE_T*, Index,
                                        const GAZE_T*, const GAZE_T*, const float*, const KeyRange*,
                                        GAZE_T*, GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void attention_backward(const AttentionShape&, Index, const GAZE_T*, Index,
                                         const GAZE_T*, const GAZE_T*, const float*,
                                         const KeyRange*, const Index*, Index, const GAZE_T*,
                                         const GAZE_T*, const GAZE_T*, const GAZE_T*, const GAZE_T*,
                                         GAZE_T*, GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void rms_norm_forward(Index, Index, const GAZE_T*, const GAZE_T*, GAZE_T, GAZE_T*,
                                       GAZE_T*);
GAZE_INSTANTIATE void rms_norm_backward(Index, Index, const GAZE_T*, const GAZE_T*, const GAZE_T*,
                                        const GAZE_T*, GAZE_T*, GAZE_T*, bool);
GAZE_INSTANTIATE void layer_norm_forward(Index, Index, const GAZE_T*, const GAZE_T*, const GAZE_T*,
                                         GAZE_T, GAZE_T*, GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void layer_norm_backward(Index, Index, const GAZE_T*, const GAZE_T*, const GAZE_T*,
                                          const GAZE_T*, const GAZE_T*, GAZE_T*, GAZE_T*, GAZE_T*,
                                          bool);
GAZE_INSTANTIATE void rotary(Index, Index, Index, Index, const std::int32_t*, GAZE_T, GAZE_T*,
                             bool);
GAZE_INSTANTIATE void softmax_stats(Index, Index, const GAZE_T*, Index, GAZE_T, const std::int32_t*,
                                    GAZE_T*, GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void softmax_stats_backward(Index, Index, GAZE_T*, Index, GAZE_T,
                                             const std::int32_t*, const GAZE_T*, const GAZE_T*,
                                             const GAZE_T*, const GAZE_T*);
GAZE_INSTANTIATE void column_sum(Index, Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void gather_rows(Index, Index, const GAZE_T*, const std::int32_t*, GAZE_T*);
GAZE_INSTANTIATE void scatter_add_rows(Index, Index, const GAZE_T*, const std::int32_t*, Index,
                                       GAZE_T*);
GAZE_INSTANTIATE void add(Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void sub(Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void mul(Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void div(Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void axpy(Index, GAZE_T, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void scale(Index, GAZE_T, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void fill(Index, GAZE_T, GAZE_T*);
GAZE_INSTANTIATE void copy(Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void unary_forward(UnaryOp, Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void unary_backward(UnaryOp, Index, const GAZE_T*, const GAZE_T*, const GAZE_T*,
                                     GAZE_T*, bool);
GAZE_INSTANTIATE void swiglu_forward(Index, Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void swiglu_backward(Index, Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE double sum(Index, const GAZE_T*);
GAZE_INSTANTIATE double sum_squares(Index, const GAZE_T*);
GAZE_INSTANTIATE void adamw_step(Index, GAZE_T*, const GAZE_T*, GAZE_T*, GAZE_T*,
                                 const AdamWStep<GAZE_T>&, GAZE_T, GAZE_T, GAZE_T);
GAZE_INSTANTIATE void copy_strided(const Shape&, const GAZE_T*, const Shape&, GAZE_T*);
GAZE_INSTANTIATE void copy_rows(Index, Index, const GAZE_T*, Index, GAZE_T*, Index);
GAZE_INSTANTIATE void binary_strided(BroadcastOp, const Shape&, const GAZE_T*, const Shape&,
                                     const GAZE_T*, const Shape&, GAZE_T*);
GAZE_INSTANTIATE void add_strided(const Shape&, const GAZE_T*, GAZE_T*, const Shape&);
GAZE_INSTANTIATE void gemm_batched(bool, bool, Index, Index, Index, Index,
                                   const MatrixBatch<const GAZE_T>&,
                                   const MatrixBatch<const GAZE_T>&, const MatrixBatch<GAZE_T>&,
                                   bool, bool);
GAZE_INSTANTIATE void linear_gelu_forward(Index, Index, Index, const GAZE_T*, const GAZE_T*,
                                          const GAZE_T*, GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void linear_gelu_backward(Index, Index, Index, const GAZE_T*, const GAZE_T*,
                                           const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void unfold(const PatchGrid&, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void fold_add(const PatchGrid&, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void pointwise_forward(PointwiseOp, Index, GAZE_T, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void pointwise_backward(PointwiseOp, Index, GAZE_T, const GAZE_T*, const GAZE_T*,
                                         const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void power_forward(Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void power_backward(Index, const GAZE_T*, const GAZE_T*, const GAZE_T*, GAZE_T*,
                                     GAZE_T*);
GAZE_INSTANTIATE void compare(CompareOp, Index, const GAZE_T*, const GAZE_T*, std::int32_t*);
GAZE_INSTANTIATE void choose(Index, const std::int32_t*, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void cast(Index, const GAZE_T*, std::int32_t*);
GAZE_INSTANTIATE void cast(Index, const std::int32_t*, GAZE_T*);
GAZE_INSTANTIATE void check_values(Index, const GAZE_T*, const ValueCheck&, GAZE_T*);
GAZE_INSTANTIATE void sum_to(Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void fill_from(Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void copy_to_strided(const Shape&, const GAZE_T*, GAZE_T*, const Shape&);
GAZE_INSTANTIATE void variance_forward(Index, Index, GAZE_T, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void variance_backward(Index, Index, GAZE_T, const GAZE_T*, const GAZE_T*,
                                        GAZE_T*);
GAZE_INSTANTIATE void best_in_rows(Index, Index, bool, const GAZE_T*, std::int32_t*);
GAZE_INSTANTIATE void logsumexp_forward(Index, Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void logsumexp_backward(Index, Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void softmax_forward(bool, Index, Index, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void softmax_backward(bool, Index, Index, const GAZE_T*, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void cumsum(Index, Index, bool, const GAZE_T*, GAZE_T*);
GAZE_INSTANTIATE void gather_elements(Index, Index, Index, const GAZE_T*, const std::int32_t*,
                                      GAZE_T*);
GAZE_INSTANTIATE void scatter_add_elements(Index, Index, Index, const GAZE_T*, const std::int32_t*,
                                           GAZE_T*);
GAZE_INSTANTIATE void order_rows(Index, Index, Index, bool, const GAZE_T*, std::int32_t*);
