// SPDX-License-Identifier: MIT
// LoRA adapters of published checkpoints, in the format of the library PEFT: a folder with
// adapter_config.json and adapter_model.safetensors, whose tensors are named after the modules of
// transformers: base_model.model.MODULE.lora_A.weight [r, in] and .lora_B.weight [out, r].
// Source: peft 0.21 (tuners/lora/config.py, utils/save_and_load.py).
//
// A module is a part of a parameter, as its weight is (WeightPart): q, k and v of qkv each have an
// adapter of their own or none.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/folders.hpp"
#include "gaze/io/safetensors.hpp"
#include "gaze/nn/lora.hpp"
#include "models/hf/config_file.hpp"
#include "models/hf/load.hpp"
#include "models/hf/weight_rules.hpp"

namespace gaze::models::hf {

/// Which modules get new adapters, and of what size.
struct LoraSettings {
  Index rank = 16;
  double alpha = 32;
  bool rank_stabilised = false;  // PEFT's use_rslora
  /// Modules by the last parts of their names, as PEFT's target_modules: q_proj, mlp.up_proj. Or
  /// all-linear: all of them.
  std::vector<std::string> targets = {"all-linear"};
  bool pictures = false;  // modules of tower and projector too

  /// Of B A: alpha / r, or alpha / sqrt(r) (rsLoRA, arXiv 2312.03732).
  double factor() const {
    const auto r = static_cast<double>(rank);
    return alpha / (rank_stabilised ? std::sqrt(r) : r);
  }
};

/// The adapters of a model's modules.
struct Adapter {
  LoraSettings settings;          // rank, alpha, rank_stabilised
  LoraPlan plan;                  // for Vlm::for_file()
  std::vector<WeightRule> rules;  // the tensors of their parameters
  std::string folder = "";        // that they are read from; "": they are new
};

inline std::string adapter_config_file(const std::string& folder) {
  return folder + "/adapter_config.json";
}
inline std::string adapter_weights_file(const std::string& folder) {
  return folder + "/adapter_model.safetensors";
}

namespace detail {

inline constexpr const char *peft_lead = "base_model.model.", *peft_down = ".lora_A.weight",
                            *peft_up = ".lora_B.weight";

/// The weights of linear modules: all but embeddings, head and the convolution.
inline bool adaptable(const WeightRule& rule) {
  constexpr std::array<const char*, 5> linear = {"qkv", "out", "gate_up", "up", "down"};
  return std::any_of(linear.begin(), linear.end(), [&](const char* name) {
    return rule.parameter.ends_with(std::string(".") + name + ".weight");
  });
}

/// A tensor's name without .weight.
inline std::string module_in_file(const std::string& tensor) {
  return tensor.substr(0, tensor.rfind(".weight"));
}

/// The module's name in memory, where transformers 4.52 and later have one more level for some.
inline std::string module_in_memory(const std::string& tensor) {
  const std::string name = module_in_file(tensor);
  for (const auto& [file, memory] : {std::pair("language_model.model.", "model.language_model."),
                                     {"vision_tower.", "model.vision_tower."},
                                     {"multi_modal_projector.", "model.multi_modal_projector."}})
    if (name.starts_with(file)) return memory + name.substr(std::string(file).size());
  return name;
}

/// The names of a module, those of other versions of transformers last.
inline std::vector<std::string> module_names(const WeightPart& part) {
  std::vector<std::string> out;
  for (const std::string& tensor : {part.name, part.older})
    if (!tensor.empty()) out.push_back(module_in_memory(tensor));
  for (const std::string& tensor : {part.name, part.older})
    if (!tensor.empty()) out.push_back(module_in_file(tensor));
  return out;
}

/// Adapters of the parts for which name_of(rule, part) is not empty.
template <class NameOf>
Adapter adapter_of(const std::vector<WeightRule>& weights, const LoraSettings& s,
                   const NameOf& name_of) {
  Adapter out{s, {}, {}};
  for (const WeightRule& rule : weights) {
    if (!adaptable(rule)) continue;
    LoraWeight adapted{rule.parameter, s.rank, s.factor(), {}};
    WeightRule down{lora_down_name(rule.parameter), {}};
    for (std::size_t i = 0; i < rule.parts.size(); ++i) {
      const std::string module = name_of(rule, rule.parts[i]);
      adapted.parts.push_back({rule.parts[i].rows, !module.empty()});
      if (module.empty()) continue;
      down.parts.push_back({peft_lead + module + peft_down, s.rank});
      out.rules.push_back(
          {lora_up_name(rule.parameter, i), {{peft_lead + module + peft_up, rule.parts[i].rows}}});
    }
    if (down.parts.empty()) continue;
    out.rules.push_back(std::move(down));
    out.plan.push_back(std::move(adapted));
  }
  return out;
}

/// Options that change what an adapter computes must be at their defaults; others are those of
/// training, or choose modules, which the tensors tell.
inline LoraSettings read_adapter_config(const std::string& path) {
  ConfigObject c(io::read_json_object(path), path);
  LoraSettings s;
  c.must_be("peft_type", "LORA");
  s.rank = c.count("r");
  s.alpha = c.positive("lora_alpha");
  s.rank_stabilised = c.flag("use_rslora", false);
  s.targets = c.texts("target_modules");
  c.must_be("bias", "none");
  c.must_be_in("init_lora_weights",  // others change the base weights
               {nullptr, true, false, "gaussian", "orthogonal", "eva"});
  for (const char* key : {"alora_invocation_tokens",
                          "alpha_pattern",
                          "arrow_config",
                          "corda_config",
                          "fan_in_fan_out",
                          "kasa_config",
                          "layer_replication",
                          "loftq_config",
                          "lora_bias",
                          "lora_ga_config",
                          "megatron_config",
                          "modules_to_save",
                          "monteclora_config",
                          "rank_pattern",
                          "target_parameters",
                          "trainable_token_indices",
                          "use_bdlora",
                          "use_dora",
                          "use_qalora",
                          "velora_config"})
    c.must_be_in(key, {nullptr, false, io::Json::array(), io::Json::object()});
  c.ignore({"auto_mapping", "base_model_name_or_path", "ensure_weight_tying", "eva_config",
            "exclude_modules", "inference_mode", "layers_pattern", "layers_to_transform",
            "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "revision",
            "task_type"});
  c.finish();
  return s;
}

/// The modules of an adapter by their names in its file, sorted.
inline std::set<std::string> modules_of(const Adapter& a) {
  std::set<std::string> out;
  const std::string lead = peft_lead, end = peft_down;
  for (const WeightRule& rule : a.rules)
    for (const WeightPart& part : rule.parts)
      if (part.name.ends_with(end))
        out.insert(part.name.substr(lead.size(), part.name.size() - lead.size() - end.size()));
  return out;
}

}  // namespace detail

/// New adapters for a model with these weights. Throws Error for a target that no module has.
inline Adapter new_adapter(const std::vector<WeightRule>& weights, const LoraSettings& s) {
  GAZE_CHECK(s.rank > 0 && is_positive_float(s.alpha), "adapter", "rank ", s.rank, " and alpha ",
             s.alpha, " must be above 0");
  std::set<std::string> found, known;
  Adapter out = detail::adapter_of(weights, s, [&](const WeightRule& rule, const WeightPart& part) {
    if (!s.pictures && !rule.parameter.starts_with("decoder.")) return std::string();
    const std::string module = detail::module_in_memory(part.name);
    known.insert(module.substr(module.rfind('.') + 1));
    bool chosen = false;
    for (const std::string& target : s.targets)
      if (target == "all-linear" || ("." + module).ends_with("." + target)) {
        found.insert(target);
        chosen = true;
      }
    return chosen ? module : std::string();
  });
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  for (const std::string& target : s.targets)
    GAZE_CHECK(found.contains(target), "adapter", "no linear module is named ",
               printable(target, kShownBytes), "; there are ", names, ", or all-linear");
  GAZE_CHECK(!out.plan.empty(), "adapter", "no target modules are given");
  return out;
}

/// The adapters in a folder for a model with these weights. Its tensors are checked but not read.
/// Throws Error naming file and key or tensor for options and tensors that are not supported.
inline Adapter open_adapter(const std::string& folder, const std::vector<WeightRule>& weights) {
  const LoraSettings s = detail::read_adapter_config(adapter_config_file(folder));
  const io::SafetensorsFile file(adapter_weights_file(folder));
  std::set<std::string> used;
  Adapter out = detail::adapter_of(weights, s, [&](const WeightRule&, const WeightPart& part) {
    for (const std::string& module : detail::module_names(part)) {
      const std::string lead = detail::peft_lead + module;
      if (!file.contains(lead + detail::peft_down)) continue;
      const auto& down = file.info(lead + detail::peft_down).shape;
      GAZE_CHECK(down.size() == 2 && down[0] == s.rank, "adapter", file.path(), ", ", lead,
                 detail::peft_down, ": shape ", io::detail::shape_text(down), ", expected ", s.rank,
                 " rows, r of adapter_config.json");
      file.info(lead + detail::peft_up, std::array<std::int64_t, 2>{part.rows, s.rank});
      used.insert({lead + detail::peft_down, lead + detail::peft_up});
      return module;
    }
    return std::string();
  });
  for (const auto& [name, info] : file.tensors())
    GAZE_CHECK(used.contains(name), "adapter", file.path(), ", ", printable(name, kShownBytes),
               ": not an adapter of a linear module of this model");
  GAZE_CHECK(!out.plan.empty(), "adapter", file.path(), ": no adapters");
  out.folder = folder;
  return out;
}

/// Throws Error for tensors that do not have the shapes of a model made with the adapters' plan.
template <class T, class Device>
void check_adapter(const Adapter& adapter, const io::WeightFiles& files,
                   Parameters<T, Device>& parameters) {
  for (const WeightRule& rule : adapter.rules) {
    const auto* const p = parameters.find(rule.parameter);
    GAZE_CHECK(p, "adapter", "the model was made without ", rule.parameter);
    detail::check_parts(files, rule, p->shape);
  }
}

/// Reads the tensors of a folder's adapters into a model made with their plan. Throws Error as
/// check_adapter(), before any is read.
template <class T, class Device>
void load_adapter(const Adapter& adapter, Parameters<T, Device>& parameters) {
  const io::WeightFiles files(adapter_weights_file(adapter.folder));
  check_adapter(adapter, files, parameters);
  for (const WeightRule& rule : adapter.rules)
    detail::load_parameter(files, rule, *parameters.find(rule.parameter));
}

/// Writes a model's adapters to a folder, each file atomically and adapter_config.json last.
/// `base`: folder or name of the checkpoint, for PEFT.
template <class T, class Device>
void write_adapter(const std::string& folder, const Adapter& adapter, const std::string& base,
                   Parameters<T, Device>& parameters) {
  std::vector<io::TensorEntry> tensors;
  for (const WeightRule& rule : adapter.rules) {
    const auto* const p = parameters.find(rule.parameter);
    GAZE_CHECK(p, "adapter", "the model was made without ", rule.parameter);
    each_part(rule, p->shape, p->value.to_vector(),
              [&](const WeightPart& part, std::span<const T> values) {
                const auto bytes = std::as_bytes(values);
                tensors.push_back({part.name,
                                   std::string(io::dtype_of<T>()),
                                   part_shape(part, p->shape),
                                   {bytes.begin(), bytes.end()}});
              });
  }
  io::make_folders(folder);
  io::write_safetensors(adapter_weights_file(folder), tensors, {{"format", "pt"}});
  const std::string path = adapter_config_file(folder);
  const LoraSettings& s = adapter.settings;
  const io::OrderedJson config = {{"peft_type", "LORA"},
                                  {"task_type", "CAUSAL_LM"},
                                  {"base_model_name_or_path", base},
                                  {"r", s.rank},
                                  {"lora_alpha", s.alpha},
                                  {"use_rslora", s.rank_stabilised},
                                  {"lora_dropout", 0.0},
                                  {"bias", "none"},
                                  {"inference_mode", true},
                                  {"target_modules", detail::modules_of(adapter)}};
  io::write_file(path, io::dump_json(config, path, 2) + "\n");
}

}  // namespace gaze::models::hf
