// SPDX-License-Identifier: MIT
// Writing lines and pictures; show() on the CPU.
#include "phyx/eval/showcase.hpp"

#include <cstdint>
#include <span>

#include "gaze/cpu/kernels.hpp"
#include "gaze/image/png.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/folders.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/eval/showcase.inl"
#include "phyx/file_names.hpp"
#include "phyx/scoring/official.hpp"

namespace gaze::phyx {

io::OrderedJson shown_json(const Example& e, const phyx::Completion& c, const std::string& image) {
  io::OrderedJson j;
  const Problem& p = e.problem;
  j["index"] = p.index;
  j["form"] = p.form == Form::mc ? "MC" : "OE";
  j["split"] = p.split;
  j["template"] = p.template_id;
  if (!image.empty()) j["image"] = image;
  j["question"] = p.question;
  j["answer"] = p.answer;
  j["text"] = c.text;
  j["ended"] = c.ended;
  j["correct"] = grade_completion(p, c.text).correct;
  j["official"] = score_official(p.form, p.answer, c.text).match;
  j["attention_image"] = image_mass(c.attention);
  return j;
}

std::string dump_line(const io::OrderedJson& j) {
  return j.dump(-1, ' ', false, io::OrderedJson::error_handler_t::replace);
}

std::string write_picture(const std::string& folder, const Example& e, Index side) {
  if (!e.prompt.rgb || e.prompt.rgb->size() != static_cast<std::size_t>(3 * side * side)) return "";
  const std::string name =
      "images/" + safe_name(e.problem.split) + "_" + safe_name(e.problem.index, "_") + ".png";
  io::make_folders(folder + "/images");
  if (!io::exists(folder + "/" + name))
    io::write_file(folder + "/" + name,
                   std::span<const std::uint8_t>(image::encode_png(
                       e.prompt.rgb->data(), static_cast<int>(side), static_cast<int>(side))));
  return name;
}

template Shown show<Cpu>(const Model<Cpu>&, const ProblemCodec&, const Example&,
                         const SamplingSettings&);

}  // namespace gaze::phyx
