"""A made-up population of check-ups, calibrated to published figures: always labelled synthetic."""
