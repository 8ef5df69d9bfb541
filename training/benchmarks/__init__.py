"""Measurements of training's products beside the alternatives; `make bench` runs them."""
