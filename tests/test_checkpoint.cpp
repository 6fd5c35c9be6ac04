// SPDX-License-Identifier: MIT
// Weights in files: saved and loaded by name, whole or without a part.
#include "gaze/train/checkpoint.hpp"

#include "tests/folder.hpp"
#include "tests/texts.hpp"
#include "tests/toy_parameters.hpp"

namespace test_checkpoint {

namespace {

using namespace gaze;
using namespace gaze::test;

/// A folder for the files of one test.
struct Place : Folder {
  Place() : Folder("checkpoint") {}
};

}  // namespace

TEST_CASE("weights are saved and loaded by name, all or none") {
  const Place folder;
  const std::string path = folder.file("model.safetensors");
  Toy a, b;
  a.w->value.data()[3] = 42;
  save_weights(path, a.parameters, {{"model", "toy"}});
  load_weights(path, b.parameters);
  CHECK(a.weights() == b.weights());
  CHECK(io::SafetensorsFile(path).metadata().at("model") == "toy");

  Toy wide(21);
  const auto before = wide.weights();
  CHECK(error_of([&] { load_weights(path, wide.parameters); }) ==
        "[gaze::load] " + path + " tensor 'w': shape [3,20], expected [3,21]");
  CHECK(wide.weights() == before);

  save_weights(path, a.parameters, {}, {"second"});
  CHECK_FALSE(io::SafetensorsFile(path).contains("v"));
  CHECK(
      contains(error_of([&] { load_weights(path, b.parameters); }), "tensor 'v': not in the file"));

  Parameters<float> less;
  less.add("w", {3, 20}, Init::zeros(), "first");
  less.allocate(0);
  save_weights(path, a.parameters, {});
  CHECK(error_of([&] { load_weights(path, less); }) ==
        "[gaze::load] " + path + ": the model has no tensor named v");
}

TEST_CASE("weights are read straight to their places, rounded where bf16 is all that is held") {
  const Place folder;
  const std::string path = folder.file("model.safetensors");
  Toy a;
  a.w->value.data()[3] = 1.00390625f;  // halfway between two bf16, of which 1 is even
  save_weights(path, a.parameters, {});
  Toy b;
  read_weights(path, b.parameters);
  CHECK(b.weights() == a.weights());

  Parameters<float> frozen;
  auto& w = frozen.add("w", {3, 20}, Init::zeros(), "first");
  frozen.add("v", {7}, Init::zeros(), "second");
  frozen.multiply_in_bf16();
  CHECK(contains(error_of([&] { read_weights(path, frozen); }), "call allocate() first"));
  frozen.allocate_for_file(false);
  read_weights(path, frozen);
  CHECK_FALSE(w.value.defined());
  CHECK(static_cast<float>(w.rounded().data()[3]) == 1);
  CHECK(w.rounded().data()[4].bits == bf16(a.w->value.data()[4]).bits);

  Toy wide(21);
  const auto before = wide.weights();
  CHECK(error_of([&] { read_weights(path, wide.parameters); }) ==
        "[gaze::load] " + path + " tensor 'w': shape [3,20], expected [3,21]");
  CHECK(wide.weights() == before);
}

TEST_CASE("weights without a part are read by the model that wrote them") {
  const Place folder;
  const std::string path = folder.file("model.safetensors");
  Toy a, b;
  a.w->value.data()[3] = 42;
  a.v->value.data()[2] = 43;
  save_weights(path, a.parameters, {}, {"second"});
  const float before = b.v->value.data()[2];
  load_weights(path, b.parameters, {"second"});
  CHECK(b.w->value.data()[3] == 42);
  CHECK(b.v->value.data()[2] == before);
  // Also from a file that has the part; the other parts must be there.
  save_weights(path, a.parameters, {});
  load_weights(path, b.parameters, {"first"});
  CHECK(b.v->value.data()[2] == 43);
  save_weights(path, a.parameters, {}, {"first"});
  CHECK(contains(error_of([&] { load_weights(path, b.parameters, {"second"}); }),
                 "tensor 'w': not in the file"));
  for (const std::string& message :
       {error_of([&] { save_weights(path, a.parameters, {}, {"secnod"}); }),
        error_of([&] { load_weights(path, b.parameters, {"secnod"}); })})
    CHECK(contains(message, "the model has no part named secnod"));
}

}  // namespace test_checkpoint
