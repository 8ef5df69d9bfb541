"""
The explained graph: one ONNX model that returns a probability and its exact contributions.

Every graph begins and ends the same way. It begins by finding the *interval* each input lies in,
because all that is worth tabulating depends on the intervals alone; it ends so that additivity
holds by construction::

    logit(probability) = baseline + sum(contributions)

Only plain `ai.onnx` operators are used: the file runs wherever ONNX runs, a browser included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IR_VERSION = 9


@dataclass(frozen=True)
class ExplainedGraph:
    """
    A model that returns its probability and the contribution of every input.

    Parameters
    ----------
    model : onnx.ModelProto
        Input `x [n, k] float32` (NaN = unknown); outputs `probability [n] float64` (0-1) and
        `contributions [n, k] float32` (log-odds).
    baseline : float
        Log-odds the contributions are relative to; the same number is a constant of the graph.
    """

    model: onnx.ModelProto
    baseline: float

    def to_bytes(self) -> bytes:
        """Serialise the ONNX model, as a file on disk would hold it."""
        return bytes(self.model.SerializeToString())


@dataclass
class GraphBuilder:
    """Collects nodes and constants; each method returns the name of the tensor it made."""

    n_inputs: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: Any, dtype: type[np.generic] = np.float32) -> str:
        """Add a constant tensor."""
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def node(self, operator: str, *inputs: str, out: str, **attributes: Any) -> str:
        """Add an operator with one output."""
        self.nodes.append(helper.make_node(operator, list(inputs), [out], **attributes))
        return out

    def interval_rows(self, breaks: Sequence[NDArray[np.float32]]) -> str:
        """
        Find the interval of every input, as a row of a table that stacks all inputs' intervals.

        An input with b ascending breaks has b + 2 intervals: unknown, below the first break, and
        from each break (itself included) to the next. The tensor is `[n, k] int32`.
        """
        # Counting the breaks passed numbers the intervals: every known value passes -inf, nothing
        # passes the NaN of the padding, and an unknown value passes nothing.
        table = np.full((self.n_inputs, 1 + max(map(len, breaks))), np.nan)
        table[:, 0] = -np.inf
        for row, values in zip(table, breaks, strict=True):
            row[1 : 1 + len(values)] = values
        starts = np.cumsum([0, *(len(values) + 2 for values in breaks[:-1])])
        self.node("Unsqueeze", "x", self.constant("last_axis", [2], np.int64), out="x_column")
        self.node("GreaterOrEqual", "x_column", self.constant("breaks", table), out="passed")
        # Adding up in float32 is exact up to 2**24, and several times faster than in int32.
        self.node("Cast", "passed", out="passed_one", to=TensorProto.FLOAT)
        self.node("ReduceSum", "passed_one", "last_axis", out="passed_count", keepdims=0)
        self.node("Cast", "passed_count", out="interval", to=TensorProto.INT32)
        first = self.constant("first_intervals", starts, np.int32)
        return self.node("Add", "interval", first, out="interval_rows")

    def finish(self, baseline: float) -> ExplainedGraph:
        """Close the graph: `probability` from the tensor `contributions` and the baseline."""
        # In float64: near 0 and 1 a float32 probability has too few digits for its own log-odds.
        self.node("Cast", "contributions", out="parts_of_log_odds", to=TensorProto.DOUBLE)
        axis = self.constant("input_axis", [1], np.int64)
        self.node("ReduceSum", "parts_of_log_odds", axis, out="total", keepdims=0)
        start = self.constant("baseline", baseline, np.float64)
        self.node("Add", "total", start, out="log_odds")
        self.node("Sigmoid", "log_odds", out="probability")
        graph = helper.make_graph(
            self.nodes,
            "explained_graph",
            [_tensor("x", TensorProto.FLOAT, "n", self.n_inputs)],
            [
                _tensor("probability", TensorProto.DOUBLE, "n"),
                _tensor("contributions", TensorProto.FLOAT, "n", self.n_inputs),
            ],
            self.constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model)
        return ExplainedGraph(model, float(baseline))


def _tensor(name: str, kind: int, *sizes: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(sizes))
