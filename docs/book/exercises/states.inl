// SPDX-License-Identifier: MIT
// The end of exercise_states.cpp: every exercise must be red as it is committed, and green solved.

int status_of(int (*run)()) {
  try {
    return run();
  } catch (const std::exception& e) {
    std::printf("%s\n", e.what());
    return 1;
  }
}

int main() {
  bool all = true;
  for (const Exercise& e : exercises) {
    std::printf("%s\n", e.name);
    const bool red = status_of(e.red) != 0, green = status_of(e.green) == 0;
    if (!red) std::printf("%s is green without a solution\n", e.name);
    if (!green) std::printf("the solution of %s is red\n", e.name);
    all = all && red && green;
  }
  return all ? 0 : 1;
}
