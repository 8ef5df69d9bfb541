"""
A new explained graph from an old one: intercept and slope on the log-odds, nothing else.

The model it was made from is not needed: additivity survives because the log-odds are a sum. Their
parts are multiplied in float64 before they are added, so that the probability is as exact as the
old graph's, and a graph recalibrated twice has one slope, not two.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.export.graph import ExplainedGraph

_SLOPE, _AS_MADE = "recalibration_slope", "contributions_as_made"
_PARTS, _SCALED = "parts_of_log_odds", "recalibrated_parts"


def recalibrated(graph: bytes, intercept: float, slope: float) -> ExplainedGraph:
    """
    Put ``intercept + slope * log-odds`` into an explained graph.

    Parameters
    ----------
    graph : bytes
        An explained graph as `GraphBuilder.finish` ends it, or as this function made it.
    intercept, slope : float
        Finite; the slope above 0, since otherwise the order of people would change.

    Returns
    -------
    ExplainedGraph
        Same input, outputs and operators. Contributions are `slope` times the old ones, the
        baseline is ``intercept + slope * old baseline``; NaN inputs are answered as before.

    Raises
    ------
    ValueError
        If the numbers cannot recalibrate, or the graph does not end as an explained graph ends.
    """
    if not (np.isfinite(intercept) and np.isfinite(slope) and slope > 0):
        raise ValueError(f"cannot recalibrate by intercept {intercept} and slope {slope}")
    model = onnx.load_from_string(graph)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    made_by = {output: node for node in model.graph.node for output in node.output}
    if "baseline" not in constants or _PARTS not in made_by or "contributions" not in made_by:
        raise ValueError("the graph does not end as an explained graph ends")
    baseline = intercept + slope * float(numpy_helper.to_array(constants["baseline"]))
    _set(constants["baseline"], baseline)
    if _SLOPE in constants:
        _set(constants[_SLOPE], slope * float(numpy_helper.to_array(constants[_SLOPE])))
    elif slope != 1:
        model.graph.initializer.append(numpy_helper.from_array(np.array(slope, np.float64), _SLOPE))
        _insert_slope(model.graph, made_by["contributions"])
    onnx.checker.check_model(model, full_check=True)
    return ExplainedGraph(model, baseline)


def _set(tensor: onnx.TensorProto, value: float) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.array(value, np.float64), tensor.name))


def _insert_slope(graph: onnx.GraphProto, maker: onnx.NodeProto) -> None:
    """Rename what the graph makes, multiply its float64 copy, and cast that to the output."""
    maker.output[list(maker.output).index("contributions")] = _AS_MADE
    rewritten = []
    for node in graph.node:
        copies = _PARTS in node.output
        for i, name in enumerate(node.input):
            if name == "contributions":
                node.input[i] = _AS_MADE
            elif name == _PARTS:
                node.input[i] = _SCALED
        rewritten.append(node)
        if copies:
            rewritten.append(helper.make_node("Mul", [_PARTS, _SLOPE], [_SCALED]))
            rewritten.append(
                helper.make_node("Cast", [_SCALED], ["contributions"], to=TensorProto.FLOAT)
            )
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in rewritten]
    del graph.node[:]
    graph.node.extend(kept)
