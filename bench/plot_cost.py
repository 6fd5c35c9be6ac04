#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plots the cost of a GRPO step against its sizes.

    build/release/bench/bench_model --cost > bench/cost.json
    python3 bench/plot_cost.py bench/cost.json bench/cost.svg
"""
import json
import math
import sys

PANELS = [("group size", ["group size"]),
          ("prompt words", ["prompt words, 12 prompts of 8", "prompt words, 48 prompts of 2"]),
          ("completion tokens", ["completion tokens"]),
          ("parameters", ["parameters"])]
WIDTH, HEIGHT, LEFT, BOTTOM = 250, 240, 48, 40
COLOURS = ["#1f5fa8", "#c2541b"]


def short(value):
    if value >= 1e6:
        return f"{value / 1e6:.1f}M"
    return f"{value / 1e3:.0f}k" if value >= 1e4 else f"{value:g}"


def panel(title, curves, left):
    """One panel: x logarithmic, seconds from 0 up (logarithmic for the parameters)."""
    points = [p for curve in curves.values() for p in curve]
    x_low, x_high = min(x for x, _ in points), max(x for x, _ in points)
    top = max(y for _, y in points)
    logarithmic = title == "parameters"
    low = min(y for _, y in points) / 1.5 if logarithmic else 0

    def place(x, y):
        share = math.log(x / x_low) / math.log(x_high / x_low)
        height = math.log(y / low) / math.log(top / low) if logarithmic else y / top
        return (left + LEFT + share * (WIDTH - LEFT - 20),
                HEIGHT - BOTTOM - height * (HEIGHT - BOTTOM - 40))

    out = [f'<text x="{left + LEFT}" y="16" font-weight="bold">{title}</text>']
    axis_x, axis_y = left + LEFT - 6, HEIGHT - BOTTOM + 4
    out.append(f'<path d="M{axis_x} 30V{axis_y}H{left + WIDTH - 8}" stroke="#888" fill="none"/>')
    for x in sorted({x for x, _ in points}):
        at, _ = place(x, top)
        out.append(f'<text x="{at:.1f}" y="{axis_y + 14}" text-anchor="middle">{short(x)}</text>')
    for y in (top, top / 2) if not logarithmic else (top, min(y for _, y in points)):
        _, at = place(x_low, y)
        out.append(f'<text x="{axis_x - 4}" y="{at + 4:.1f}" text-anchor="end">{y:.2g} s</text>')
    for i, (name, curve) in enumerate(curves.items()):
        places = [place(x, y) for x, y in curve]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        out.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[i]}" '
                   'stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[i]}"/>'
                for x, y in places]
        if len(curves) > 1:
            out.append(f'<text x="{left + LEFT}" y="{axis_y + 30 + 13 * i}" fill="{COLOURS[i]}">'
                       f'{name.split(", ")[1]}</text>')
    return out


def main():
    with open(sys.argv[1]) as file:
        rows = json.load(file)
    width, height = WIDTH * len(PANELS), HEIGHT + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" font-size="11">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, (title, names) in enumerate(PANELS):
        curves = {n: [(r["x"], r["seconds"]) for r in rows if r["curve"] == n] for n in names}
        out += panel(title, curves, i * WIDTH)
    with open(sys.argv[2], "w") as file:
        file.write("\n".join(out + ["</svg>", ""]))


if __name__ == "__main__":
    main()
