// SPDX-License-Identifier: MIT
// Models that answer problems, on the processor.
#include "phyx/eval/problem_answerer.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/eval/problem_answerer.inl"

namespace gaze::phyx {

bool reads_text_only(const std::string& path) {
  return models::hf::is_published_checkpoint(path) &&
         !models::hf::open_checkpoint(path).model.sees();
}

template std::unique_ptr<ProblemAnswerer> make_answerer<Cpu>(const EvalSettings&);

}  // namespace gaze::phyx
