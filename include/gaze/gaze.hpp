// SPDX-License-Identifier: MIT
// Everything for the CPU that needs nothing but the standard library: tensors, autograd,
// operations, layers, the optimiser, rollouts, advantages and policy losses. What reads JSON or
// images is included by itself: gaze/train/, gaze/rl/grpo.hpp, gaze/io/safetensors.hpp, gaze/text/,
// gaze/image/.
//
//   #include "gaze/gaze.hpp"
//   auto w = gaze::Tensor<float>::from({2, 2}, {1, 2, 3, 4});
//   w.requires_grad();
//   gaze::backward(gaze::sum(gaze::square(w)));   // w.grad() is {2, 4, 6, 8}
#pragma once
#include "gaze/autograd.hpp"
#include "gaze/compiled.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/rollout.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/io/append_log.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/nn/gelu_mlp.hpp"
#include "gaze/nn/layers.hpp"
#include "gaze/nn/lora.hpp"
#include "gaze/nn/parameters.hpp"
#include "gaze/ops/attention.hpp"
#include "gaze/ops/cast.hpp"
#include "gaze/ops/convolution.hpp"
#include "gaze/ops/creation.hpp"
#include "gaze/ops/einsum.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gelu_mlp.hpp"
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/joins.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/losses.hpp"
#include "gaze/ops/operators.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/rows.hpp"
#include "gaze/ops/select.hpp"
#include "gaze/ops/sort.hpp"
#include "gaze/ops/table.hpp"
#include "gaze/ops/views.hpp"
#include "gaze/optim/adamw.hpp"
#include "gaze/optim/schedule.hpp"
#include "gaze/rl/adaptive_entropy.hpp"
#include "gaze/rl/advantage.hpp"
#include "gaze/rl/policy_loss.hpp"
#include "gaze/rl/variants.hpp"
#include "gaze/tensor.hpp"
