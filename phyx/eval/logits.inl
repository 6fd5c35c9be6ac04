// SPDX-License-Identifier: MIT
// Rows without their padding through the model, and back into padded tensors.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gaze/image/tile_plan.hpp"
#include "gaze/io/safetensors.hpp"
#include "gaze/io/weight_files.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/train/checkpoint.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/load.hpp"
#include "models/language_model.hpp"
#include "models/model_metadata.hpp"
#include "phyx/eval/logits.hpp"
#include "phyx/eval/published_model.hpp"
#include "phyx/eval/trained_model.hpp"

namespace gaze::phyx {

namespace detail {

/// The inputs as rows without padding.
class TokenRows {
 public:
  Index batch = 0, length = 0;
  std::vector<models::Prompt> prompts;
  std::vector<Index> first;          // column of each row's first token
  std::vector<std::int64_t> labels;  // [B, T]; empty: none

  TokenRows(const io::SafetensorsFile& file, Index vocabulary) {
    const auto& info = file.info("input_ids");
    GAZE_CHECK(info.shape.size() == 2 && info.shape[0] > 0 && info.shape[1] > 0, "logits",
               file.path(), ", input_ids: not [B, T] with tokens");
    batch = info.shape[0];
    length = info.shape[1];
    const auto ids = integers(file, "input_ids");
    const auto mask = file.contains("attention_mask") ? integers(file, "attention_mask")
                                                      : std::vector<std::int64_t>(ids.size(), 1);
    if (file.contains("labels")) labels = integers(file, "labels");
    for (Index b = 0; b < batch; ++b) add_row(file.path(), ids, mask, b, vocabulary);
    for (const std::int64_t label : labels)
      GAZE_CHECK(label < vocabulary, "logits", file.path(), ", labels: ", label,
                 " is not a token of ", vocabulary);
  }

  /// The pictures of the rows that have image tokens, of one of our own models: pixels.
  void add_pictures(const io::SafetensorsFile& file, const models::PictureRows& pictures) {
    if (!file.contains("pixels")) return;
    GAZE_CHECK(pictures.tokens > 0, "logits", file.path(), ", pixels: the model reads text only");
    const auto all =
        read_pictures<std::uint8_t>(file, "pixels", {batch, pictures.side, pictures.side, 3});
    const auto size = static_cast<std::ptrdiff_t>(pictures.side * pictures.side * 3);
    auto from = all.begin();
    for (Index b = 0; b < batch; ++b, from += size) {
      const Index places = image_tokens(b, pictures.token);
      check_places(file, b, places, places == 0 ? 0 : pictures.tokens);
      if (places > 0)
        prompts[static_cast<std::size_t>(b)].rgb =
            std::make_shared<const std::vector<std::uint8_t>>(from, from + size);
    }
  }

  /// Those of a published checkpoint: pixel_values and, for tiles of any resolution, image_sizes.
  void add_tiles(const io::SafetensorsFile& file, const models::hf::Checkpoint& c) {
    if (!file.contains("pixel_values")) return;
    GAZE_CHECK(c.model.sees(), "logits", file.path(), ", pixel_values: the model reads text only");
    const Index side = c.model.vit.image;
    const auto& shape = file.info("pixel_values").shape;
    const bool whole = shape.size() == 5, anyres = !c.pinpoints.empty();
    const Index first = whole && anyres ? shape[0] : batch, most = whole ? shape[1] : 0;
    const auto all = read_pictures<float>(file, "pixel_values", {first, most, 3, side, side});
    const Tiles tiles{all, most, 3 * side * side};
    if (anyres)
      add_anyres(file, c, tiles, first);
    else
      add_split(file, c, tiles);
  }

  Index tokens(Index b) const {
    return static_cast<Index>(prompts[static_cast<std::size_t>(b)].tokens.size());
  }

  /// Of each token, row by row without padding, the label of the next one, or -1.
  std::vector<std::int32_t> next_labels() const {
    std::vector<std::int32_t> out;
    for (Index b = 0; b < batch; ++b) {
      const Index begin = b * length + first[static_cast<std::size_t>(b)];
      for (Index i = begin + 1; i < begin + tokens(b); ++i)
        out.push_back(static_cast<std::int32_t>(
            std::max<std::int64_t>(labels[static_cast<std::size_t>(i)], -1)));
      out.push_back(-1);
    }
    return out;
  }

  std::vector<const models::Prompt*> pointers() const {
    std::vector<const models::Prompt*> out;
    for (const models::Prompt& p : prompts) out.push_back(&p);
    return out;
  }

 private:
  /// pixel_values as a list of up to `most` tiles of `size` values for each row or picture.
  struct Tiles {
    const std::vector<float>& all;
    Index most, size;

    /// Adds the first `count` tiles of entry `i` to `out`.
    void append(Index i, Index count, std::vector<float>& out) const {
      const auto from = all.begin() + i * most * size;
      out.insert(out.end(), from, from + count * size);
    }
  };

  void set_values(Index b, std::vector<float> values) {
    prompts[static_cast<std::size_t>(b)].values =
        std::make_shared<const std::vector<float>>(std::move(values));
  }

  /// One list of tiles for each row, of all its pictures.
  void add_split(const io::SafetensorsFile& file, const models::hf::Checkpoint& c,
                 const Tiles& tiles) {
    const Index each = c.model.image_tokens();
    for (Index b = 0; b < batch; ++b) {
      const Index places = image_tokens(b, c.image_token), count = places / each;
      if (places == 0) continue;
      check_places(file, b, places, std::max<Index>(1, count) * each);
      GAZE_CHECK(count <= tiles.most, "logits", file.path(), ", pixel_values: ", tiles.most,
                 " tiles, but the pictures of row ", b, " have ", count);
      std::vector<float> values;
      tiles.append(b, count, values);
      set_values(b, std::move(values));
    }
  }

  /// One list of tiles for each picture; the rows' image tokens say whose it is.
  void add_anyres(const io::SafetensorsFile& file, const models::hf::Checkpoint& c,
                  const Tiles& tiles, Index pictures) {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(2 * pictures));
    file.read<std::int64_t>("image_sizes", std::vector<std::int64_t>{pictures, 2},
                            std::span(sizes));
    Index next = 0;
    for (Index b = 0; b < batch; ++b) {
      const Index places = image_tokens(b, c.image_token);
      if (places == 0) continue;
      auto& rows = prompts[static_cast<std::size_t>(b)].picture_rows;
      std::vector<float> values;
      for (; next < pictures && static_cast<Index>(rows.size()) < places; ++next) {
        const auto at = static_cast<std::size_t>(2 * next);
        const auto plan = image::plan_tiles(models::hf::tiling_of(c),
                                            {checked_int32("logits", "a width", sizes[at + 1]),
                                             checked_int32("logits", "a height", sizes[at])});
        GAZE_CHECK(plan.tiles() <= tiles.most, "logits", file.path(),
                   ", pixel_values: ", tiles.most, " tiles, but picture ", next, " has ",
                   plan.tiles());
        const Index before = static_cast<Index>(values.size()) / tiles.size;
        const auto own = models::hf::anyres_rows(
            plan, static_cast<int>(c.model.image_side()),
            checked_int32("logits", "the number of image tokens", before * c.model.image_tokens()));
        rows.insert(rows.end(), own.begin(), own.end());
        tiles.append(next, plan.tiles(), values);
      }
      check_places(file, b, places, static_cast<Index>(rows.size()));
      set_values(b, std::move(values));
    }
    GAZE_CHECK(next == pictures, "logits", file.path(), ", pixel_values: ", pictures,
               " pictures, but input_ids has the image tokens of ", next);
  }

  std::vector<std::int64_t> integers(const io::SafetensorsFile& file,
                                     const std::string& name) const {
    const std::vector<std::int64_t> shape{batch, length};
    std::vector<std::int64_t> out(static_cast<std::size_t>(batch * length));
    if (file.info(name).dtype != "I32") {
      file.read<std::int64_t>(name, shape, std::span(out));
      return out;
    }
    std::vector<std::int32_t> narrow(out.size());
    file.read<std::int32_t>(name, shape, std::span(narrow));
    return {narrow.begin(), narrow.end()};
  }

  void add_row(const std::string& path, const std::vector<std::int64_t>& ids,
               const std::vector<std::int64_t>& mask, Index b, Index vocabulary) {
    const auto at = [&](Index t) { return static_cast<std::size_t>(b * length + t); };
    Index begin = 0, end = length;
    while (begin < length && mask[at(begin)] == 0) ++begin;
    while (end > begin && mask[at(end - 1)] == 0) --end;
    GAZE_CHECK(begin < end, "logits", path, ", attention_mask: row ", b, " has no token");
    models::Prompt& prompt = prompts.emplace_back();
    for (Index t = begin; t < end; ++t) {
      GAZE_CHECK(mask[at(t)] == 1, "logits", path, ", attention_mask: row ", b,
                 " has padding between tokens, or a value other than 0 and 1");
      const std::int64_t id = ids[at(t)];
      GAZE_CHECK(id >= 0 && id < vocabulary, "logits", path, ", input_ids: ", id,
                 " is not a token of ", vocabulary);
      prompt.tokens.push_back(static_cast<std::int32_t>(id));
    }
    first.push_back(begin);
  }

  template <class T>
  std::vector<T> read_pictures(const io::SafetensorsFile& file, const std::string& name,
                               const std::vector<std::int64_t>& shape) const {
    const auto& info = file.info(name);
    GAZE_CHECK(info.dtype == io::dtype_of<T>() && info.shape == shape, "logits", file.path(), ", ",
               name, ": ", info.dtype, " ", io::detail::shape_text(info.shape), ", expected ",
               io::dtype_of<T>(), " ", io::detail::shape_text(shape));
    std::vector<T> all(static_cast<std::size_t>(info.elements()));
    file.read<T>(name, shape, std::span(all));
    return all;
  }

  Index image_tokens(Index b, std::int32_t token) const {
    const auto& tokens = prompts[static_cast<std::size_t>(b)].tokens;
    return std::count(tokens.begin(), tokens.end(), token);
  }

  void check_places(const io::SafetensorsFile& file, Index b, Index has, Index needs) const {
    GAZE_CHECK(has == needs, "logits", file.path(), ", input_ids: row ", b, " has ", has,
               " image tokens, its pictures take ", needs);
  }
};

/// Tensors to be written, with their values.
class NamedTensors {
 public:
  void add(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> values) {
    io::TensorEntry e{name, "F32", std::move(shape), {}};
    const auto bytes = std::as_bytes(std::span(values));
    e.data.assign(bytes.begin(), bytes.end());
    entries_.push_back(std::move(e));
  }
  void write(const std::string& path) const { io::write_safetensors(path, entries_); }

 private:
  std::vector<io::TensorEntry> entries_;
};

/// Logits [B, T, V] with zeros at padding.
template <class Model>
void add_logits(const Model& model, const TokenRows& rows, NamedTensors& out) {
  const NoGrad no_grad;
  const auto v = static_cast<std::size_t>(model.vocabulary());
  std::vector<float> all(static_cast<std::size_t>(rows.batch * rows.length) * v, 0.0f);
  for (Index b = 0; b < rows.batch; ++b) {
    const models::Prompt* prompt = &rows.prompts[static_cast<std::size_t>(b)];
    const auto y = model.all_logits(std::span(&prompt, 1)).to_vector();
    const Index begin = b * rows.length + rows.first[static_cast<std::size_t>(b)];
    std::copy(y.begin(), y.end(),
              all.begin() + static_cast<std::ptrdiff_t>(begin) * static_cast<std::ptrdiff_t>(v));
  }
  out.add("logits", {rows.batch, rows.length, model.vocabulary()}, std::move(all));
}

/// Adds loss and logp; returns the loss, differentiable.
template <class Model>
auto add_loss(const Model& model, const TokenRows& rows, NamedTensors& out) {
  const std::vector<std::int32_t> labels = rows.next_labels();
  const auto labelled = std::count_if(labels.begin(), labels.end(), [](auto l) { return l >= 0; });
  GAZE_CHECK(labelled > 0, "logits", "the labels have no token after the first of its row");
  const auto y = model.all_logprobs(rows.pointers(), labels).logp;

  std::vector<float> logp(static_cast<std::size_t>(rows.batch * (rows.length - 1)), 0.0f);
  const auto values = y.to_vector();
  auto from = values.begin();
  for (Index b = 0; b < rows.batch; ++b, ++from) {  // no token follows a row's last one
    const Index count = rows.tokens(b) - 1;
    std::copy_n(from, count,
                logp.begin() + b * (rows.length - 1) + rows.first[static_cast<std::size_t>(b)]);
    from += count;
  }
  out.add("logp", {rows.batch, rows.length - 1}, std::move(logp));

  using Values = std::decay_t<decltype(y)>;
  std::vector<float> weights;
  for (const std::int32_t label : labels)
    weights.push_back(label >= 0 ? -1 / static_cast<float>(labelled) : 0.0f);
  const auto loss = sum(mul(y, Values::from(y.shape(), std::move(weights))));
  out.add("loss", {}, {loss.item()});
  return loss;
}

/// Rules for a file with the parameters' own names.
template <class Model>
std::vector<models::hf::WeightRule> own_rules(Model& model) {
  std::vector<models::hf::WeightRule> out;
  for (const auto& p : model.parameters().all()) out.push_back({p.name, {{p.name, p.shape[0]}}});
  return out;
}

/// grad.NAME of every tensor of the checkpoint.
template <class Model>
void add_gradients(Model& model, const io::WeightFiles& files,
                   const std::vector<models::hf::WeightRule>& rules, NamedTensors& out) {
  for (const models::hf::WeightRule& rule : rules) {
    const auto* p = model.parameters().find(rule.parameter);
    if (!p->value.grad().defined()) continue;  // of a tower without a picture
    models::hf::each_part(rule, p->shape, p->value.grad().to_vector(),
                          [&](const models::hf::WeightPart& part, std::span<const float> values) {
                            out.add("grad." + models::hf::name_in(files, part),
                                    models::hf::part_shape(part, p->shape),
                                    {values.begin(), values.end()});
                          });
  }
}

/// Runs the rows and writes the file.
template <class Model>
void run_rows(Model& model, const io::WeightFiles& files,
              const std::vector<models::hf::WeightRule>& rules, const TokenRows& rows,
              const LogitsSettings& s) {
  if (s.gradients)
    s.adapter.empty() ? model.parameters().train_all() : model.parameters().train_only({lora_part});
  NamedTensors out;
  add_logits(model, rows, out);
  if (!rows.labels.empty()) {
    const auto loss = add_loss(model, rows, out);
    if (s.gradients) {
      backward(loss);
      add_gradients(model, files, rules, out);
    }
  }
  out.write(s.out);
}

inline void check_labels(const TokenRows& rows, const LogitsSettings& s) {
  GAZE_CHECK(!s.gradients || !rows.labels.empty(), "logits", s.inputs,
             ": gradients need a loss, and that needs labels");
}

/// Whether products are of bf16. Throws Error for an unknown precision.
inline bool in_bf16(const LogitsSettings& s, bool otherwise) {
  return s.precision.empty() ? otherwise : models::is_bf16(s.precision, s.model + ", ");
}

template <class Device>
void published_logits(const LogitsSettings& s, const io::SafetensorsFile& inputs) {
  models::hf::Checkpoint checkpoint = models::hf::open_checkpoint(s.model);
  if (!s.logits_scaling) models::hf::leave_out_logits_scaling(checkpoint);
  checkpoint.model.bf16 = in_bf16(s, false);
  TokenRows rows(inputs, checkpoint.model.vocabulary);
  rows.add_tiles(inputs, checkpoint);
  check_labels(rows, s);
  PublishedSettings published;
  published.adapter = s.adapter;
  published.merge_adapter = s.merge_adapter;
  const auto adapter = adapter_of(published, checkpoint);
  const bool trainable = s.gradients && !adapter;
  auto model = Model<Device>::for_file(checkpoint.model, checkpoint.image_token, trainable,
                                       trainable, adapter ? adapter->plan : LoraPlan());
  const io::WeightFiles files(s.model);
  models::hf::load_weights(files, checkpoint.weights, model.parameters());
  if (!adapter) return run_rows(model, files, checkpoint.weights, rows, s);
  fill_adapter(published, *adapter, model);
  const io::WeightFiles adapters(models::hf::adapter_weights_file(s.adapter));
  run_rows(model, adapters, adapter->rules, rows, s);
}

/// Of a model for text that Gaze wrote; it needs no tokeniser.
template <class Device>
void language_logits(models::LanguageConfig config, const std::string& weights,
                     const LogitsSettings& s, const io::SafetensorsFile& inputs) {
  config.bf16 = in_bf16(s, config.bf16);
  const TokenRows rows(inputs, config.vocabulary);
  check_labels(rows, s);
  auto model = models::LanguageModel<float, Device>::for_file(config, true);
  read_weights(weights, model.parameters());
  run_rows(model, io::WeightFiles(weights), own_rules(model), rows, s);
}

template <class Device>
void vlm_logits(const LogitsSettings& s, const io::SafetensorsFile& inputs) {
  ModelFiles files = read_model_files(s.model);
  models::VlmConfig& config = files.config;
  config.bf16 = in_bf16(s, config.bf16);
  const std::int32_t image = files.tokenizer.image();
  TokenRows rows(inputs, config.vocabulary);
  rows.add_pictures(inputs, {config.image_tokens(), config.vit.image, image});
  check_labels(rows, s);
  auto model = Model<Device>::for_file(config, image, s.gradients);
  read_weights(files.weights_file, model.parameters());
  run_rows(model, io::WeightFiles(files.weights_file), own_rules(model), rows, s);
}

}  // namespace detail

template <class Device>
void write_logits(const LogitsSettings& s) {
  GAZE_CHECK(!s.gradients || !s.merge_adapter, "logits", s.adapter,
             ": merged adapters have no gradients");
  const io::SafetensorsFile inputs(s.inputs);
  if (models::hf::is_published_checkpoint(s.model))
    return detail::published_logits<Device>(s, inputs);
  GAZE_CHECK(s.adapter.empty(), "logits", s.model, ": --adapter is for published checkpoints");
  GAZE_CHECK(s.logits_scaling, "logits", s.model,
             ": --no-logits-scaling is for published checkpoints");
  const std::string weights = weights_file_of(s.model);
  const auto saved = models::read_model_metadata(io::SafetensorsFile(weights));
  if (const auto* config = std::get_if<models::LanguageConfig>(&saved.config))
    return detail::language_logits<Device>(*config, weights, s, inputs);
  detail::vlm_logits<Device>(s, inputs);
}

}  // namespace gaze::phyx
