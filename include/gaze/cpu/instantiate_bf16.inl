// SPDX-License-Identifier: MIT
// The CPU kernels of bf16 as explicit instantiations, as instantiate.inl does for the others.
GAZE_INSTANTIATE void cast(Index, const float*, bf16*);
GAZE_INSTANTIATE void gemm(bool, bool, Index, Index, Index, const bf16*, Index, const bf16*, Index,
                           float*, Index, bool, const float*);
