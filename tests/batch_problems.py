"""A row for each problem that only batches have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from cdss.batch.block import Block
from cdss.batch.layout import Layout
from cdss.batch.read import read
from cdss.errors import Problem


def every_batch_problem() -> list[Problem]:
    """What is said of rows without a name, of people who occur twice, and of broken rows."""
    lines = Block("", "lines", "in", 1, [(1, b"{"), (2, b'{"values": {"age": 54}}')], 0)
    broken = Block("", "text", "in", 1, b"", 0, odd=(1,))
    twice = Block("", "lines", "in", 1, [(1, b'{"person_id": "A", "age": 54}')], 0)
    found = []
    for block in (lines, broken, twice):
        _, rejected, _ = read(block, Layout(), _everybody)
        found += [problem for row in rejected for problem in row.problems]
    return found


def _everybody(ids: pa.Array, days: Any) -> np.ndarray:
    return np.ones(len(ids), dtype=bool)
