#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks for a machine with a GPU, in stages of at most ten minutes each:
#   bench/gpu_check.sh [build] [test] [sanitize] [bench] [ablate] [lora]   default: all, in this order
# Skips checks that passed for the same sources unless GAZE_AGAIN=1. Needs no network.
# GAZE_BUILD=DIR uses programs built elsewhere (for sm_90, say) and skips `build`; results go to
# GAZE_OUT, default build/gpu.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=${GAZE_BUILD:-$root/build/cuda}
out=${GAZE_OUT:-$root/build/gpu}
limit=${GAZE_LIMIT:-590}  # seconds per stage
mkdir -p "$out"
sources=$(cd "$root" && find cuda include/gaze models -type f -print0 | sort -z | xargs -0 cat | cksum | cut -d' ' -f1)

row() { printf '%-10s %-36s %-8s %6s s  %s\n' "$@"; }

# Runs one check and prints its row; a check that already passed only prints its row.
check() {  # check STAGE NAME COMMAND...
  local stage=$1 name=$2 begin=$SECONDS result=ok
  local log=$out/$1.$2.log done=$out/$1.$2.$sources.done
  shift 2
  if [[ -f $done && -z ${GAZE_AGAIN:-} ]]; then
    row "$stage" "$name" before - "$log"
    return 0
  fi
  local left=$((limit - (SECONDS - stage_begin)))
  if ((left < 5)); then
    row "$stage" "$name" later 0 "no time left; call again"
    failed=1
    return 1
  fi
  timeout "$left" "$@" >"$log" 2>&1 || result=FAILED
  if grep -q '^skipped: ' "$log"; then result=SKIPPED; fi
  [[ $result == ok ]] && touch "$done"
  row "$stage" "$name" "$result" $((SECONDS - begin)) "$log"
  [[ $result == ok ]] || failed=1
}

programs() { (cd "$build/tests" && ls gpu_cuda_* 2>/dev/null); }

stage_build() {
  [[ -n ${GAZE_BUILD:-} ]] && { row build - given 0 "$build"; return; }
  check build configure cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DGAZE_CUDA=ON \
    -DGAZE_BUILD_BENCH=ON
  local targets=(gaze gpu_tests)
  [[ -d $build/bench ]] && targets+=(bench_model_cuda)
  check build programs cmake --build "$build" -j "$(nproc)" --target "${targets[@]}"
}

stage_test() {
  local program
  for program in $(programs); do check test "$program" "$build/tests/$program"; done
  grep -hs '^rollout against update' "$out/test.gpu_cuda_model.log"
  check test plain_gemm env GAZE_CUDA_PLAIN=1 "$build/tests/gpu_cuda_kernels"
  check test invariant_model env GAZE_CUDA_INVARIANT=1 "$build/tests/gpu_cuda_model"
}

# Small sizes: only the kernel tests.
stage_sanitize() {
  local tool program cases
  for program in gpu_cuda_kernels gpu_cuda_fused_attention gpu_cuda_vectorised gpu_cuda_bf16 \
    gpu_cuda_invariant; do
    cases='*'
    [[ $program == gpu_cuda_invariant ]] && cases='*invariant product*'
    for tool in memcheck racecheck; do
      check sanitize "$tool.$program" compute-sanitizer --tool "$tool" --error-exitcode 9 \
        "$build/tests/$program" "$cases"
    done
  done
}

stage_bench() {
  check bench model "$build/bench/bench_model_cuda"
  check bench model_bf16 "$build/bench/bench_model_cuda" --bf16
  check bench model_invariant env GAZE_CUDA_INVARIANT=1 "$build/bench/bench_model_cuda" --bf16
  local what
  for what in model model_bf16 model_invariant; do
    grep -hsE '^model' "$out/bench.$what.log" | sed "s/^/$what  /"
  done
  if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    check bench peers python3 "$root/bench/peers/compare.py" --build "$build" --device cuda
    tail -n 20 "$out/bench.peers.log"
    check bench peers_bf16 python3 "$root/bench/peers/compare.py" --build "$build" --device cuda \
      --parts steps --precision bf16
    tail -n 10 "$out/bench.peers_bf16.log"
  else
    row bench peers none 0 "no PyTorch with CUDA here"
  fi
}

# Resumes an interrupted run.
stage_ablate() {
  local resume=()
  [[ -f $out/ablate/config.json ]] && resume=(--resume)
  check ablate quick "$build/gaze" ablate --preset quick --device cuda --out "$out/ablate" \
    "${resume[@]}"
}

# LoRA adapters of a tiny checkpoint that sees, by every reward; first ratios of 1 stand in the metrics.
stage_lora() {
  rm -rf "$out/lora"
  check lora study "$build/gaze" ablate --study checkpoint --preset smoke --device cuda --out "$out/lora" \
    --model "$root/tests/golden/hf/idefics3" --data "$root/examples/own_data/mine.jsonl" \
    --only start format accuracy attention hybrid random
  grep -hso '"first_ratio_m[a-z]*":[0-9.]*' "$out/lora/metrics.jsonl" | sort | uniq -c
}

failed=0
for stage in ${*:-build test sanitize bench ablate lora}; do
  declare -F "stage_$stage" >/dev/null || { echo "gpu_check: no stage named $stage" >&2; exit 2; }
  stage_begin=$SECONDS
  "stage_$stage"
done
exit $failed
