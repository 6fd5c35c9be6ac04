// SPDX-License-Identifier: MIT
// Reading and writing the lines about a model.
#include "phyx/eval/model_info.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <variant>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/weight_files.hpp"
#include "gaze/train/checkpoint.hpp"
#include "models/hf/load.hpp"
#include "models/memory.hpp"
#include "models/model_metadata.hpp"
#include "phyx/eval/published_model.hpp"
#include "phyx/eval/trained_model.hpp"

namespace gaze::phyx {

namespace {

constexpr std::size_t most_listed = 32;  // control tokens

/// 134515008 as "134,515,008".
std::string grouped(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}
std::string grouped(Index n) { return grouped(static_cast<std::uint64_t>(n)); }

std::string counted(std::uint64_t n, const std::string& what) {
  return grouped(n) + " " + what + (n == 1 ? "" : "s");
}

/// The text, or its beginning, with spaces up to `width` characters.
std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}
std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string line(const std::string& name, const std::string& text) {
  return left(name, 14) + text + "\n";
}

// ---- files -------------------------------------------------------------------------------------

std::string file_lines(const io::WeightFiles& files) {
  std::set<std::string> shards;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> types;  // tensors, bytes
  for (const auto& name : files.names()) {
    shards.insert(std::filesystem::path(files.file(name)).filename().string());
    auto& [count, bytes] = types[files.info(name).dtype];
    ++count;
    bytes += files.info(name).bytes();
  }
  std::string out, stored;
  for (const auto& shard : shards)
    out += line(out.empty() ? "files" : "", printable(shard, kShownBytes));
  for (const auto& [dtype, size] : types)
    stored += (stored.empty() ? "" : "; ") + counted(size.first, "tensor") + " of " + dtype + ", " +
              grouped(size.second) + " bytes";
  return out + line("stored", stored);
}

std::string unused_lines(const io::WeightFiles& files, const std::vector<std::string>& used) {
  const std::set<std::string> known(used.begin(), used.end());
  std::string out;
  for (const auto& name : files.names()) {
    if (known.count(name) > 0) continue;
    const auto& info = files.info(name);
    out += line(out.empty() ? "not used" : "", printable(name, kShownBytes) + " " + info.dtype +
                                                   " " + io::detail::shape_text(info.shape));
  }
  return out.empty() ? line("not used", "no tensors") : out;
}

std::string parameter_line(const Parameters<float>& all) {
  return line("parameters", grouped(all.count()) + " in " + counted(all.all().size(), "tensor"));
}

// ---- architecture ------------------------------------------------------------------------------

/// A row of the table: a size of the decoder and one of the ViT, each perhaps empty.
std::string row(const std::string& name, const std::string& decoder, const std::string& vit) {
  return "  " + left(name, 26) + right(decoder, 12) + (vit.empty() ? "" : right(vit, 12)) + "\n";
}

std::string architecture_lines(const models::DecoderConfig& d, Index vocabulary,
                               const models::VlmConfig* vlm) {
  const models::VitConfig* v = vlm ? &vlm->vit : nullptr;
  const auto both = [&](const std::string& name, auto of_decoder, auto of_vit) {
    return row(name, concat(of_decoder), v ? concat(of_vit(*v)) : "");
  };
  using Vit = models::VitConfig;
  std::string out = left("architecture", 28) + right("decoder", 12) + (v ? right("vit", 12) : "");
  out += "\n" + both("layers", d.layers, [](const Vit& x) { return x.layers; }) +
         both("width", d.width, [](const Vit& x) { return x.width; }) +
         both("heads", d.heads, [](const Vit& x) { return x.heads; }) +
         both("key-value heads", d.kv_heads, [](const Vit& x) { return x.heads; }) +
         both("head size", d.head_size, [](const Vit& x) { return x.width / x.heads; }) +
         both("MLP width", d.mlp, [](const Vit& x) { return x.mlp; }) +
         both("epsilon of the norms", d.eps, [](const Vit& x) { return x.eps; }) +
         row("vocabulary", concat(vocabulary), "") + row("tied head", d.tied ? "yes" : "no", "") +
         row("base of rotary positions", concat(d.rope_theta), "") +
         row("embeddings times", concat(d.embedding_scale()), "") +
         row("attention scores times", concat(d.attention_scale()), "") +
         row("residuals times", concat(d.residual_multiplier), "") +
         row("logits divided by", concat(d.logits_divisor), "");
  if (v)
    out += row("side of a picture", "", concat(v->image)) +
           row("side of a patch", "", concat(v->patch)) +
           row("patches per image token", "", concat(vlm->shuffle * vlm->shuffle)) +
           row("image tokens", "", concat(vlm->image_tokens()));
  return out;
}

// ---- tokens ------------------------------------------------------------------------------------

/// "<|end|> 1, <|user|> 2".
template <class Tokenizer>
std::string tokens_text(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::string out;
  for (std::size_t i = 0; i < ids.size() && i < most_listed; ++i)
    out += (i ? ", " : "") + printable(tokenizer.token(ids[i]), kShownBytes) + " " +
           std::to_string(ids[i]);
  if (ids.size() > most_listed) out += " and " + grouped(Index(ids.size() - most_listed)) + " more";
  return out;
}

template <class Tokenizer>
std::string tokenizer_lines(const std::string& kind, const Tokenizer& tokenizer,
                            const std::vector<std::int32_t>& control) {
  return line("tokeniser", kind + ", " + counted(std::uint64_t(tokenizer.vocab_size()), "token")) +
         line("control", control.empty() ? "no tokens" : tokens_text(tokenizer, control));
}

std::string published_token_lines(const models::hf::Checkpoint& c) {
  const auto* chat = models::hf::find_chat_template(c.chat);
  std::string ends;
  std::string out;
  if (io::exists(c.folder + "/tokenizer.json")) {
    const text::BytePairTokenizer tokenizer = load_tokenizer(c);
    std::vector<std::int32_t> control;
    for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id)
      if (tokenizer.is_special(id)) control.push_back(id);
    out = tokenizer_lines("byte-level BPE", tokenizer, control);
    std::vector<std::int32_t> named;
    for (const std::int32_t id : c.ends)  // the configuration may count more tokens
      if (id < tokenizer.vocab_size()) named.push_back(id);
    ends = tokens_text(tokenizer, named);
  } else {
    out = line("tokeniser", "none: the folder has no tokenizer.json");
    for (const std::int32_t id : c.ends) ends += (ends.empty() ? "" : ", ") + std::to_string(id);
  }
  return out +
         line("chat template", chat             ? std::string(chat->name)
                               : c.chat.empty() ? "none"
                                                : "not known, so gaze ask refuses to write it") +
         line("end tokens", ends);
}

std::string trained_token_lines(const ModelFiles& files) {
  const text::Tokenizer& t = files.tokenizer;
  return tokenizer_lines("words, characters, bytes", t,
                         {t.pad(), t.end(), t.user(), t.assistant(), t.image()}) +
         line("prompt", printable(files.prompts.problem, 2 * kShownBytes)) +
         line("end tokens", tokens_text(t, {t.end()}));
}

// ---- memory ------------------------------------------------------------------------------------

std::string megabytes(Index bytes) { return grouped((bytes + 500000) / 1000000) + " MB"; }

template <class Config>
std::string memory_lines(Config c, const MemoryBatches& b, const std::string& prompt) {
  c.bf16 = false;
  const ModelMemory plain = model_memory(c, b);
  c.bf16 = true;
  const ModelMemory rounded = model_memory(c, b);
  const auto memory = [&](const std::string& what, Index ModelMemory::*part) {
    return "  " + left(what, 56) + right(megabytes(plain.*part), 12) +
           right(megabytes(rounded.*part), 12) + "\n";
  };
  return left("memory", 58) + right("float32", 12) + right("bf16", 12) + "\n  (forecast for the " +
         "processor; prompts of " + prompt + ", answers of " + concat(b.answer) + ")\n" +
         memory("ask", &ModelMemory::ask) +
         memory(concat("eval, ", b.batch, " problems with ", b.samples, " samples"),
                &ModelMemory::eval) +
         memory(concat("GRPO, LoRA of rank ", b.rank, ", ", b.prompts, " prompts in groups of ",
                       b.group),
                &ModelMemory::lora);
}

std::string memory_lines(const models::LanguageConfig& c, const MemoryBatches& b) {
  return memory_lines(c, b, concat(b.text, " tokens"));
}
std::string memory_lines(const models::VlmConfig& c, const MemoryBatches& b) {
  return memory_lines(c, b,
                      concat(b.text, " tokens and a picture's ", b.tiles * c.image_tokens(), " in ",
                             counted(static_cast<std::uint64_t>(b.tiles), "tile")));
}

// ---- kinds of models ---------------------------------------------------------------------------

/// The most tiles that a picture of the checkpoint has.
Index most_tiles(const models::hf::Checkpoint& c) {
  const auto pictures = models::hf::load_picture_config(c.folder);
  return std::visit([](const auto& tiling) { return image::most_tiles(tiling); }, pictures.tiling);
}

std::string adapter_lines(const std::string& folder, const models::hf::Checkpoint& c) {
  const models::hf::Adapter a = models::hf::open_adapter(folder, c.weights);
  models::DeclaredVlm declared(c.model);
  const Index before = declared.all.count();
  add_lora(declared.all, a.plan);
  const io::WeightFiles files(models::hf::adapter_weights_file(folder));
  models::hf::check_adapter(a, files, declared.all);
  return line("adapter", printable(folder, kShownBytes)) +
         line("", concat("LoRA of rank ", a.settings.rank, ", alpha ", a.settings.alpha,
                         a.settings.rank_stabilised ? " (rank-stabilised)" : "", ", ",
                         counted(files.names().size() / 2, "module"), ", ",
                         grouped(declared.all.count() - before), " parameters"));
}

std::string published_info(const std::string& path, MemoryBatches batches,
                           const std::string& adapter) {
  const models::hf::Checkpoint c = models::hf::open_checkpoint(path);
  const io::WeightFiles files(path);
  models::DeclaredVlm declared(c.model);
  models::hf::check_weights(files, c.weights, declared.all);
  const bool sees = c.model.sees();
  GAZE_CHECK(sees || batches.tiles == 0, "info", path,
             ": the model reads text only; --tiles is for models that see");
  if (sees && batches.tiles == 0) batches.tiles = most_tiles(c);
  return line("family",
              c.family + ", a published checkpoint " + (sees ? "that sees" : "for text")) +
         file_lines(files) + unused_lines(files, models::hf::tensor_names(files, c.weights)) +
         parameter_line(declared.all) + (adapter.empty() ? "" : adapter_lines(adapter, c)) +
         architecture_lines(c.model.decoder, c.model.vocabulary, sees ? &c.model : nullptr) +
         published_token_lines(c) +
         (sees ? memory_lines(c.model, batches) : memory_lines(c.model.language(), batches));
}

const char* precision(bool bf16) { return bf16 ? "bf16 products" : "float32"; }

std::string language_info(const models::LanguageConfig& c, const std::string& weights,
                          const MemoryBatches& batches) {
  GAZE_CHECK(batches.tiles == 0, "info", weights,
             ": the model reads text only; --tiles is for models that see");
  models::DeclaredLanguageModel declared(c);
  check_weights(io::SafetensorsFile(weights), declared.all);
  return line("family", std::string("gaze, a trained model for text, ") + precision(c.bf16)) +
         file_lines(io::WeightFiles(weights)) + line("not used", "no tensors") +
         parameter_line(declared.all) + architecture_lines(c.decoder, c.vocabulary, nullptr) +
         memory_lines(c, batches);
}

std::string vlm_info(const std::string& path, MemoryBatches batches) {
  GAZE_CHECK(batches.tiles <= 1, "info", path,
             ": a picture is one tile; --tiles is for published checkpoints");
  batches.tiles = 1;
  const ModelFiles files = read_model_files(path);
  const models::DeclaredVlm declared(files.config);
  return line("family", "gaze, a trained model with a ViT, size " +
                            models::size_name(files.config) + ", " + precision(files.config.bf16)) +
         file_lines(io::WeightFiles(files.weights_file)) + line("not used", "no tensors") +
         parameter_line(declared.all) +
         architecture_lines(files.config.decoder, files.config.vocabulary, &files.config) +
         trained_token_lines(files) + memory_lines(files.config, batches);
}

}  // namespace

std::string model_info(const std::string& path, const MemoryBatches& batches,
                       const std::string& adapter) {
  const std::string first = line("model", printable(path, kShownBytes));
  if (models::hf::is_published_checkpoint(path))
    return first + published_info(path, batches, adapter);
  GAZE_CHECK(adapter.empty(), "info", path, ": --adapter is for published checkpoints");
  const std::string weights = weights_file_of(path);
  const auto saved = models::read_model_metadata(io::SafetensorsFile(weights));
  if (const auto* c = std::get_if<models::LanguageConfig>(&saved.config))
    return first + language_info(*c, weights, batches);
  return first + vlm_info(path, batches);
}

}  // namespace gaze::phyx
