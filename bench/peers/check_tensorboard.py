#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The event files of a run against its metrics.jsonl, read by the tensorboard package.

For every event file below DIR: each metric of each line must be one point of the tag
"STAGE/METRIC", at the line's step, equal as a float32 (null is not a number), and there must be no
other point.

    pip install tensorboard
    ./run ablate --preset smoke --tensorboard --out out
    python3 bench/peers/check_tensorboard.py out
"""
import argparse
import json
import math
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

NOT_METRICS = ("condition", "seed", "stage", "step")


def as_float32(value):
    if value is None:
        return math.nan
    return struct.unpack("<f", struct.pack("<f", value))[0]


def points_of_log(path):
    """(tag, step) -> value, from metrics.jsonl."""
    points = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        record = json.loads(line)
        for name, value in record.items():
            if name in NOT_METRICS:
                continue
            key = f"{record['stage']}/{name}", record["step"]
            if key in points:
                sys.exit(f"{path} line {number}: {key[0]} twice at step {key[1]}")
            points[key] = as_float32(value)
    return points


def points_of_events(path):
    """(tag, step) -> value, as TensorBoard reads them; size 0 keeps every point."""
    events = EventAccumulator(str(path), size_guidance={SCALARS: 0})
    events.Reload()
    points = {}
    for tag in events.Tags()[SCALARS]:
        for scalar in events.Scalars(tag):
            if (tag, scalar.step) in points:
                sys.exit(f"{path}: {tag} twice at step {scalar.step}")
            points[tag, scalar.step] = scalar.value
    return points


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="output folder of a run")
    files = sorted(parser.parse_args().folder.rglob("events.out.tfevents.*"))
    if not files:
        sys.exit("no event files; run with --tensorboard")
    for path in files:
        log = points_of_log(path.parent / "metrics.jsonl")
        events = points_of_events(path)
        for key in sorted(log.keys() ^ events.keys()):
            where = "metrics.jsonl" if key in log else "the event file"
            sys.exit(f"{path}: {key[0]} at step {key[1]} is only in {where}")
        for key, value in log.items():
            if not same(value, events[key]):
                sys.exit(f"{path}: {key[0]} at step {key[1]} is {events[key]}, not {value}")
        print(f"{path}: {len(log)} points agree")


if __name__ == "__main__":
    main()
