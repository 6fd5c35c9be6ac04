// SPDX-License-Identifier: MIT
// Products of float32 or bf16 through cuBLASLt, with float32 sums and the bias, GELU or its
// derivative as epilogue.
//
// The library is column-major: our row-major C [m, n] is its C^T [n, m], so it multiplies op(B)^T
// by op(A)^T, and our bias per column is a bias per row. Its auxiliary matrix, the values before
// GELU, has the layout of the result. The algorithm for a shape is looked up once and kept, so that
// a shape always runs the same way; schemes that add partial results in no fixed order are
// disabled. float32 means float32: no TF32.
#include "cuda/gemm/library_gemm.hpp"

#include <cublasLt.h>

#include <array>
#include <map>
#include <mutex>

#include "cuda/device/device.cuh"
#include "cuda/host/choice.hpp"

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

  Library() { check(cublasLtCreate(&handle), "cublasLtCreate"); }
};

Library& library() {
  static auto* l = new Library;  // never destroyed, like the stream
  return *l;
}

/// Operation on a product's result before it is stored: nothing; + bias; pre = result + bias, then
/// gelu(pre); * gelu'(pre).
enum class Epilogue { none, bias, gelu, gelu_grad };

/// Everything that determines the algorithm of a product.
struct Product {
  bool transpose_a, transpose_b, accumulate;
  Index m, n, k, lda, ldb, ldc;
  Epilogue epilogue = Epilogue::none;
  unsigned alignment = 16;  // bytes, of all operands
  bool bf16 = false;        // operands

  auto key() const {
    return std::array<Index, 9>{m,
                                n,
                                k,
                                lda,
                                ldb,
                                ldc,
                                alignment,
                                static_cast<Index>(epilogue),
                                transpose_a + 2 * transpose_b + 4 * accumulate + 8 * bf16};
  }
};

/// Inputs of the epilogue, null where it does not use them.
struct EpilogueData {
  const float* bias = nullptr;
  const float* pre = nullptr;  // written by Epilogue::gelu
};

/// A product's descriptors and its algorithm; `found` is false where the library has none.
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

void point(const Plan& plan, const EpilogueData& data) {
  if (data.bias) set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, data.bias);
  if (data.pre) set(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, data.pre);
}

void set_epilogue(const Plan& plan, const Product& p) {
  static constexpr cublasLtEpilogue_t names[] = {CUBLASLT_EPILOGUE_DEFAULT, CUBLASLT_EPILOGUE_BIAS,
                                                 CUBLASLT_EPILOGUE_GELU_AUX_BIAS,
                                                 CUBLASLT_EPILOGUE_DGELU};
  set(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE, names[static_cast<int>(p.epilogue)]);
  if (p.epilogue == Epilogue::gelu || p.epilogue == Epilogue::gelu_grad)
    set(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, static_cast<std::int64_t>(p.ldc));
}

/// In the library's order: first = B, second = A, both as stored.
Plan make_plan(const Product& p, const EpilogueData& data) {
  Plan plan;
  check(cublasLtMatmulDescCreate(&plan.operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a matmul");
  const auto transposed = [](bool t) { return t ? CUBLAS_OP_T : CUBLAS_OP_N; };
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSA, transposed(p.transpose_b));
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSB, transposed(p.transpose_a));
  set_epilogue(plan, p);
  point(plan, data);
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

const Plan& plan_of(const Product& p, const EpilogueData& data) {
  static std::mutex mutex;
  static auto* plans = new std::map<std::array<Index, 9>, Plan>;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = plans->find(p.key());
  return found != plans->end() ? found->second
                               : plans->emplace(p.key(), make_plan(p, data)).first->second;
}

/// The largest power of two up to 16 that divides all addresses.
unsigned common_alignment(std::initializer_list<const void*> pointers) {
  std::uintptr_t bits = 16;
  for (const void* p : pointers) bits |= reinterpret_cast<std::uintptr_t>(p);
  return static_cast<unsigned>(bits & (~bits + 1));
}

template <class T>
bool multiply(Product p, const T* a, const T* b, float* c, const EpilogueData& data) {
  if (!kernel_choice.library() || p.m <= 0 || p.n <= 0 || p.k <= 0) return false;
  p.alignment = common_alignment({a, b, c, data.bias, data.pre});
  p.bf16 = std::is_same_v<T, gaze::bf16>;
  const Plan& plan = plan_of(p, data);
  if (!plan.found) return false;
  point(plan, data);
  const float one = 1, start = p.accumulate ? 1.0f : 0.0f;
  check(cublasLtMatmul(library().handle, plan.operation, &one, b, plan.first, a, plan.second,
                       &start, c, plan.result, c, plan.result, &plan.algorithm,
                       library().workspace.data(), workspace_bytes, stream()),
        "cublasLtMatmul");
  return true;
}

/// The library requires an auxiliary matrix aligned to 16 bytes with rows of a multiple of 8
/// values.
bool supports_auxiliary(Index columns, const float* pre) {
  return columns % 8 == 0 && common_alignment({pre}) == 16;
}

}  // namespace

template <class T>
bool library_gemm(const args::Gemm<T>& a) {
  const float* const bias = a.accumulate ? nullptr : a.bias;
  const Epilogue epilogue = bias ? Epilogue::bias : Epilogue::none;
  return multiply(
      {a.transpose_a, a.transpose_b, a.accumulate, a.m, a.n, a.k, a.lda, a.ldb, a.ldc, epilogue},
      a.a, a.b, a.c, {bias});
}
template bool library_gemm(const args::Gemm<float>&);
template bool library_gemm(const args::Gemm<bf16>&);

bool library_linear_gelu(const args::LinearGeluForward<float>& a) {
  return supports_auxiliary(a.n, a.pre) &&
         multiply({false, true, false, a.m, a.n, a.k, a.k, a.k, a.n, Epilogue::gelu}, a.x, a.w, a.y,
                  {a.bias, a.pre});
}

bool library_linear_gelu_backward(const args::LinearGeluBackward<float>& a) {
  return supports_auxiliary(a.n, a.pre) &&
         multiply({false, false, false, a.m, a.n, a.k, a.k, a.n, a.n, Epilogue::gelu_grad}, a.dy,
                  a.w, a.dpre, {nullptr, a.pre});
}

}  // namespace gaze::cuda
