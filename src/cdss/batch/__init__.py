"""
Everybody at once: tables of people in, Parquet out; needs the optional package pyarrow.

::

    source ── blocks ── part (encode, assess, write) ── checkpoint ── manifest
              run: processes, resume after any interruption

What is said of somebody here is what `cdss.assess.assess` says: quantities, contradictions,
refusals, models, points and rules are the same functions, given columns (`decide` for those that
are written for one patient).
"""
