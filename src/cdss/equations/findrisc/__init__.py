"""FINDRISC 2003: points for type 2 diabetes within ten years."""

from cdss.points import load_points

MODELS = load_points(__name__)
