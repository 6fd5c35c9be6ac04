// SPDX-License-Identifier: MIT
// Compiles the engine and the models for float once, as cpu_kernels.cpp does the kernels.
#ifndef GAZE_CPU_COMPILED
#define GAZE_CPU_COMPILED
#endif
#include "gaze/compiled.hpp"
#include "gaze/models/language_model.hpp"
#include "gaze/models/vlm.hpp"

namespace gaze {
GAZE_COMPILED(template)

namespace models {
template class DecoderBlock<float, Cpu>;
template class Decoder<float, Cpu>;
template class DecoderPolicy<LanguageModel<float>, float, Cpu>;
template class LanguageModel<float>;
template class DecoderPolicy<Vlm<float>, float, Cpu>;
template class Vlm<float>;
}  // namespace models
}  // namespace gaze
