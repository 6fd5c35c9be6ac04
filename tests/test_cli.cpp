// SPDX-License-Identifier: MIT
// The program itself: what it prints and writes, and how it refuses bad input.
#include <array>
#include <fstream>
#include <random>
#include <set>

#include "gaze/image/decode.hpp"
#include "gaze/image/png.hpp"
#include "gaze/io/base64.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/safetensors.hpp"
#include "phyx/data/tsv.hpp"
#include "tests/finished_run.hpp"
#include "tests/program.hpp"

namespace test_cli {
namespace {

using namespace gaze;
using namespace gaze::test;

const std::string& picture() {
  static const std::string text = [] {
    image::Image white{48, 40, std::vector<std::uint8_t>(48 * 40 * 3, 255)};
    return io::base64_encode(image::encode_png(white));
  }();
  return text;
}

/// A PhyX table of two rows; the second has these cells.
std::string table(const std::string& name, const std::string& image, const std::string& domain,
                  const std::string& answer = "5 N") {
  std::string text = "index\tquestion\tanswer\timage\tcategory\tsubfield\treasoning_type\n";
  text += "0\tWhat is F?\t2 N\t" + picture() + "\tMechanics\t\t\n";
  text += "1\tWhat is F?\t" + answer + "\t" + image + "\t" + domain + "\t\t\n";
  io::write_file(at(name), text);
  return at(name);
}

/// A PNG signature and a header that declares side x side pixels, without data for them.
std::string bomb(std::uint32_t side) {
  std::vector<std::uint8_t> bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
                                     0,    0,   0,   13,  'I',  'H',  'D',  'R'};
  for (int twice = 0; twice < 2; ++twice)
    for (const int shift : {24, 16, 8, 0})
      bytes.push_back(static_cast<std::uint8_t>(side >> shift));
  for (const std::uint8_t b : {8, 2, 0, 0, 0, 1, 2, 3, 4}) bytes.push_back(b);
  bytes.resize(200);
  return io::base64_encode(bytes);
}

Words eval_of(const std::string& data, const std::string& model = unbroken().model()) {
  return {"eval", "--model", model, "--data", data, "--out", at("refused"), "--max-tokens", "8"};
}

}  // namespace

TEST_CASE("gaze prints help for every command") {
  if (!have_program()) return;
  const Done help = gaze_run({"--help"});
  CHECK(help.code == 0);
  CHECK(help.err.empty());
  for (const std::string command :
       {"synth", "sft", "grpo", "eval", "score", "ablate", "report", "ask", "info"}) {
    INFO(command);
    CHECK(contains(help.out, command));
    const Done one = gaze_run({command, "--help"});
    CHECK(one.code == 0);
    CHECK(one.err.empty());
    if (command != "info") CHECK(contains(one.out, "--out") == (command != "ask"));
  }
  CHECK(contains(gaze_run({"--version"}).out, "gaze "));
  const Done info = gaze_run({"info"});
  CHECK(info.code == 0);
  for (const char* part : {"compiler", "instructions", "threads", "devices", "tiny", "dapo",
                           "accuracy", "attention", "hybrid", "templates", "mirror_walk",
                           "layout alone: charge_force magnetic_force electron_magnetic\n"})
    CHECK(contains(info.out, part));
}

TEST_CASE("help of the GRPO commands names every variant and setting") {
  if (!have_program()) return;
  for (const std::string command : {"ablate", "grpo"}) {
    const Done help = gaze_run({command, "--help"});
    for (const char* part : {"--set", "gspo_token", "vespo", "aggregation=token_mean",
                             "sequence_mean token_mean fixed_length", "adaptive.target=0.2",
                             "reference_sync.every=0", "off_policy_limit=inf"})
      CHECK(contains(help.out, part));
  }
}

TEST_CASE("bad options are reported in one line that names them") {
  if (!have_program()) return;
  const std::string out = at("never");
  const auto ablate = [&](const Words& more) {
    Words words = {"ablate", "--preset", "smoke", "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  refused({}, {"subcommand"});
  refused({"fly"}, {"fly"});
  refused({"info", "more"}, {"more"});
  refused(ablate({"--unknown"}), {"--unknown"}, out);
  refused({"ablate", "--preset", "huge", "--out", out}, {"no preset named huge", "smoke"}, out);
  refused(ablate({"--study", at("none.toml")}), {"none.toml"}, out);
  refused(ablate({"--model", "huge"}), {"huge", "tiny"}, out);
  refused(ablate({"--variant", "ppo"}), {"ppo", "dapo"}, out);
  refused(ablate({"--set", "kl"}), {"'kl' is not NAME=VALUE"}, out);
  refused(ablate({"--set", "ratio=word"}), {"ratio: no choice 'word'", "sequence_token"}, out);
  refused(ablate({"--set", "top_p=2"}), {"top_p must be in (0, 1], got 2"}, out);
  const Done unknown = gaze_run(ablate({"--set", "kl=0.1", "--set", "beta=1"}));
  CHECK(unknown.code == 2);
  CHECK(contains(unknown.err, "no setting named 'beta'; there are prompts, group, "));
  CHECK(std::count(unknown.err.begin(), unknown.err.end(), '\n') == 1);
  CHECK_FALSE(fs::exists(out));
  refused(ablate({"--only", "magic"}), {"magic", "accuracy"}, out);
  refused(ablate({"--corruption", "1.5"}), {"--corruption", "1.5"}, out);
  refused(ablate({"--corruption", "nan"}), {"corruption"}, out);
  refused(ablate({"--precision", "fp8"}), {"--precision", "fp8"}, out);
  refused(ablate({"--steps", "0"}), {"--steps", "Value 0 not in range 1"}, out);
  refused(ablate({"--steps", "2.5"}), {"--steps", "2.5"}, out);
  refused(ablate({"--steps", "many"}), {"--steps", "many"}, out);
  refused(ablate({"--steps", "99999999999999999999"}), {"--steps"}, out);
  refused(ablate({"--group", "1"}), {"--group", "1"}, out);
  refused(ablate({"--seed", "-1"}), {"--seed", "-1"}, out);
  for (const char* option : {"--rate", "--kl", "--clip-low", "--clip-high", "--temperature"})
    for (const char* value : {"nan", "inf", "-1", "x"})
      refused(ablate({option, value}), {option, value}, out);
  refused({"sft", "--preset", "smoke"}, {"--out"});
  refused({"grpo", "--reward", "money", "--out", out}, {"--reward", "money"}, out);
  refused({"synth", "--out", out, "--scenes", "0"}, {"--scenes"}, out);
  refused({"synth", "--out", out, "--image-size", "1000000"}, {"--image-size"}, out);
  refused({"eval", "--model", at("none"), "--data", at("none"), "--out", out}, {"--data"}, out);
  io::write_file(at("said_MC.tsv"), std::string_view("answer\tprediction\nA\tA\n"));
  const auto score = [&](const Words& more) {
    Words words = {"score", "--predictions", at("said_MC.tsv")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  refused(score({"--rules", "2024"}), {"--rules", "2025-05"});
  refused(score({"--judge", "localhost"}), {"does not start with http"});
  refused(score({"--judge", "http://localhost"}), {"--judge-model"});
  refused(score({"--judge", "http://localhost", "--judge-model", "m"}), {"--judge-prompts"});
  refused(score({"--judge-model", "m"}), {"--judge"});
  refused({"report", at("none")}, {at("none")});
  fs::create_directories(at("empty"));
  refused({"report", at("empty")}, {at("empty"), "results.csv"}, at("empty/report.html"));
}

TEST_CASE("synth writes tables and refuses to overwrite them") {
  if (!have_program()) return;
  const Words words = {"synth",   "--out", at("suite"), "--scenes", "3",
                       "--split", "val",   "--seed",    "4"};
  const Done d = gaze_run(words);
  CHECK(d.code == 0);
  CHECK(d.out == at("suite/synth_val_MC.tsv") + "\n" + at("suite/synth_val_OE.tsv") + "\n");
  const std::string before = io::read_file(at("suite/synth_val_MC.tsv"));
  CHECK(before.rfind("index\t", 0) == 0);
  refused(words, {at("suite/synth_val_MC.tsv")});
  CHECK(io::read_file(at("suite/synth_val_MC.tsv")) == before);
}

TEST_CASE("synth takes text cues and templates") {
  if (!have_program()) return;
  const Words start = {"synth", "--out", at("cues"), "--scenes", "4", "--split", "train"};
  const auto with = [&](const Words& more) {
    Words words = start;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::string file = at("cues/synth_train_OE.tsv");
  refused(with({"--cue", "1.5"}), {"--cue", "a share in [0, 1]"}, file);
  refused(with({"--templates", "heat"}), {"templates: no template is called heat"}, file);
  refused({"synth", "--out", at("cues"), "--templates", "heat_flow"}, {"--templates needs --split"},
          file);
  CHECK(gaze_run(with({"--cue", "0.9", "--templates", "heat_flow,force_direction"})).code == 0);
  const std::string text = io::read_file(file);
  for (const char* part : {"usually", "heat_flow", "force_direction"}) CHECK(contains(text, part));
  CHECK_FALSE(contains(text, "lever_balance"));
}

TEST_CASE("bad problem files are reported in one line with file, row and field", "[slow]") {
  if (!have_program()) return;
  const std::string out = at("refused");
  const std::string good = table("good_OE.tsv", picture(), "Optics");
  std::string broken = picture();
  broken[20] = '*';
  const auto bad = [&](const std::string& path, const Words& parts) {
    Words all = parts;
    all.push_back(path);
    refused(eval_of(path), all, out);
  };
  bad(table("base64_OE.tsv", broken, "Optics"), {"row 2, image: not base64 at character 20"});
  bad(table("text_OE.tsv", io::base64_encode(std::vector<std::uint8_t>(90, 'a')), "Optics"),
      {"row 2, image: ", "not a PNG or JPEG"});
  bad(table("bomb_OE.tsv", bomb(18000), "Optics"),
      {"row 2, image: ", "declares 18000x18000 pixels"});
  bad(table("bombs_OE.tsv", bomb(2000000000), "Optics"), {"row 2, image: "});
  bad(table("cut_OE.tsv", picture().substr(0, picture().size() / 8 * 4), "Optics"),
      {"row 2, image: ", "damaged"});
  bad(table("domain_OE.tsv", picture(), "Alchemy"), {"row 2, category: unknown domain", "Alchemy"});
  bad(table("letter_MC.tsv", picture(), "Optics"), {"row 1, answer: not a letter"});

  const std::string text = io::read_file(good);
  io::write_file(at("truncated_OE.tsv"), std::string_view(text).substr(0, text.size() - 20));
  bad(at("truncated_OE.tsv"), {"row 2"});
  io::write_file(at("quote_OE.tsv"), text + "2\t\"What");
  bad(at("quote_OE.tsv"), {"row 3"});
  io::write_file(at("header_OE.tsv"), std::string_view("index\tquestion\n"));
  bad(at("header_OE.tsv"), {"header: no column"});
  io::write_file(at("nothing_OE.tsv"), std::string_view(""));
  bad(at("nothing_OE.tsv"), {"no header"});
  fs::copy_file(good, at("neither.tsv"));
  bad(at("neither.tsv"), {"neither _MC nor _OE"});
}

TEST_CASE("a run prints its device, and refuses a missing one") {
  if (!have_program()) return;
  refused({"ask", "--model", "nowhere", "--device", "tpu", "why?"}, {"--device", "tpu"});
  const std::string info = gaze_run({"info"}).out;
  const auto reason = info.find("no cuda: ");
  const Done chosen = gaze_run({"ask", "--model", "nowhere", "--device", "auto", "why?"});
  CHECK(chosen.code == 2);  // the model does not exist
  CHECK(contains(chosen.err, reason == std::string::npos ? "device: cuda\n" : "device: cpu, "));
  if (reason == std::string::npos) return;
  const std::string why = info.substr(reason + 9, info.find(')', reason) - reason - 9);
  CHECK(contains(chosen.err, why));
  for (const Words& words :
       {Words{"ask", "--model", "nowhere", "why?"}, Words{"ablate", "--out", at("no_device")}}) {
    Words asked = words;
    asked.insert(asked.begin() + 1, {"--device", "cuda"});
    refused(asked, {"[gaze::device] cuda: " + why}, at("no_device"));
  }
}

TEST_CASE("bad checkpoints are reported in one line with file and tensor", "[slow]") {
  if (!have_program()) return;
  const std::string data = table("good2_OE.tsv", picture(), "Optics");
  const std::string folder = at("checkpoints");
  fs::create_directories(folder);
  fs::copy_file(unbroken().out + "/tokenizer.json", folder + "/tokenizer.json");
  const std::string path = folder + "/model.safetensors";
  const std::string whole = io::read_file(unbroken().model() + "/model.safetensors");
  for (const std::size_t keep : {std::size_t{4}, std::size_t{300}, whole.size() - 1}) {
    io::write_file(path, std::string_view(whole).substr(0, keep));
    refused(eval_of(data, folder), {path}, at("refused"));
    refused({"ask", "--model", folder, "why?"}, {path});
  }
  std::vector<io::TensorEntry> tensors;
  io::Metadata metadata;
  {
    const io::SafetensorsFile file(unbroken().model() + "/model.safetensors");
    metadata = file.metadata();
    for (const auto& [name, info] : file.tensors()) tensors.push_back(file.read(name));
  }
  auto wrong = tensors;
  const std::string name = wrong.front().name;
  wrong.front().shape.insert(wrong.front().shape.begin(), 1);
  io::write_safetensors(path, wrong, metadata);
  refused(eval_of(data, folder), {path + " tensor '" + name + "': shape "}, at("refused"));
  wrong = tensors;
  wrong.erase(wrong.begin());
  io::write_safetensors(path, wrong, metadata);
  refused(eval_of(data, folder), {path + " tensor '" + name + "': not in the file"});
  io::Metadata other = {{"model", "giant"}, {"prompt", "{image}{question}"}};
  io::write_safetensors(path, tensors, other);
  refused(eval_of(data, folder), {path + ", metadata model", "giant"});
  other.erase("model");
  io::write_safetensors(path, tensors, other);
  refused(eval_of(data, folder), {path, "metadata has neither gaze.model nor model"});
  for (const auto& [from, to, part] :
       {std::array{"\"float32\"", "\"fp8\"", "precision: must be float32 or bf16, got fp8"},
        std::array{"\"kv_heads\":1", "\"kv_heads\":3", "decoder.kv_heads: 3 does not divide"},
        std::array{"\"tied\":true", "\"tied\":false", "tensor 'decoder.head': not in the file"},
        std::array{"\"vocabulary\":", "\"vocabulary\":1", "tokens, but "}}) {
    other = metadata;
    std::string& text = other.at("gaze.model");
    text.replace(text.find(from), std::string_view(from).size(), to);
    io::write_safetensors(path, tensors, other);
    refused(eval_of(data, folder), {path, part});
  }
  io::write_safetensors(path, tensors, metadata);
  CHECK(gaze_run({"ask", "--model", folder, "--max-tokens", "4", "why?"}).code == 0);
  io::write_file(folder + "/tokenizer.json", std::string_view("{\"model\":"));
  refused(eval_of(data, folder), {folder + "/tokenizer.json"});
  refused(eval_of(data, at("nowhere")), {at("nowhere")}, at("refused"));
}

TEST_CASE("an output folder that contains a run is not changed", "[slow]") {
  if (!have_program()) return;
  const std::string config = io::read_file(unbroken().out + "/config.json");
  refused(training(unbroken().out), {unbroken().out + "/config.json", "--resume"});
  refused(training(unbroken().out, {"--resume", "--corruption", "0.1"}),
          {unbroken().out + "/config.json, warm_start.corruption.share"});
  CHECK(io::read_file(unbroken().out + "/config.json") == config);
}

TEST_CASE("a model trained with bf16 products records it, and answers with them", "[slow]") {
  if (!have_program()) return;
  const std::string out = at("rounded"), model = out + "/arms/sft/seed0";
  const Words words = {"sft", "--preset", "smoke", "--precision", "bf16", "--out", out};
  const Done d = gaze_run(words);
  INFO(d.err);
  REQUIRE(d.code == 0);
  CHECK(contains(io::read_file(out + "/config.json"), "\"precision\": \"bf16\""));
  const io::SafetensorsFile file(model + "/model.safetensors");
  CHECK(contains(file.metadata().at("gaze.model"), "\"precision\":\"bf16\""));
  CHECK(gaze_run({"ask", "--model", model, "--max-tokens", "4", "why?"}).code == 0);
  Words as_float32 = words;
  as_float32[4] = "float32";
  as_float32.push_back("--resume");
  refused(as_float32, {out + "/config.json, precision"});
}

TEST_CASE("eval, score, ask and report work on a finished run", "[slow]") {
  if (!have_program()) return;
  const std::string model = unbroken().model(), data = unbroken().data(), out = at("eval");
  const Words words = {"eval", "--model", model, "--data",       data, "--samples",
                       "2",    "--out",   out,   "--max-tokens", "8"};
  const Done eval = gaze_run(words);
  INFO(eval.err);
  REQUIRE(eval.code == 0);
  CHECK(contains(eval.out, "accuracy"));
  std::istringstream printed(eval.out);
  std::set<std::string> lines;
  for (std::string line; std::getline(printed, line);) {
    INFO(line);
    CHECK(lines.insert(line.substr(0, 33)).second);  // form and metric: each once
  }
  for (const char* file :
       {"predictions.jsonl", "outcomes.jsonl", "results.csv", "synth_test_new_OE_predictions.tsv",
        "synth_test_new_OE_predictions_acc.csv"})
    CHECK(fs::exists(out + "/" + file));

  const Done score =
      gaze_run({"score", "--predictions", out + "/predictions.jsonl", "--data", data});
  CHECK(score.code == 0);
  CHECK(contains(score.out, "overall"));
  CHECK(contains(score.out, "28"));
  io::write_file(at("bad.jsonl"),
                 std::string_view("{\"index\":\"0\",\"prediction\":\"A\"}\n\n{\n"));
  refused({"score", "--predictions", at("bad.jsonl"), "--data", data}, {"bad.jsonl line 3"});
  io::write_file(at("bad.jsonl"), std::string_view("{\"index\":\"x\",\"prediction\":\"A\"}\n"));
  refused({"score", "--predictions", at("bad.jsonl"), "--data", data},
          {"bad.jsonl line 1, index: no problem x"});
  io::write_file(at("bad.jsonl"),
                 std::string_view("{\"index\":\"0\",\"prediction\":\"A\",\"form\":7}\n"));
  refused({"score", "--predictions", at("bad.jsonl"), "--data", data}, {"bad.jsonl line 1, form"});

  const std::string png = at("picture.png"), overlay = at("overlay.png");
  image::Image white{30, 50, std::vector<std::uint8_t>(30 * 50 * 3, 255)};
  io::write_file(png, std::span<const std::uint8_t>(image::encode_png(white)));
  const Words ask = {"ask",       "--model", model,          "--image", png,
                     "--overlay", overlay,   "--max-tokens", "8",       "what is <|image|> ?"};
  const Done asked = gaze_run(ask);
  CHECK(asked.code == 0);
  CHECK(asked.out == gaze_run(ask).out);  // greedy: the same answer again
  const auto drawn = image::decode_image(io::read_file(overlay), overlay);
  CHECK(drawn.width == 512);
  CHECK(drawn.height == 512);
  refused({"ask", "--model", model, "--overlay", at("o.png"), "why?"}, {"overlay"}, at("o.png"));
  io::write_file(at("text.png"), std::string_view("this is no picture at all"));
  refused({"ask", "--model", model, "--image", at("text.png"), "why?"},
          {at("text.png"), "not a PNG or JPEG"});
  refused({"ask", "--model", model, ""}, {"question"});

  fs::remove(at("report.html"));
  const Done report = gaze_run({"report", unbroken().out, "--out", at("merged")});
  CHECK(report.code == 0);
  CHECK(io::read_file(at("merged/report.html")).size() > 10000);
}

TEST_CASE("eval of a large table needs a fraction of its size in memory", "[slow]") {
  if (!have_program()) return;
  const std::string data = at("large_OE.tsv");
  image::Image noise{1000, 900, std::vector<std::uint8_t>(1000 * 900 * 3)};
  std::mt19937 random(1);
  for (auto& value : noise.rgb) value = static_cast<std::uint8_t>(random());
  const std::string picture = io::base64_encode(image::encode_png(noise));
  constexpr int rows = 90;
  {
    std::ofstream table(data, std::ios::binary);
    table << "index\tquestion\tanswer\timage\tcategory\n";
    for (int i = 0; i < rows; ++i)
      table << i << "\tWhat is F?\t5 N\t" << (i % 9 == 5 ? std::to_string(i - 1) : picture)
            << "\tOptics\n";
    table.close();
    REQUIRE(table);
  }
  REQUIRE(fs::file_size(data) > std::uintmax_t{1} << 28);
  const Done d = gaze_run({"eval", "--model", unbroken().model(), "--data", data, "--out",
                           at("large"), "--samples", "0", "--max-tokens", "4", "--batch", "4"});
  INFO(d.err);
  REQUIRE(d.code == 0);
  INFO("peak memory " << d.peak << " kB");
  CHECK(d.peak < 200000);
  phyx::TsvReader said(at("large/large_OE_predictions.tsv"));
  phyx::TsvReader::Row row;
  int count = 0;
  while (said.next(row)) ++count;
  CHECK(count == rows);
  fs::remove(data);
}

}  // namespace test_cli
