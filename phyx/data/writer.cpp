// SPDX-License-Identifier: MIT
// Checking problems, and converting them to rows.
#include "phyx/data/writer.hpp"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gaze/io/base64.hpp"
#include "phyx/data/fields.hpp"
#include "phyx/data/pandas_columns.hpp"
#include "phyx/data/pictures.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/data/tsv.hpp"

namespace gaze::phyx {

namespace {

std::string solution_text(const Solution& s) {
  return nlohmann::ordered_json{{"look", s.look},
                                {"principle", s.principle},
                                {"steps", s.steps},
                                {"value", s.value},
                                {"unit", s.unit}}
      .dump();
}

std::string scene_text(const Scene& scene) {
  const auto list = [](const std::vector<Region>& regions) {
    auto out = nlohmann::ordered_json::array();
    for (const Region& r : regions)
      out.push_back({{"name", r.name}, {"box", {r.x0, r.y0, r.x1, r.y1}}});
    return out;
  };
  return nlohmann::ordered_json{{"caption", scene.caption},
                                {"slots", scene.slots},
                                {"regions", list(scene.regions)},
                                {"labels", list(scene.labels)}}
      .dump();
}

// Makes the `image` cells: base64, or the index of an earlier row with the same picture.
class PictureWriter {
 public:
  explicit PictureWriter(const std::vector<Problem>& problems) : problems_(problems) {}

  std::string cell(std::size_t row, const RecordPlace& place) {
    const std::vector<std::uint8_t>& image = problems_[row].image;
    if (image.empty()) return {};
    place.check(is_picture(image), "image", "not a PNG or JPEG");
    const std::string_view key(reinterpret_cast<const char*>(image.data()), image.size());
    const auto [first, fresh] = rows_.try_emplace(key, row);
    if (!fresh) return problems_[first->second].index;
    const std::string text = io::base64_encode(image);
    place.check(text.size() > longest_reference, "image", "too short to be a picture");
    return text;
  }

 private:
  const std::vector<Problem>& problems_;
  std::unordered_map<std::string_view, std::size_t> rows_;  // picture -> the first row with it
};

void check_writable(const Problem& problem, Form form, const RecordPlace& place) {
  place.check(problem.form == form, "form", "multiple choice and open-ended in one table");
  place.check(!is_missing(problem.index) && problem.index.size() <= longest_reference, "index",
              "not 1 to 64 bytes");
  place.check(!problem.question.empty(), "question", "empty");
  place.check(!problem.answer.empty(), "answer", "empty");
  parse_domain(problem.category, place);
  checked_reasoning(problem.reasoning, place);
  if (form == Form::oe) return;
  parse_letter(problem.answer, place);
  place.check(options_of_prompt(problem.question) == problem.options, "options",
              "differ from those in the question");
}

}  // namespace

void write_tsv(const std::filesystem::path& path, const std::vector<Problem>& problems) {
  const Form form = problems.empty() ? Form::oe : problems.front().form;
  TsvWriter writer(path, {"index", "question", "answer", "image", "category", "subfield",
                          "reasoning_type", "split", "template", "needs_image", "principle", "unit",
                          "solution", "scene", "layout_only"});
  const std::string name = path.string();
  PictureWriter pictures(problems);
  std::unordered_map<std::string_view, std::size_t> indices;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const Problem& p = problems[i];
    const RecordPlace place{"write_tsv", name, "row", i + 1};
    check_writable(p, form, place);
    place.check(indices.emplace(p.index, i).second, "index", "occurs twice");
    try {
      writer.write({p.index, p.question, p.answer, pictures.cell(i, place), p.category, p.subfield,
                    nlohmann::json(p.reasoning).dump(), p.split, p.template_id,
                    p.needs_image ? "true" : "false", p.solution.principle, p.solution.unit,
                    solution_text(p.solution), scene_text(p.scene),
                    p.layout_only ? "true" : "false"});
    } catch (const nlohmann::json::exception&) {
      place.fail("solution or scene", "not UTF-8");
    }
  }
  writer.finish();
}

}  // namespace gaze::phyx
