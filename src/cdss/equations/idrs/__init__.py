"""Indian Diabetes Risk Score 2005: points for undiagnosed diabetes."""

from cdss.points import load_points

MODELS = load_points(__name__)
