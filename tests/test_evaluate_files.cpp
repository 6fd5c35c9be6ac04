// SPDX-License-Identifier: MIT
// A model on problem files: streamed, stopped anywhere and resumed to the same bits, written in the
// official layout.
#include "phyx/eval/files.hpp"

#include <set>
#include <sstream>

#include "gaze/core/utf8.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/train/checkpoint.hpp"
#include "phyx/eval/showcase.hpp"
#include "phyx/scoring/official.hpp"
#include "phyx/scoring/official_table.hpp"
#include "phyx/scoring/predictions.hpp"
#include "phyx/scoring/score.hpp"
#include "phyx/synth/files.hpp"
#include "phyx/train/vocabulary.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_evaluate_files {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
namespace fs = std::filesystem;

/// An untrained model, and tables of 14 problems in both forms.
struct World {
  Folder place{"evaluate_files"};
  fs::path folder = place.path;
  std::string mc = suite_file(at("data"), "val", Form::mc),
              oe = suite_file(at("data"), "val", Form::oe);

  World() {
    write_suite(at("data"), "val", 14, 3, 64);
    const auto problems = read_suite(at("data"), "val");
    const auto tokenizer = build_tokenizer(problems);
    fs::create_directories(folder / "model");
    tokenizer.save(at("model/tokenizer.json"));
    auto config = models::preset("nano");
    config.vocabulary = tokenizer.vocab_size();
    Model<Cpu> model(config, tokenizer.image(), 5);
    save_weights(at("model/model.safetensors"), model.parameters(),
                 {{"model", "nano"}, {"prompt", PromptTemplate().problem}});
  }
  std::string at(const std::string& name) const { return place.file(name); }

  EvalSettings settings(const std::string& out, std::vector<std::string> data) const {
    EvalSettings s;
    s.model = at("model");
    s.out = at(out);
    s.data = std::move(data);
    s.evaluation.samples = 2;
    s.evaluation.batch = 5;
    s.evaluation.sampling.max_tokens = 6;
    s.resume = true;
    return s;
  }
  std::string read(const std::string& name) const { return place.read(name); }
};

const World& world() {
  static const World w;
  return w;
}

const std::vector<std::string> written = {"eval.json",
                                          "predictions.jsonl",
                                          "outcomes.jsonl",
                                          "results.csv",
                                          "synth_val_MC_predictions.tsv",
                                          "synth_val_MC_predictions_acc.csv",
                                          "synth_val_OE_predictions.tsv",
                                          "synth_val_OE_predictions_acc.csv"};

void check_same(const std::string& a, const std::string& b) {
  for (const auto& name : written) {
    INFO(name);
    CHECK((world().read(a + "/" + name) == world().read(b + "/" + name)));
  }
}

/// The uninterrupted evaluation.
const std::string& whole() {
  static const std::string name = [] {
    FileEvaluation(world().settings("whole", {world().mc, world().oe}), {}).run();
    return std::string("whole");
  }();
  return name;
}

}  // namespace

TEST_CASE("eval writes the official layout, and scores it like gaze score") {
  const World& w = world();
  TsvReader data(w.mc), said(w.at(whole() + "/synth_val_MC_predictions.tsv"));
  auto columns = data.columns();
  columns.erase(std::find(columns.begin(), columns.end(), "image"));
  columns.push_back("prediction");
  CHECK(said.columns() == columns);
  TsvReader::Row given, out;
  std::istringstream log(w.read(whole() + "/predictions.jsonl"));
  std::string line;
  for (int i = 0; i < 14; ++i) {
    REQUIRE(data.next(given));
    REQUIRE(said.next(out));
    for (const auto& name : {"index", "question", "answer", "scene"})
      CHECK(out[said.column(name)] == given[data.column(name)]);
    REQUIRE(std::getline(log, line));
    CHECK(io::Json::parse(line).at("prediction") == out[said.column("prediction")]);
  }
  CHECK_FALSE(said.next(out));
  const auto set = read_predictions({w.at(whole() + "/synth_val_OE_predictions.tsv"), {}, {}});
  CHECK(set.predictions.size() == 14);
  std::vector<OfficialItem> items;
  for (const auto& row : score_rows(set.predictions, OfficialRules::latest))
    items.push_back({row.prediction.problem.category, row.official.match});
  CHECK(w.read(whole() + "/synth_val_OE_predictions_acc.csv") == official_csv(items));
  CHECK(read_outcomes(w.at(whole() + "/outcomes.jsonl")).outcomes.size() == 28);
  CHECK(read_results(w.at(whole() + "/results.csv")).size() > 100);
}

TEST_CASE("an evaluation stopped anywhere and resumed writes the files of an uninterrupted one") {
  const World& w = world();
  for (const Index batch : {3, 5}) {
    const std::string out = "stopped" + std::to_string(batch);
    EvalSettings s = w.settings(out, {w.mc, w.oe});
    s.evaluation.batch = batch;
    int stops = 0;
    Listener listener;
    std::size_t last = 0;
    listener.progress = [&](std::size_t done, std::size_t all, const std::string&) {
      CHECK(done > last);
      CHECK(all == 28);
      last = done;
    };
    listener.stop = [&] { return true; };
    for (bool done = false; !done;) {
      try {
        FileEvaluation(s, listener).run();
        done = true;
      } catch (const Interrupted& e) {
        CHECK(contains(e.what(), "--resume"));
        REQUIRE(++stops < 12);
        // As after a kill: a partial line, which is cut off and written again.
        if (stops % 2)
          std::ofstream(w.at(out + "/predictions.jsonl"), std::ios::app) << "{\"index\":\"4";
      }
    }
    CHECK(stops >= 28 / static_cast<int>(batch));
    check_same(whole(), out);
  }
}

TEST_CASE("an evaluation is resumed only on request and with the same settings") {
  const World& w = world();
  const std::string config = w.at(whole() + "/eval.json"), before = io::read_file(config);
  const auto error = [&](const auto& change) {
    EvalSettings s = w.settings(whole(), {w.mc, w.oe});
    change(s);
    return error_of([&] { FileEvaluation(s, {}).run(); });
  };
  CHECK(contains(error([](EvalSettings& s) { s.resume = false; }),
                 "folder already contains an evaluation"));
  CHECK(
      contains(error([](EvalSettings& s) { s.evaluation.samples = 3; }),
               config + ", evaluation.samples: the run to be resumed has 2, but 3 was requested"));
  CHECK(contains(error([](EvalSettings& s) { s.evaluation.sampling.temperature = 0.5; }),
                 ", evaluation.temperature: "));
  CHECK(contains(error([](EvalSettings& s) { std::swap(s.data[0], s.data[1]); }),
                 ", data[0].name: "));
  CHECK(contains(error([](EvalSettings& s) { s.data.pop_back(); }), ", data: "));
  fs::create_directories(w.folder / "changed");
  const std::string other = w.at("changed/synth_val_OE.tsv");
  std::string text = io::read_file(w.oe);
  text.replace(text.find("?"), 1, "!");
  io::write_file(other, text);
  CHECK(contains(error([&](EvalSettings& s) { s.data[1] = other; }), ", data[1].sha256: "));
  fs::copy(w.folder / "model", w.folder / "other_model");
  std::string weights = w.read("other_model/model.safetensors");
  weights.back() ^= 1;
  io::write_file(w.at("other_model/model.safetensors"), weights);
  CHECK(contains(error([&](EvalSettings& s) { s.model = w.at("other_model"); }), ", model: "));
  CHECK(io::read_file(config) == before);
  CHECK(error([](EvalSettings&) {}).empty());  // a finished one is only rewritten
  fs::create_directories(w.folder / "mine");
  io::write_file(w.at("mine/predictions.jsonl"), std::string_view("mine"));
  CHECK(contains(error([&](EvalSettings& s) { s.out = w.at("mine"); }), "already exists"));
  CHECK(w.read("mine/predictions.jsonl") == "mine");
}

TEST_CASE("an evaluation is resumed only if the pictures beside its table are unchanged") {
  const World& w = world();
  fs::create_directories(w.folder / "beside/images");
  const auto problems = load_tsv(w.oe).problems;
  const std::string picture = w.at("beside/images/7.png"), table = w.at("beside/x_OE_local.tsv");
  const auto put = [&](const std::vector<std::uint8_t>& bytes) {
    io::write_file(picture, std::span<const std::uint8_t>(bytes));
  };
  const std::string row = "\tWhat is F?\t2 N\timages/7.png\tMechanics\n";
  io::write_file(table, "index\tquestion\tanswer\timage_path\tcategory\n7" + row + "8" + row);
  const EvalSettings s = w.settings("beside_out", {table});
  const auto error = [&] { return error_of([&] { FileEvaluation(s, {}).run(); }); };
  CHECK(contains(error(), "x_OE_local.tsv row 1, image_path: cannot read"));
  CHECK_FALSE(fs::exists(w.at("beside_out")));  // before anything was answered
  put(problems[0].image);
  REQUIRE(error().empty());
  const std::string before = w.read("beside_out/predictions.jsonl");
  put(problems[1].image);
  CHECK(contains(error(), "beside_out/eval.json, data[0].pictures: "));
  CHECK(w.read("beside_out/predictions.jsonl") == before);
  put(problems[0].image);
  CHECK(error().empty());
  // Pictures in the table's own cells are part of its digest.
  CHECK_FALSE(contains(w.read(whole() + "/eval.json"), "pictures"));
}

TEST_CASE("eval refuses bad files before answering any problem") {
  const World& w = world();
  const auto error = [&](std::vector<std::string> data) {
    return error_of([&] { FileEvaluation(w.settings("never", std::move(data)), {}).run(); });
  };
  CHECK(contains(error({w.mc, w.mc}), "a second file of this name"));
  std::string text = io::read_file(w.oe);
  const std::size_t end = text.find('\n');
  const std::string header = text.substr(0, end + 1),
                    row = text.substr(end + 1, text.find('\n', end + 1) - end);
  io::write_file(w.at("twice_OE.tsv"), header + row + row);
  CHECK(contains(error({w.at("twice_OE.tsv")}), "row 2, index: "));
  io::write_file(w.at("none_OE.tsv"), header);
  CHECK(contains(error({w.at("none_OE.tsv")}), "no problems"));
  CHECK_FALSE(fs::exists(w.at("never")));
}

TEST_CASE("eval reads JSONL, captions instead of pictures, and pictures beside a table") {
  const World& w = world();
  fs::create_directories(w.folder / "mixed/images");
  const auto picture = load_tsv(w.oe).problems.front().image;
  io::write_file(w.at("mixed/images/7.png"), std::span<const std::uint8_t>(picture));
  const std::string record =
      "{\"index\":7,\"question\":\"What is F?\",\"question_simply\":\"A box.\",\"options\":"
      "\"A:\\\"1 N\\\",B:\\\"2 N\\\",C:\\\"3 N\\\",D:\\\"4 N\\\"\",\"answer\":\"B\",\"image\":"
      "\"images/7.png\",\"image_caption\":\"A red box.\",\"category\":\"Mechanics\",\"subfield\":"
      "\"Statics\",\"reasoning_type\":[\"Numerical Reasoning\"]}\n";
  io::write_file(w.at("mixed/test.jsonl"), record);
  io::write_file(w.at("mixed/x_OE_local.tsv"),
                 std::string_view("index\tquestion\tanswer\timage_path\tcategory\n"
                                  "7\tWhat is F?\t2 N\timages/7.png\tMechanics\n"));
  io::write_file(w.at("mixed/PhyX_TL_OE.tsv"),
                 std::string_view("index\tquestion\tanswer\tcategory\n"
                                  "8\tA red box. What is F?\t2 N\tMechanics\n"));
  EvalSettings s = w.settings("mixed_out", {w.at("mixed/test.jsonl")});
  s.reading.form = Form::oe;
  FileEvaluation(s, {}).run();
  TsvReader said(w.at("mixed_out/test_predictions.tsv"));
  TsvReader::Row row;
  REQUIRE(said.next(row));
  CHECK(row[said.column("answer")] == "2 N");
  CHECK(contains(row[said.column("question")], "A box. What is F? Please answer"));
  CHECK(row[said.column("reasoning_type")] == "[\"Numerical Reasoning\"]");
  CHECK(fs::exists(w.at("mixed_out/test_predictions_acc.csv")));

  s = w.settings("caption_out", {w.at("mixed/test.jsonl")});
  s.reading.form = Form::mc;
  s.reading.caption = true;
  FileEvaluation(s, {}).run();
  CHECK(contains(w.read("caption_out/test_predictions.tsv"), "A red box. A box. What is F?"));

  FileEvaluation(
      w.settings("local_out", {w.at("mixed/x_OE_local.tsv"), w.at("mixed/PhyX_TL_OE.tsv")}), {})
      .run();
  CHECK(read_outcomes(w.at("local_out/outcomes.jsonl")).outcomes.size() == 2);
  TsvReader local(w.at("local_out/x_OE_local_predictions.tsv"));
  CHECK(local.columns().size() == 6);
}

TEST_CASE("an evaluation locks its folder, and does not touch foreign files") {
  const World& w = world();
  const auto error = [&](const EvalSettings& s) {
    return error_of([&] { FileEvaluation(s, {}).run(); });
  };
  EvalSettings s = w.settings("taken", {w.oe});
  {
    const io::FolderLock lock(w.at("taken"));
    CHECK(error(s) == "[gaze::lock] " + w.at("taken") + ": process " + std::to_string(::getpid()) +
                          " is writing to this folder");
  }
  for (const char* name : {"results.csv", "outcomes.jsonl", "synth_val_OE_predictions.tsv",
                           "synth_val_OE_predictions_acc.csv", "predictions.jsonl"}) {
    io::write_file(w.at("taken/" + std::string(name)), std::string_view("mine"));
    CHECK(contains(error(s), w.at("taken/" + std::string(name)) + ": already exists"));
    CHECK(w.read("taken/" + std::string(name)) == "mine");
    fs::remove(w.at("taken/" + std::string(name)));
  }
  CHECK(fs::is_empty(w.at("taken")));
  // A log that is not of an evaluation, despite eval.json.
  s.data = {w.mc, w.oe};
  fs::copy(w.at(whole()), w.at("taken"));
  io::write_file(w.at("taken/predictions.jsonl"), std::string_view("my notes"));
  CHECK(contains(error(s), "predictions.jsonl line 1: not a line of this log"));
  CHECK(w.read("taken/predictions.jsonl") == "my notes");
}

TEST_CASE("the later of two evaluations in one new folder is refused") {
  const World& w = world();
  EvalSettings s = w.settings("raced", {w.oe});
  Listener slow;
  std::string error;
  slow.progress = [&](std::size_t, std::size_t, const std::string&) {
    if (error.empty()) error = error_of([&] { FileEvaluation(s, {}).run(); });
  };
  FileEvaluation(s, slow).run();
  CHECK(contains(error, w.at("raced") + ": process "));
  CHECK(contains(error, " is writing to this folder"));
  CHECK(read_outcomes(w.at("raced/outcomes.jsonl")).outcomes.size() == 14);
}

TEST_CASE("a picture's file name, made from data, stays in the picture folder") {
  const World& w = world();
  Example e = ExampleMaker(text::Tokenizer::load(w.at("model/tokenizer.json")),
                           models::preset("nano"))(read_suite(w.at("data"), "val").front());
  const std::string out = w.at("named");
  std::set<std::string> names;
  for (const auto& [split, index] : std::vector<std::pair<std::string, std::string>>{
           {"test_known", "12"},
           {"../../escaped", "x"},
           {"a", "../../b"},
           {"/tmp/x", "/etc/passwd"},
           {"test", "known_12"},
           {std::string(300, 's'), std::string(300, 'i')},
           {std::string("\0", 1), "\xFF\n"}}) {
    e.problem.split = split;
    e.problem.index = index;
    const std::string name = write_picture(out, e, models::preset("nano").vit.image);
    INFO(name);
    CHECK(name.rfind("images/", 0) == 0);
    CHECK(name.find('/', 7) == name.npos);
    CHECK(names.insert(name).second);
    CHECK(fs::is_regular_file(out + "/" + name));
    CHECK(is_utf8(name));
  }
  CHECK(names.contains("images/test_known_12.png"));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(out)) files += entry.is_regular_file();
  CHECK(files == names.size());
  CHECK_FALSE(fs::exists(w.at("escaped_x.png")));
}

TEST_CASE("an eval.json that is not an object is refused by name") {
  const World& w = world();
  const std::string folder = w.at("no_object");
  fs::create_directories(folder);
  io::write_file(folder + "/eval.json", std::string_view("[]"));
  CHECK(error_of([&] { FileEvaluation(w.settings("no_object", {w.oe}), {}).run(); }) ==
        "[gaze::read_json] " + folder + "/eval.json: not a JSON object");
}

TEST_CASE("data files whose names are not UTF-8 are recorded with the bytes escaped") {
  const World& w = world();
  const std::string data = w.at("odd_\xFF_OE.tsv");
  fs::copy_file(w.oe, data);
  FileEvaluation(w.settings("odd_\xFE_out", {data}), {}).run();
  const std::string out = "odd_\xFE_out/";
  CHECK(contains(w.read(out + "eval.json"), "odd_\\\\xff_OE.tsv"));
  CHECK(fs::exists(w.at(out + "odd_%FF_OE_predictions.tsv")));
  FileEvaluation(w.settings("odd_\xFE_out", {data}), {}).run();  // resumed: the same name
}

}  // namespace test_evaluate_files
