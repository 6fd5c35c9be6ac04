#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A reward in Python: a right letter or value, worth more after attention on the picture.

Reads one JSON object per line and answers one number or null per line (docs/rewards.md, "A reward
in any language"). Null: the reward is undefined, here for a completion without a trace.
"""
import json
import sys


def score(completion):
    if completion["attention"] is None:
        return None
    if not completion["ended"] or not completion["well_formed"]:
        return 0.0
    if completion["answer"].strip() != completion["problem"]["answer"].strip():
        return 0.0
    first = completion["attention"]["mass"].get("image", [])[:8]
    return 0.8 + 0.2 * sum(first) / max(1, len(first))


for line in sys.stdin:
    print(json.dumps(score(json.loads(line))), flush=True)  # without flush, Gaze would wait
