"""Derive the facts that the network tests check, from operator traces of public definitions.

Usage: python derive.py TRACES

TRACES holds `totals.csv` (parameters and multiply-accumulates of each network) and `layers/`, one
gzipped JSON trace a network: operators in order, with shapes, weights and predecessors. Written
beside this script: `totals.csv` under the built-in names, and `NAME.json` with the compute
operators of NAME in the order of the trace and, for each, the earlier ones that it reads.

Every other operator is fused. An operator's owners are the compute operators whose layers make its
result: a compute operator owns itself, other operators have the owners of their inputs, except an
element-wise operator of inputs with different owners: it is fused into the last of all of these,
which reads the others. What comes from outside has no owner.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent
COLUMNS = ("kind", "weight", "output", "groups", "macs", "input_elements", "reads")
KINDS = {"conv": "conv", "convT": "deconv", "fc": "fc", "matmul": "matmul"}
FUSED = {"concat", "eltwise", "embedding", "norm", "pool", "softmax"}
NAMES = {"unet-same": "unet"}

Operator = dict[str, Any]


def main(traces: Path) -> None:
    write_totals(traces / "totals.csv")
    for path in sorted((traces / "layers").glob("*.json.gz")):
        stem = re.sub(r"_s\d+$", "", path.name.removesuffix(".json.gz"))
        with gzip.open(path, "rt") as file:
            rows = compute_rows(json.load(file)["layers"])
        lines = ",\n".join(json.dumps(row) for row in rows)
        text = f'{{"columns": {json.dumps(COLUMNS)},\n"layers": [\n{lines}\n]}}\n'
        (FACTS / f"{NAMES.get(stem, stem)}.json").write_text(text)


def write_totals(path: Path) -> None:
    with path.open() as source, (FACTS / "totals.csv").open("w", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(["name", "parameters", "macs_millions", "source"])
        for row in csv.DictReader(source):
            name = row["network"] + ("-v1" if row["variant"] == "v1" else "")
            writer.writerow([name, row["parameters"], row["macs_millions"], row["source"]])


def compute_rows(operators: list[Operator]) -> list[list[Any]]:
    """One row a compute operator, in `COLUMNS`; `reads` are row numbers."""
    sizes: list[list[Any]] = []
    reads: list[set[int]] = []
    owners: dict[int | str, set[int]] = {}
    for operator in split_attention(operators):
        inputs = [owners.get(before, set()) for before in operator["pred"]]
        union = set().union(*inputs)
        if operator["op"] in KINDS:
            owners[operator["id"]] = {len(sizes)}
            sizes.append(measure(operator))
            reads.append(union)
        elif operator["op"] not in FUSED:
            raise SystemExit(f"unknown operator {operator['op']!r}")
        elif operator["op"] == "eltwise" and any(one != union for one in inputs):
            last = max(union)
            reads[last] |= union - {last}
            owners[operator["id"]] = {last}
        else:
            owners[operator["id"]] = union
    return [[*row, sorted(before)] for row, before in zip(sizes, reads, strict=True)]


def split_attention(operators: list[Operator]) -> Iterator[Operator]:
    """Scaled dot-product attention as its two matmuls; the second keeps the operator's id."""
    for operator in operators:
        if operator["op"] != "attention":
            yield operator
            continue
        query, key, value = operator["inp"]
        scores = [*query[:3], key[2]]
        half = {"op": "matmul", "macs": operator["macs"] // 2}
        first = f"{operator['id']}.qk"
        yield {**operator, **half, "id": first, "inp": [query, flip(key)], "out": scores}
        yield {**operator, **half, "inp": [scores, value], "pred": [first, *operator["pred"]]}


def flip(shape: list[int]) -> list[int]:
    return [*shape[:2], shape[3], shape[2]]


def measure(operator: Operator) -> list[Any]:
    """Kind, weight (K, D/g, R, S), output rows and columns, groups, MACs, input elements."""
    kind = KINDS[operator["op"]]
    output, groups = operator["out"], 1
    if kind == "matmul":
        (_, groups, rows, depth), (*_, columns) = operator["inp"]
        weight, size = [groups * columns, depth, 1, 1], [rows, 1]
    elif kind == "fc":
        weight, size = [*operator["w"], 1, 1], [prod(output) // output[-1], 1]
    else:
        weight, size, groups = operator["w"], output[2:], operator["groups"]
        if kind == "deconv":
            weight = [weight[1], weight[0], *weight[2:]]
    return [kind, weight, size, groups, operator["macs"], prod(operator["inp"][0])]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
