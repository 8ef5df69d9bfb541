"""
Explained graphs: ONNX models that return a probability and its exact contributions.

- `tree_graph`: gradient-boosted trees (XGBoost).
- `additive_graph`: logistic regression, splines and additive networks, as `Shape`s;
  `relu_network_to_shape` converts a network of one input.
- `blend_graph`: the sum of any of these.
"""

from training.export.additive import additive_graph
from training.export.blend import blend_graph
from training.export.graph import ExplainedGraph
from training.export.relu import relu_network_to_shape
from training.export.shapes import Shape
from training.export.trees import tree_graph

__all__ = [
    "ExplainedGraph",
    "Shape",
    "additive_graph",
    "blend_graph",
    "relu_network_to_shape",
    "tree_graph",
]
