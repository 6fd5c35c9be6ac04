// SPDX-License-Identifier: MIT
// Programs that answer lines: batches, crashes, time limits, hostile output, and their end.
#include "phyx/rewards/external_program.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>

#include "gaze/core/error.hpp"
#include "tests/folder.hpp"
#include "tests/shell_program.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_external_program {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test;

using Answers = std::vector<std::optional<double>>;
using Lines = std::vector<std::string>;

// Answers each line by itself.
const char* const echo = "while IFS= read -r line; do printf '%s\\n' \"$line\"; done\n";

/// The message of the Error at one line for a program that runs `script` once.
std::string error_of_output(const std::string& script, std::size_t lines = 1) {
  const Folder folder("external_output");
  ExternalProgram program(shell_program(folder, script), {.seconds = 20, .restarts = 0});
  return error_of([&] { program.ask(Lines(lines, "x")); });
}

TEST_CASE("a program answers numbers and null, batch after batch") {
  const Folder folder("external_answers");
  ExternalProgram program(shell_program(folder, echo));
  CHECK(program.starts() == 0);
  CHECK(program.ask({}).empty());
  const Lines lines = {"0.5", " -3e2 ", "null", "1\t", "0.1"};
  CHECK(program.ask(lines) == Answers{0.5, -300, std::nullopt, 1, 0.1});
  CHECK(program.ask(Lines{"7"}) == Answers{7});
  CHECK(program.starts() == 1);
}

TEST_CASE("lines end with a carriage return or not") {
  const Folder folder("external_cr");
  ExternalProgram program(shell_program(folder, "while read -r l; do printf '0.25\\r\\n'; done"));
  CHECK(program.ask(Lines{"a", "b"}) == Answers{0.25, 0.25});
}

TEST_CASE("a batch far larger than both pipes does not block") {
  ExternalProgram program({"cat"});
  Lines lines;
  for (int i = 0; i < 100'000; ++i) lines.push_back(std::to_string(i) + ".25");
  const Answers answers = program.ask(lines);
  REQUIRE(answers.size() == lines.size());
  CHECK(answers.front() == 0.25);
  CHECK(answers.back() == 99'999.25);
}

TEST_CASE("arguments reach the program as they are, without a shell") {
  const Folder folder("external_arguments");
  const std::string script =
      folder.put("a.sh", "printf '%s\\n' \"$@\" >\"$0.said\"\n" + std::string(echo));
  ExternalProgram program({"/bin/sh", script, "$(touch x)", "a b", "", "*; exit"});
  CHECK(program.ask(Lines{"1"}) == Answers{1});
  CHECK(folder.read("a.sh.said") == "$(touch x)\na b\n\n*; exit\n");
}

TEST_CASE("a program that crashes is started again, and the batch repeated") {
  const Folder folder("external_crash");
  const std::string log = folder.file("log");
  ExternalProgram program(shell_program(folder, R"(
read -r a; echo "$a"
if [ ! -e "$1/crashed" ]; then touch "$1/crashed"; kill -SEGV $$; fi
while read -r a; do echo "$a"; done
)"),
                          {.seconds = 20, .log = log});
  CHECK(program.ask(Lines{"1", "2", "3"}) == Answers{1, 2, 3});
  CHECK(program.starts() == 2);
  const std::string said = folder.read("log");
  INFO(said);
  CHECK(contains(said, "answered 1 of 3 lines and then ended its output (signal 11"));
  CHECK(contains(said, "restart 1 of 3"));
  CHECK(program.ask(Lines{"4"}) == Answers{4});
  CHECK(program.starts() == 2);
}

TEST_CASE("a program that crashes between batches is started again") {
  const Folder folder("external_between");
  ExternalProgram program(shell_program(folder, "read -r a; echo \"$a\""), {.seconds = 20});
  CHECK(program.ask(Lines{"1"}) == Answers{1});
  CHECK(program.ask(Lines{"2"}) == Answers{2});
  CHECK(program.starts() == 2);
}

TEST_CASE("restarts are bounded, and the error says where standard error is") {
  const Folder folder("external_bounded");
  const std::string log = folder.file("log");
  ExternalProgram program(shell_program(folder, "echo why >&2; exit 3"),
                          {.seconds = 20, .restarts = 2, .log = log});
  const std::string error = error_of([&] { program.ask(Lines{"1"}); });
  INFO(error);
  CHECK(contains(error, "program.sh"));
  CHECK(contains(error, "answered 0 of 1 lines"));
  CHECK(contains(error, "exit status 3"));
  CHECK(contains(error, "attempt 3 of 3"));
  CHECK(contains(error, log));
  CHECK(program.starts() == 3);
  CHECK(occurrences(folder.read("log"), "why\n") == 3);
}

TEST_CASE("a batch has a time limit, after which the program is started again") {
  const Folder folder("external_time");
  ExternalProgram program(shell_program(folder, R"(
if [ ! -e "$1/slow" ]; then touch "$1/slow"; read -r a; echo 5; sleep 600; fi
while read -r a; do echo "$a"; done
)"),
                          {.seconds = 2});
  CHECK(program.ask(Lines{"1", "2"}) == Answers{1, 2});
  CHECK(program.starts() == 2);
}

TEST_CASE("a program that never reads or never answers exceeds the time limit") {
  const Folder folder("external_deaf");
  const ProgramSettings settings = {.seconds = 0.3, .restarts = 0};
  ExternalProgram deaf({"sleep", "600"}, settings);
  const std::string error = error_of([&] { deaf.ask(Lines(1, repeated("x", 1 << 20))); });
  CHECK(contains(error, "sleep 600: answered 0 of 1 lines within 0.3 s"));
  ExternalProgram closed(shell_program(folder, "head -c 1 >/dev/null; exec <&-; echo 1; sleep 600"),
                         {.seconds = 20, .restarts = 0});
  const std::string end = error_of([&] { closed.ask(Lines(1, repeated("x", 1 << 20))); });
  INFO(end);
  CHECK(contains(end, "answered 1 of 1 lines and then closed its input"));
}

TEST_CASE("standard error is appended to the log") {
  const Folder folder("external_log");
  const auto exec = shell_program(folder, "echo one >&2; read -r a; echo 1");
  for (int run = 0; run < 2; ++run) {
    ExternalProgram program(exec, {.log = folder.file("log")});
    CHECK(program.ask(Lines{"1"}) == Answers{1});
  }
  CHECK(folder.read("log") == "one\none\n");
  std::filesystem::create_symlink(folder.file("log"), folder.file("link"));
  ExternalProgram linked(exec, {.log = folder.file("link")});
  CHECK(contains(error_of([&] { linked.ask(Lines{"1"}); }), "is a link"));
}

TEST_CASE("output other than one finite number or null per line is an error") {
  for (const char* text : {"nan", "inf", "-inf", "1e999", "0x1p3", "1,5", "1 2", "none", "True", "",
                           "+1", "1.5 points", "\"1\"", "NULL"}) {
    const std::string error =
        error_of_output(std::string("read -r a; printf '%s\\n' '") + text + "'; sleep 60");
    INFO(error);
    CHECK(contains(error, "program.sh"));
    CHECK(contains(
        error, "output line 1: '" + std::string(text) + "' is neither a finite number nor null"));
  }
}

TEST_CASE("an error names the line, counted from the program's start") {
  const Folder folder("external_line");
  ExternalProgram program(shell_program(folder, echo), {.restarts = 0});
  program.ask(Lines{"1", "2"});
  const std::string error = error_of([&] { program.ask(Lines{"3", "bad", "4"}); });
  CHECK(contains(error, "output line 4: 'bad'"));
  CHECK(program.ask(Lines{"5"}) == Answers{5});  // a new process: nothing of the last batch is left
  CHECK(program.starts() == 2);
}

TEST_CASE("hostile text in an error is escaped and bounded") {
  const std::string error = error_of_output("read -r a; printf '\\033[2J%s\\n' 'x'; sleep 60");
  CHECK(contains(error, "'\\x1b[2Jx'"));
  const std::string zero = error_of_output("read -r a; printf '1\\0002\\n'; sleep 60");
  CHECK(contains(zero, "'1\\x002'"));
  for (const char* script : {"read -r a; head -c 2000 /dev/zero | tr '\\0' 1; echo; sleep 60",
                             "read -r a; exec tr '\\0' 1 </dev/zero"}) {
    const std::string error = error_of_output(script);
    CHECK(contains(error, "is longer than 1024 bytes"));
    CHECK(error.size() < 500);
  }
}

TEST_CASE("too many lines are an error, at once or before the next batch") {
  CHECK(contains(error_of_output("read -r a; printf '1\\n2\\n'; sleep 60"),
                 "output line 2: '2' is more than the 1 answers to 1 lines"));
  CHECK(contains(error_of_output("read -r a; printf '1\\n2'; sleep 60"), "'2' is more than"));
  CHECK(contains(error_of_output("read -r a; exec yes 1", 3), "'1' is more than the 3 answers to 3 lines"));
  const Folder folder("external_later");
  ExternalProgram program(
      shell_program(folder, "read -r a; echo 1; sleep 0.2; echo 2; touch \"$1/said\"; read -r a"),
      {.restarts = 0});
  CHECK(program.ask(Lines{"1"}) == Answers{1});
  while (!std::filesystem::exists(folder.file("said"))) ::usleep(5000);
  CHECK(contains(error_of([&] { program.ask(Lines{"1"}); }), "more lines than questions"));
}

TEST_CASE("too few lines are an error") {
  const std::string error = error_of_output("read -r a; echo 1", 2);
  CHECK(contains(error, "answered 1 of 2 lines and then ended its output (exit status 0)"));
}

TEST_CASE("a program that cannot be started, and settings out of range, are errors") {
  const auto error = [](std::vector<std::string> exec, ProgramSettings settings = {}) {
    return error_of([&] { ExternalProgram(exec, settings).ask(Lines{"1"}); });
  };
  const Folder folder("external_start");
  CHECK(contains(error({}), "exec is empty"));
  CHECK(contains(error({"no-such-program-of-gaze"}), "no-such-program-of-gaze: no such program"));
  CHECK(contains(error({folder.put("plain", "1")}), "plain: not an executable file"));
  CHECK(contains(error({folder.path.string()}), "not an executable file"));
  CHECK(contains(error({std::string("a\0b", 3)}), "NUL"));
  const std::string text = folder.put("text", "no program\n");
  std::filesystem::permissions(text, std::filesystem::perms::owner_all);
  CHECK(contains(error({text}), "cannot start: Exec format error"));  // sh does not take over
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(contains(error({"cat"}, {.seconds = 0}), "seconds must be above 0"));
  CHECK(contains(error({"cat"}, {.seconds = nan}), "seconds must be above 0"));
  CHECK(contains(error({"cat"}, {.end_seconds = -1}), "end_seconds must be above 0"));
  CHECK(contains(error({"cat"}, {.restarts = -1}), "restarts must be at least 0"));
  ExternalProgram program({"cat"});
  CHECK(contains(error_of([&] { program.ask(Lines{"1\n2"}); }), "line feed"));
}

TEST_CASE("the program ends by itself when its input is closed") {
  const Folder folder("external_end");
  {
    ExternalProgram program(
        shell_program(folder, std::string(echo) + "sleep 0.1; echo bye >\"$1/bye\""));
    program.ask(Lines{"1"});
  }
  CHECK(folder.read("bye") == "bye\n");
}

TEST_CASE("no process is left behind, whatever the program does") {
  const Folder folder("external_left");
  // Ignores the end of its input and SIGTERM; its child does so too.
  const std::string stubborn = R"(
trap '' TERM
sleep 600 & echo $! >>"$1/pids"; echo $$ >>"$1/pids"
read -r a; echo 1
while :; do sleep 0.1; done
)";
  {
    ExternalProgram program(shell_program(folder, stubborn), {.end_seconds = 0.1});
    program.ask(Lines{"1"});
    for (const pid_t pid : numbers_in(folder.file("pids"))) CHECK(runs(pid));
  }
  REQUIRE(numbers_in(folder.file("pids")).size() == 2);
  for (const pid_t pid : numbers_in(folder.file("pids"))) CHECK(ends(pid));

  SECTION("when the caller throws") {
    CHECK_THROWS_AS(
        [&] {
          ExternalProgram program(shell_program(folder, stubborn), {.end_seconds = 0.1});
          program.ask(Lines{"1"});
          GAZE_FAIL("caller", "throws");
        }(),
        Error);
  }
  SECTION("after a time-out and a restart") {
    ExternalProgram program(shell_program(folder, stubborn),
                            {.seconds = 1, .restarts = 1, .end_seconds = 0.1});
    CHECK(contains(error_of([&] { program.ask(Lines{"1", "2"}); }), "within 1 s"));
  }
  SECTION("when the process that started it is killed") {
    const pid_t parent = ::fork();
    if (parent == 0) {
      ExternalProgram program(shell_program(folder,
                                            "echo $$ >>\"$1/pids\"; read -r a; echo 1; "
                                            "while :; do sleep 0.1; done"));
      program.ask(Lines{"1"});
      ::kill(::getpid(), SIGKILL);
    }
    REQUIRE(parent > 0);
    ::waitpid(parent, nullptr, 0);
  }
  CHECK(numbers_in(folder.file("pids")).size() >= 3);
  for (const pid_t pid : numbers_in(folder.file("pids"))) CHECK(ends(pid));
}

TEST_CASE("a forked copy of this process does not end the program") {
  const Folder folder("external_forked");
  ExternalProgram program(shell_program(folder, echo));
  program.ask(Lines{"1"});
  const pid_t copy = ::fork();
  if (copy == 0) {
    program.~ExternalProgram();
    ::_exit(0);
  }
  ::waitpid(copy, nullptr, 0);
  CHECK(program.ask(Lines{"2"}) == Answers{2});
  CHECK(program.starts() == 1);
}

TEST_CASE("ignored and blocked signals are not inherited") {
  const Folder folder("external_signals");
  sigset_t term, before;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, &before);
  ExternalProgram program(shell_program(folder, "read -r a; kill -TERM $$; echo 1; read -r a"),
                          {.seconds = 20, .restarts = 0});
  const std::string error = error_of([&] { program.ask(Lines{"1"}); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(contains(error, "signal 15"));
}

}  // namespace
}  // namespace test_external_program
