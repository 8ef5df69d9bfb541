"""
Missing on purpose: what a model must cope with is part of what it is trained on.

Each person is also seen with panels hidden, so that one model stays calibrated with no laboratory
values, with some, and with all.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.definition import Cohort, Definition
from training.families import Sample

SEED = 20_261_122


def with_hidden_panels(cohort: Cohort, definition: Definition, time_coefficient: float) -> Sample:
    """
    Everybody as observed, without laboratory, with random panels, and with little more than age.

    Parameters
    ----------
    cohort : Cohort
        Who to learn from; rows with weight 0 are left out.
    definition : Definition
        Which panels there are.
    time_coefficient : float
        What a unit of `Cohort.log_time` adds to the log-odds.

    Returns
    -------
    Sample
        Four rows for each person: the same outcome, less and less known.
    """
    cohort = cohort.take(cohort.weight > 0)
    rng = np.random.default_rng(SEED)
    panels, laboratory = definition.panels, set(definition.laboratory_panels)
    keep = [  # probability that a panel stays visible: laboratory, other
        (1.0, 1.0),
        (0.0, 0.9),
        (0.5, 0.9),
        (0.15, 0.25),
    ]
    copies = []
    for of_laboratory, of_other in keep:
        x = cohort.x.copy()
        for panel, names in panels.items():
            chance = of_laboratory if panel in laboratory else of_other
            hidden = rng.random(len(x)) >= chance
            x.loc[hidden, list(names)] = np.nan
        copies.append(x)
    times = len(copies)
    return Sample(
        pd.concat(copies, ignore_index=True),
        np.tile(cohort.y, times),
        np.tile(cohort.weight, times) / times,
        np.tile(time_coefficient * cohort.log_time, times),
    )
