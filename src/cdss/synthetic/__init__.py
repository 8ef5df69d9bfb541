"""
A made-up population of check-ups, calibrated to published figures: always labelled synthetic.

::

    figures ─┐                 states of people ── compare ── report
    cohorts ─┼ model ─ draw ─ columns ── run (parts over processes) ── Parquet
    places ──┘

`training.population` learns ``cohorts.json`` and fits ``<country>_fitted.json``; here nothing is
solved. Needs numpy, and pyarrow to write.
"""
