"""ModAsian FINDRISC: FINDRISC with Asian body mass and waist; provisional."""

from cdss.points import load_points

MODELS = load_points(__name__)
