// SPDX-License-Identifier: MIT
// A model's files in words: what it is, how large, what it reads and what memory it needs. Nothing
// of the weights but their header is read.
#pragma once
#include <string>

#include "phyx/eval/model_memory.hpp"

namespace gaze::phyx {

/// Lines about a published checkpoint (its folder) or a trained model (its folder or .safetensors
/// file): family, files, tensors and those without use, parameters, architecture, tokeniser, chat
/// template, end tokens, memory. Text from the files is printable. Throws Error for files that
/// could not be loaded, as loading would, but for a checkpoint without tokenizer.json. `adapter`: a
/// folder of adapters for a published checkpoint, described too; "": none.
std::string model_info(const std::string& path, const MemoryBatches& batches = {},
                       const std::string& adapter = "");

}  // namespace gaze::phyx
