// SPDX-License-Identifier: MIT
// Fuzz target: an existing event file of TensorBoard, to which an event is added.
#include <cstddef>
#include <string_view>

#include "gaze/io/tensorboard.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_events {

void run(std::string_view input) {
  static const gaze::fuzz::Folder folder;
  const std::string path = folder.put("events", input);
  std::size_t before = 0;
  {
    gaze::io::EventFile file(path);
    before = file.size();
    file.add(1, 2, {{"loss", 0.5}});
  }
  gaze::fuzz::require(gaze::io::EventFile(path).size() == before + 1, "the new event is lost");
}

const gaze::fuzz::Target target("events", run);

}  // namespace fuzz_events
