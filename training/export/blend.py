"""
Explained graph of a sum: models whose log-odds add up, in one graph.

Shapley values are linear in the model: the contributions of a sum are the sums of the parts'
contributions, and its baseline is the sum of their baselines. So the parts stand side by side on
the same input, and only the probability is computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto, TensorProto

from training.export.graph import ExplainedGraph, GraphBuilder

INPUT, RESULT = "x", "contributions"


def blend_graph(parts: Sequence[ExplainedGraph]) -> ExplainedGraph:
    """
    Add up explained graphs.

    Parameters
    ----------
    parts : sequence of ExplainedGraph
        At least one, all of the same inputs and relative to the same background. A weight is the
        slope the part was made with.

    Returns
    -------
    ExplainedGraph
        Its log-odds, contributions and baseline are the sums of the parts'. Unknown and infinite
        values are what they are to each part.

    Raises
    ------
    ValueError
        If there are no parts, or they have different numbers of inputs.
    """
    widths = {_width(part) for part in parts}
    if len(widths) != 1:
        raise ValueError(f"parts of one number of inputs are needed, not of {sorted(widths)}")
    g = GraphBuilder(widths.pop())
    contributions = [_insert(g, part, f"part_{i}/") for i, part in enumerate(parts)]
    g.node("Sum", *contributions, out=RESULT)
    return g.finish(sum(part.baseline for part in parts))


def _width(part: ExplainedGraph) -> int:
    return int(part.model.graph.input[0].type.tensor_type.shape.dim[1].dim_value)


def _insert(g: GraphBuilder, part: ExplainedGraph, prefix: str) -> str:
    """Copy all that leads to a part's contributions; its way to the probability is left behind."""
    graph = part.model.graph
    last = next(i for i, node in enumerate(graph.node) if RESULT in node.output)
    used = set()
    for node in graph.node[: last + 1]:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [name if name == INPUT else prefix + name for name in node.input]
        copy.output[:] = [prefix + name for name in node.output]
        g.nodes.append(copy)
        used |= set(node.input)
    for constant in graph.initializer:
        if constant.name in used:
            renamed = TensorProto()
            renamed.CopyFrom(constant)
            renamed.name = prefix + constant.name
            g.constants.append(renamed)
    return prefix + RESULT
