"""
Viet Nam's health-check envelope (Decision 1551/QĐ-BYT amended by 2062/QĐ-BYT) to records.

::

    bytes ── xml ── envelope ──┬─ fields, history, laboratory ── read ── folder
                               └─ numbers, defaults, mapping (*.toml)

What each tag means is data, with the status of that knowledge beside it; see `mapping.toml`.
"""
