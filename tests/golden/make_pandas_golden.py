# SPDX-License-Identifier: MIT
"""Columns of a table, and the texts that str() gives for their cells after pandas.read_csv.

    python3 tests/golden/make_pandas_golden.py

writes tests/golden/pandas_golden.json, which tests/test_pandas.cpp expects of phyx/data/tsv.hpp bit for
bit: `decimals` are [cell, text] pairs, each read in a column below a first cell 0.5; `columns` are
[cells, texts] pairs, each a whole column. Made with pandas 2.3.3; pandas 1.5.3 makes the same file.
The word None is left out: it is missing for pandas 2 only.
"""

import io
import json
import pathlib
import random
import struct

import pandas

GOLDEN = pathlib.Path(__file__).parent / "pandas_golden.json"
COUNT = 2400  # random decimals
COLUMNS = 1500  # random columns

# Cells of every kind: whole numbers around the limits, decimals, words, blanks, and what only
# looks like a number.
MIXED = """0|7|-3|+4|007|-0|12345678901234567|9007199254740993|9223372036854775807|-9223372036854775808
9223372036854775808|-9223372036854775809|18446744073709551615|18446744073709551616|99999999999999999999
99999999999999999999.5|123456789012345678901234567890|-99999999999999999999|0.5|1.50|-2.25|.5|5.|+.5e1
1e5|1E5|6.626e-34|1.38e-23|1e-5|0.0001|1e15|1e16|1e22|1e23|1e400|-1e400|1e-400|-1e-700|1e308|1e309
inf|-inf|+inf|Inf|INFINITY|-Infinity|+infinity|infi|inf |NaN|nan|-nan|NAN|Nan|NA|N/A|n/a|null|NULL|Null
<NA>|#N/A|-1.#IND|NA | NA|true|True|TRUE|tRuE|false|False|FALSE|fAlse|true |yes|no|T|F|x|A|5 m|12 N
1_000|1,000|0x10|1e|1e+|e5|.|-|+|+-5|--5|- 5|+ 5|5-|1.5.|1 2|5 e5|5e 5|5d5|1e5.5|1e0000000000000000000001
1e4294967297|1e-4294967297|1e99999999999999999999|nan(1)|infinity |1'|'1'|\u0663|\uff11|7\u00a0|\u00a07|\u22125
\\frac12|2\\pi|$5$|5%|\u00bd""".replace("\n", "|").split("|")
MIXED += ["", " ", "  7  ", "\t7", "7\t", "\n7", "7\n", "\x0b7\x0c", "7\r", "\x1c7", " 0.5", "0.5 ", '"1"']


def digits(rng, count):
    return "".join(rng.choice("0123456789") for _ in range(count))


def decimal(rng):
    """A number in one of many spellings; some are beyond the range."""
    whole = digits(rng, rng.choice([0, 1, 1, 2, 3, 5, 8, 15, 16, 17, 18, 19, 20, 25, 30]))
    part = digits(rng, rng.choice([0, 0, 1, 2, 3, 5, 8, 14, 16, 17, 18, 25, 30]))
    if rng.random() < 0.15:
        whole = "0" * rng.randrange(1, 25) + whole
    if rng.random() < 0.15:
        part = "0" * rng.randrange(1, 25) + part
    text = rng.choice(["", "", "", "-", "+"]) + whole
    if part or rng.random() < 0.2:
        text += "." + part
    if rng.random() < 0.75:
        reach = rng.choice([3, 10, 40, 330, 330, 640])
        text += rng.choice("eE") + rng.choice(["", "+", "-", "-"]) + str(rng.randrange(reach + 1))
    if rng.random() < 0.03:
        text = rng.choice([" ", "  ", "\v"]) + text + rng.choice(["", " ", "\f"])
    return text


def from_bits(rng):
    """The shortest spelling of a double, or a long one."""
    (value,) = struct.unpack("<d", rng.randbytes(8))
    if value != value or value in (float("inf"), float("-inf")):
        return "1.7976931348623157e308"
    if rng.random() < 0.1:
        value = rng.randrange(1, 1 << 52) * 5e-324  # a denormal
    return repr(value) if rng.random() < 0.7 else "%.*e" % (rng.randrange(10, 30), value)


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


def texts_of(cells):
    table = "i\ta\n" + "".join(f"x\t{quoted(c)}\n" for c in cells)
    return [str(x) for x in pandas.read_csv(io.StringIO(table, newline=""), sep="\t")["a"]]


def main():
    rng = random.Random(1)
    decimals = [decimal(rng) for _ in range(COUNT)] + [from_bits(rng) for _ in range(COUNT // 3)]
    decimals += ["0." + "0" * 400 + "1e401", "0" * 400 + "1", "1" * 309, "1" * 325, "1" * 2000]
    decimals += ["0." + "3" * 2000, "1" * 400 + "e-400", "-0." + "0" * 3000, "7" + "0" * 300 + ".5e-290"]
    columns = [[c] for c in MIXED] + [[c, "0.5"] for c in MIXED] + [[c, "NA", "1"] for c in MIXED]
    for _ in range(COLUMNS):
        some = rng.sample(MIXED, rng.choice([2, 3, 8]))  # few kinds in a column
        columns.append([rng.choice(some) for _ in range(rng.randrange(2, 5))])
    golden = {
        "decimals": [[c, texts_of(["0.5", c])[1]] for c in decimals],
        "columns": [[c, texts_of(c)] for c in columns],
    }
    lines = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(one, separators=(",", ":")) for one in some) + "\n]"
        for name, some in golden.items()
    )
    GOLDEN.write_text("{" + lines + "}\n")


main()
