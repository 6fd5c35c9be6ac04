// SPDX-License-Identifier: MIT
// Fuzz targets: files of problems as a table (TSV), as PhyX's JSONL, and as one's own rows. The
// first byte of a table or a JSONL chooses options; the picture 1.png lies beside the file.
#include <string>
#include <string_view>

#include "gaze/core/utf8.hpp"
#include "gaze/image/png.hpp"
#include "phyx/data/reader.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_problems {

using namespace gaze::phyx;
using gaze::fuzz::require;

const gaze::fuzz::Folder& folder() {
  static const gaze::fuzz::Folder one;
  static const bool made = [] {
    const auto png = gaze::image::encode_png({1, 1, {1, 2, 3}});
    one.put("1.png", {reinterpret_cast<const char*>(png.data()), png.size()});
    return true;
  }();
  static_cast<void>(made);
  return one;
}

void read_all(const std::string& name, std::string_view input, const LoadOptions& options) {
  ProblemReader reader(folder().put(name, input), options);
  while (const auto p = reader.next()) {
    for (const std::string& text : {p->index, p->question, p->answer, p->category, p->response})
      require(gaze::is_utf8(text), "a text is not UTF-8");
    require(p->image.empty() || is_picture(p->image), "a picture is neither PNG nor JPEG");
    bare_prompt(p->question);
    options_of_prompt(p->question);
  }
}

LoadOptions options_of(std::string_view input) {
  const auto flags = input.empty() ? 0 : static_cast<unsigned char>(input[0]);
  LoadOptions out;
  out.form = flags & 1 ? Form::mc : Form::oe;
  out.pictures = (flags & 2) == 0;
  out.pandas_answers = flags & 4;
  out.keep_without_image = flags & 8;
  return out;
}

std::string_view rest_of(std::string_view input) { return input.substr(input.empty() ? 0 : 1); }

void table(std::string_view input) { read_all("a.tsv", rest_of(input), options_of(input)); }
void lines(std::string_view input) { read_all("a.jsonl", rest_of(input), options_of(input)); }
void own(std::string_view input) {
  LoadOptions options;
  options.own = options.pictures_optional = true;
  read_all("own.jsonl", input, options);
}

const gaze::fuzz::Target targets[] = {{"table", table}, {"jsonl", lines}, {"own_data", own}};

}  // namespace fuzz_problems
