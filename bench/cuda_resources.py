#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes bench/cuda_resources.md: registers, shared memory and spills of every kernel of cuda/, as
ptxas reports them. Needs nvcc and c++filt, no GPU.

    python3 bench/cuda_resources.py [sm_80 sm_90 ...]
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = """# Kernel resources

Written by `python3 bench/cuda_resources.py`: registers per thread, bytes of static shared memory per
block, and bytes spilled to memory (stores + loads), as `nvcc -Xptxas -v` ({version}) reports them.
Dynamic shared memory is set at launch, in the sources.

"""


def reports(source, architecture):
    """Kernel -> (registers, shared, spilled) of one source file."""
    command = ["nvcc", "-std=c++20", "--expt-relaxed-constexpr", "-Werror",
               "all-warnings", "-Xptxas", "-v", "-Iinclude", "-I.",
               f"-arch={architecture}", "-cubin", "-o", "/dev/null", str(source.relative_to(ROOT))]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stderr
    kernels, name, spilled = {}, None, 0
    for line in text.splitlines():
        if match := re.search(r"Compiling entry function '(\w+)'", line):
            name, spilled = match[1], 0
        elif match := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spilled = int(match[1]) + int(match[2])
        elif name and (match := re.search(r"Used (\d+) registers", line)):
            shared = re.search(r"(\d+) bytes smem", line)
            kernels[name] = (int(match[1]), int(shared[1]) if shared else 0, spilled)
            name = None
    return kernels


def readable(names):
    """Demangled names such as gemm_kernel<float>, by mangled name."""
    text = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True,
                          text=True).stdout
    out = {}
    for mangled, line in zip(names, text.splitlines()):
        line = line.replace("gaze::cuda::", "").replace("gaze::", "").replace("void ", "", 1)
        depth = 0
        for at, letter in enumerate(line):  # cut at the arguments, outside <>
            depth += (letter == "<") - (letter == ">")
            if letter == "(" and depth == 0:
                line = line[:at]
                break
        out[mangled] = line
    return out


def main():
    architectures = sys.argv[1:] or ["sm_80", "sm_90"]
    version = subprocess.run(["nvcc", "--version"], check=True, capture_output=True, text=True)
    text = HEAD.format(version=re.search(r"V[\d.]+", version.stdout)[0])
    spills = 0
    for source in sorted((ROOT / "cuda").rglob("*.cu")):
        tables = [reports(source, a) for a in architectures]
        if not tables[0]:
            continue
        names = readable(list(tables[0]))
        text += f"## {source.relative_to(ROOT)}\n\n| kernel |"
        text += "".join(f" {a}: registers | shared | spilled |" for a in architectures)
        text += "\n| --- |" + " --- | --- | --- |" * len(architectures) + "\n"
        for mangled in sorted(names, key=names.get):
            cells = [t.get(mangled, ("-", "-", 0)) for t in tables]
            spills += sum(c[2] for c in cells)
            text += f"| `{names[mangled]}` |"
            text += "".join(f" {r} | {s} | {p} |" for r, s, p in cells) + "\n"
        text += "\n"
    text += f"Total bytes spilled: {spills}.\n"
    (ROOT / "bench" / "cuda_resources.md").write_text(text)


if __name__ == "__main__":
    main()
