// SPDX-License-Identifier: MIT
// Products of float32 or bf16 through cuBLASLt, with float32 sums and the bias as its epilogue.
//
// The library thinks in columns: our row-major C [m, n] is its C^T [n, m], so it multiplies op(B)^T
// by op(A)^T, and a bias per column of ours is one per row of its. The algorithm of a shape is
// asked for once and kept, so that a shape always runs the same way; schemes that add up partial
// results in no fixed order are not allowed. float32 means float32: no TF32.
#include "cuda/library_gemm.hpp"

#include <cublasLt.h>

#include <array>
#include <cstdlib>
#include <map>
#include <mutex>

#include "cuda/device.cuh"
#include "gaze/core/bf16.hpp"

namespace gaze::cuda {

namespace {

void check(cublasStatus_t status, const char* what) {
  GAZE_CHECK(status == CUBLAS_STATUS_SUCCESS, "cuda", what,
             " failed: ", cublasLtGetStatusString(status));
}

constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

struct Library {
  cublasLtHandle_t handle;
  Storage<Cuda> workspace{workspace_bytes};
  bool plain;

  Library() {
    const char* const text = std::getenv("GAZE_CUDA_PLAIN");
    plain = text && *text && *text != '0';
    check(cublasLtCreate(&handle), "cublasLtCreate");
  }
};

Library& library() {
  static auto* l = new Library;  // never destroyed, as the stream
  return *l;
}

/// Everything that decides how a product is done.
struct Product {
  bool transpose_a, transpose_b, accumulate, biased, bf16;
  Index m, n, k, lda, ldb, ldc;
  unsigned alignment;  // bytes, of all operands

  auto key() const {
    return std::array<Index, 8>{
        m,         n,
        k,         lda,
        ldb,       ldc,
        alignment, transpose_a + 2 * transpose_b + 4 * accumulate + 8 * biased + 16 * bf16};
  }
};

/// A product's descriptions and its algorithm; `found` is false where the library has none.
struct Plan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t first = nullptr, second = nullptr, result = nullptr;
  cublasLtMatmulAlgo_t algorithm;
  bool found = false;
};

template <class Value>
void set(cublasLtMatmulDesc_t to, cublasLtMatmulDescAttributes_t what, const Value& value) {
  check(cublasLtMatmulDescSetAttribute(to, what, &value, sizeof(value)), "a matmul description");
}
template <class Value>
void set(cublasLtMatmulPreference_t to, cublasLtMatmulPreferenceAttributes_t what,
         const Value& value) {
  check(cublasLtMatmulPreferenceSetAttribute(to, what, &value, sizeof(value)),
        "a matmul preference");
}

cublasLtMatrixLayout_t layout(cudaDataType_t type, Index rows, Index columns, Index stride) {
  cublasLtMatrixLayout_t l;
  check(cublasLtMatrixLayoutCreate(&l, type, static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), stride),
        "a matrix description");
  return l;
}

/// In the library's terms: first = B, second = A, both as stored.
Plan make_plan(const Product& p) {
  Plan plan;
  check(cublasLtMatmulDescCreate(&plan.operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a matmul");
  const auto turned = [](bool t) { return t ? CUBLAS_OP_T : CUBLAS_OP_N; };
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSA, turned(p.transpose_b));
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSB, turned(p.transpose_a));
  if (p.biased) set(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
  const auto type = p.bf16 ? CUDA_R_16BF : CUDA_R_32F;
  plan.first = p.transpose_b ? layout(type, p.k, p.n, p.ldb) : layout(type, p.n, p.k, p.ldb);
  plan.second = p.transpose_a ? layout(type, p.m, p.k, p.lda) : layout(type, p.k, p.m, p.lda);
  plan.result = layout(CUDA_R_32F, p.n, p.m, p.ldc);
  cublasLtMatmulPreference_t preference;
  check(cublasLtMatmulPreferenceCreate(&preference), "a matmul preference");
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_bytes);
  const std::uint32_t in_order =
      CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, in_order);
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    set(preference, attribute, static_cast<std::uint32_t>(p.alignment));
  cublasLtMatmulHeuristicResult_t best;
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(library().handle, plan.operation, plan.first, plan.second,
                                     plan.result, plan.result, preference, 1, &best, &count);
  plan.found = status == CUBLAS_STATUS_SUCCESS && count > 0;
  if (plan.found) plan.algorithm = best.algo;
  cublasLtMatmulPreferenceDestroy(preference);
  return plan;
}

const Plan& plan_of(const Product& p) {
  static std::mutex mutex;
  static auto* plans = new std::map<std::array<Index, 8>, Plan>;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = plans->find(p.key());
  return found != plans->end() ? found->second
                               : plans->emplace(p.key(), make_plan(p)).first->second;
}

/// The largest power of two up to 16 that divides all addresses.
unsigned common_alignment(std::initializer_list<const void*> pointers) {
  std::uintptr_t bits = 16;
  for (const void* p : pointers) bits |= reinterpret_cast<std::uintptr_t>(p);
  return static_cast<unsigned>(bits & (~bits + 1));
}

}  // namespace

template <class U>
bool library_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const U* a,
                  Index lda, const U* b, Index ldb, float* c, Index ldc, bool accumulate,
                  const float* bias) {
  if (library().plain || m <= 0 || n <= 0 || k <= 0) return false;
  const bool biased = bias && !accumulate;
  const unsigned alignment = common_alignment({a, b, c, biased ? bias : c});
  const Plan& plan = plan_of({transpose_a, transpose_b, accumulate, biased, std::is_same_v<U, bf16>,
                              m, n, k, lda, ldb, ldc, alignment});
  if (!plan.found) return false;
  if (biased) set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  const float one = 1, start = accumulate ? 1.0f : 0.0f;
  check(cublasLtMatmul(library().handle, plan.operation, &one, b, plan.first, a, plan.second,
                       &start, c, plan.result, c, plan.result, &plan.algorithm,
                       library().workspace.data(), workspace_bytes, stream()),
        "cublasLtMatmul");
  return true;
}

#define GAZE_INSTANTIATE(U)                                                                     \
  template bool library_gemm(bool, bool, Index, Index, Index, const U*, Index, const U*, Index, \
                             float*, Index, bool, const float*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(bf16)
#undef GAZE_INSTANTIATE

}  // namespace gaze::cuda
