// SPDX-License-Identifier: MIT
// Opening tables and JSONL, and loading whole files.
#include "phyx/data/reader.hpp"

#include <array>
#include <fstream>
#include <string>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/input_file.hpp"

namespace gaze::phyx {

void refuse_parquet(std::string_view head, const std::filesystem::path& path) {
  if (!head.starts_with("PAR1")) return;
  const bool onto_itself = path.extension() == ".tsv";
  const std::string from = path.filename().string();
  const std::string to = path.stem().string() + (onto_itself ? "_text.tsv" : ".tsv");
  GAZE_FAIL("read_problems", path.string(),
            ": is Parquet; in its folder, convert it with: python3 ",
            "-c \"import pandas; pandas.read_parquet('", from, "').to_csv('", to,
            "', sep='\\t', index=False)\" (needs pandas and pyarrow; PhyX's files with complete "
            "prompts are data_llms_eval/PhyX_*.parquet)");
}

ProblemReader::ProblemReader(const std::filesystem::path& path, const LoadOptions& options)
    : name_(path.string()) {
  std::array<char, 4> head{};
  io::open_regular_file(path, "read_problems")->read(head.data(), head.size());
  refuse_parquet({head.data(), head.size()}, path);
  if (options.own)
    own_.emplace(path, options);
  else if (path.extension() == ".jsonl")
    lines_.emplace(path, options);
  else
    table_.emplace(path, options);
}

std::size_t for_each_problem(const std::filesystem::path& path, const LoadOptions& options,
                             const std::function<void(Problem&&)>& use) {
  ProblemReader reader(path, options);
  while (auto problem = reader.next()) use(std::move(*problem));
  return reader.dropped();
}

LoadResult load_tsv(const std::filesystem::path& path, const LoadOptions& options) {
  LoadResult result;
  result.dropped = for_each_problem(
      path, options, [&](Problem&& problem) { result.problems.push_back(std::move(problem)); });
  return result;
}

}  // namespace gaze::phyx
