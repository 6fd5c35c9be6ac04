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
GAZE_INSTANTIATE GAZE_T max_abs(Index, const GAZE_T*);
GAZE_INSTANTIATE bool all_finite(Index, const GAZE_T*);
GAZE_INSTANTIATE void adamw_step(Index, GAZE_T*, const GAZE_T*, GAZE_T*, GAZE_T*,
                                 const AdamWStep<GAZE_T>&, GAZE_T, GAZE_T, GAZE_T);
GAZE_INSTANTIATE void copy_strided(const Shape&, const GAZE_T*, const Shape&, GAZE_T*);
GAZE_INSTANTIATE void copy_rows(Index, Index, const GAZE_T*, Index, GAZE_T*, Index);
GAZE_INSTANTIATE void binary_strided(BroadcastOp, const Shape&, const GAZE_T*, const Shape&,
                                     const GAZE_T*, const Shape&, GAZE_T*);
GAZE_INSTANTIATE void add_strided(const Shape&, const GAZE_T*, GAZE_T*, const Shape&);
