"""
Undiagnosed diabetes from everybody with either test, or from people with both tests only.

``python -m training.experiments.ascertainment`` writes ``ascertainment.csv``. NHANES measured
fasting glucose, and with it triglycerides, in a random morning half. Whoever was not in that half
can be found by HbA1c alone, so that "triglycerides unknown" says that fewer cases can be found:
something a model learns, and that no patient should be told.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from training.data import Table, load_table
from training.definition import Cohort, Definition, Flow, definitions
from training.families import families
from training.fit import cross_validate
from training.metrics import performance
from training.models.diabetes_undiagnosed import GLUCOSE_CUT, HBA1C_CUT

RESULTS = Path(__file__).with_name("ascertainment.csv")
FIGURES = ("n", "events", "auroc", "o_e", "calibration_slope", "brier")


def with_either_test(table: Table, definition: Definition) -> Cohort:
    """People as version 1.0.0 took them: HbA1c or fasting glucose measured."""
    flow = Flow(table.frame, "adults in the table")
    flow.keep("aged 20 and over", flow.frame["age"] >= 20)
    flow.keep("never told that they have diabetes", flow.frame["diabetes"] == 0)
    flow.keep("not pregnant", flow.frame["pregnant"] != 1)
    hba1c, glucose = flow.frame["hba1c"], flow.frame["fasting_glucose"]
    flow.keep("HbA1c or fasting glucose measured", hba1c.notna() | glucose.notna())
    hba1c, glucose = flow.frame["hba1c"], flow.frame["fasting_glucose"]
    return flow.cohort(definition.predictors, y=(hba1c >= HBA1C_CUT) | (glucose >= GLUCOSE_CUT))


def main() -> None:
    """Cross-validate the blend on both; compare on the people who had both tests."""
    definition = definitions()["diabetes-undiagnosed"]
    everybody = with_either_test(load_table(definition.dataset), definition)
    tests = everybody.people[["hba1c", "fasting_glucose"]].notna().all(axis=1).to_numpy()
    fit = families()["blend"]
    rows = []
    for name, cohort, judged in (
        ("either test", everybody, tests),
        ("both tests", everybody.take(tests), np.ones(int(tests.sum()), dtype=bool)),
    ):
        found = cross_validate(definition, cohort, fit, sites=False)
        for tier, log_odds in found.log_odds.items():
            figures = performance(
                cohort.y[judged], log_odds[judged], cohort.weight[judged], cohort.person[judged]
            )
            made = {"made_from": name, "people": len(cohort), "tier": tier}
            rows.append(made | {key: figures[key] for key in FIGURES})
    pd.DataFrame(rows).round(4).to_csv(RESULTS, index=False)


if __name__ == "__main__":
    main()
