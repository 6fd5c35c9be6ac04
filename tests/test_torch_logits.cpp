// SPDX-License-Identifier: MIT
// Model files and the PyTorch module of examples/pytorch, made from the same files: the logits that
// it wrote (tests/golden/make_torch_golden.py) are those that this program computes.
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gaze/io/safetensors.hpp"
#include "phyx/eval/logits.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"

namespace test_torch_logits {
namespace {

using namespace gaze;

std::vector<float> logits_in(const std::string& path) {
  const io::SafetensorsFile file(path);
  std::vector<float> out(file.info("logits").elements());
  file.read<float>("logits", file.info("logits").shape, std::span(out));
  return out;
}

/// |a - b| / |b|.
double relative(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double(a[i]) - double(b[i]), 2);
    size += std::pow(double(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

/// The logits that `gaze logits` writes for a golden model and the inputs in a file.
std::vector<float> own_logits(const std::string& name, const std::string& inputs,
                              const test::Folder& folder) {
  phyx::write_logits({.model = test::golden_path("torch/" + name),
                      .inputs = inputs,
                      .out = folder.file("logits"),
                      .precision = "",
                      .gradients = false});
  return logits_in(folder.file("logits"));
}

}  // namespace

TEST_CASE("model files have the logits of the PyTorch module that reads them") {
  const test::Folder folder("torch_logits");
  for (const char* name : {"vlm", "language"}) {
    INFO(name);
    const std::string golden =
        test::golden_path(std::string("torch/") + name) + "/golden.safetensors";
    CHECK(relative(own_logits(name, golden, folder), logits_in(golden)) < 1e-5);
  }
}

TEST_CASE("the golden logits of the PyTorch module depend on the pictures") {
  const test::Folder folder("torch_pictures");
  const std::string golden = test::golden_path("torch/vlm/golden.safetensors");
  const io::SafetensorsFile file(golden);
  auto pixels = file.read("pixels");
  for (auto& byte : pixels.data) byte ^= std::byte{0xff};
  io::write_safetensors(folder.file("inputs"),
                        std::vector<io::TensorEntry>{file.read("input_ids"), pixels});
  CHECK(relative(own_logits("vlm", folder.file("inputs"), folder), logits_in(golden)) > 0.01);
}

}  // namespace test_torch_logits
