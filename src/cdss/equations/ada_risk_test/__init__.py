"""ADA risk test (Bang 2009): points for undiagnosed diabetes or prediabetes today."""

from cdss.points import load_points

MODELS = load_points(__name__)
