"""ADA Standards of Care in Diabetes 2026: screening, diagnosis, blood pressure, statins, kidney."""

from __future__ import annotations

from importlib import resources
from typing import Any

from cdss.bands import band
from cdss.datafile import read_csv
from cdss.facts import DIABETES_TESTS, YES, Facts, Truth, any_known, any_of
from cdss.guideline import Condition, Decision, load_guideline

_FIGURE = {
    (row["stage"], row["category"]): (int(row["checks"]), row["refer"])
    for row in read_csv(
        resources.files(__name__) / "checks.csv", ("stage", "category", "checks", "refer")
    )
}
"""Stage and category → checks of the kidney a year, and whether to refer."""


def thresholds(p: Any) -> dict[str, float]:
    """Diagnostic thresholds by test."""
    return {"fasting_glucose": p.fasting, "hba1c": p.hba1c, "ogtt_glucose": p.two_hours}


def diagnosed(f: Facts, p: Any) -> Truth:
    """Two abnormal results, or unequivocal hyperglycaemia: a random value with symptoms."""
    twice = f.two_results(thresholds(p))
    if f.knows("random_glucose"):
        twice = twice | ((f["random_glucose"] >= p.two_hours) & f.yes("diabetes_symptoms"))
    return twice & f.unless("diabetes")


def diabetic_value(f: Facts, p: Any) -> Truth:
    """One result in the range of diabetes."""
    return any_known([f[name] >= threshold for name, threshold in thresholds(p).items()])


def prediabetes(f: Facts, p: Any) -> Truth:
    """A result in the range of prediabetes and none in that of diabetes."""
    between = any_known(
        [
            f["fasting_glucose"].within(p.pre_fasting, p.fasting),
            f["hba1c"].within(p.pre_hba1c, p.hba1c),
            f["ogtt_glucose"].within(p.pre_two_hours, p.two_hours),
        ]
    )
    return between & ~diabetic_value(f, p) & f.unless("diabetes")


def screened_normal(f: Facts, p: Any) -> Truth:
    """A result, and none in the range of prediabetes or above."""
    below = any_known(
        [f["fasting_glucose"] < p.pre_fasting, f["hba1c"] < p.pre_hba1c,
         f["ogtt_glucose"] < p.pre_two_hours]
    )  # fmt: skip
    return below & ~prediabetes(f, p) & ~diabetic_value(f, p) & f.unless("diabetes")


def untested(f: Facts) -> Truth:
    """Neither known to have diabetes nor tested for it."""
    return f.unless("diabetes") & f.unless_known(*DIABETES_TESTS)


def heavy(f: Facts, p: Any) -> Truth:
    """Overweight; the line is lower for people of Asian ancestry."""
    asian: Truth = (f["bmi"] >= p.bmi_asian) & f.yes("asian_ancestry")
    overweight: Truth = f["bmi"] >= p.bmi
    return asian | overweight


def diabetes_risk_factor(f: Facts, p: Any) -> Truth:
    """One of Table 2.5, of those cdss knows of."""
    return any_of(
        [
            f.yes("first_degree_diabetes"),
            f.yes("hypertension"),
            f.bp_at_least(p.bp_systolic, p.bp_diastolic),
            f["hdl_cholesterol"] < p.low_hdl,
            f["triglycerides"] > p.high_triglycerides,
            f.yes("prior_cvd"),
            ~f.yes("physically_active"),
            f.yes("asian_ancestry"),
        ]
    )


def cvd_risk_factor(f: Facts, p: Any) -> Truth:
    """An added risk factor for ASCVD, of those cdss knows of."""
    return any_of([f.yes("current_smoker"), f.yes("hypertension"), f.yes("family_history_cvd"),
                   f.yes("ckd")])  # fmt: skip


def mean_at_least(f: Facts, systolic: float, diastolic: float) -> Truth:
    """Mean of the readings of at least two days at or above a threshold."""
    found = []
    for name, threshold in (("systolic_bp", systolic), ("diastolic_bp", diastolic)):
        results = f.results(name)
        if len(results) < 2:
            found.append(f.twice(name, lambda v, least=threshold: v >= least))  # type: ignore[misc]
        else:
            mean = sum(r.value for r in results) / len(results)
            found.append(YES if mean >= threshold else ~YES)
    return found[0] | found[1]


def confirmed(f: Facts, p: Any) -> Truth:
    """Hypertension in diabetes: known, or the mean of two occasions."""
    known = YES if f.yes("hypertension").value else ~YES
    raised = f.bp_at_least(p.bp_systolic, p.bp_diastolic)
    return (known & raised) | mean_at_least(f, p.bp_systolic, p.bp_diastolic)


def aged(f: Facts, first: float, last: float) -> Truth:
    """Of an age, the last year included."""
    return f["age"].within(first, last + 1)


def checks(f: Facts, p: Any) -> Decision:
    """Checks of the kidney a year."""
    egfr, uacr = f["egfr"], f["uacr"]
    truth = f.yes("diabetes") & (egfr >= 0) & (uacr >= 0)
    if not truth.value:
        return truth
    stage = ("G5", "G4", "G3b", "G3a", "G2", "G1")[
        band(egfr.low, (p.g5_below, p.g4_below, p.g3b_below, p.g3a_below, p.g1_from))
    ]
    category = f"A{band(uacr.low, (p.a2_from, p.a3_from)) + 1}"
    count, refer = _FIGURE[stage, category]
    return YES, {"stage": stage, "category": category, "checks": count, "refer": f"refer.{refer}"}


def albuminuria(f: Facts, p: Any) -> Decision:
    """Category by albumin/creatinine ratio; exactly 300 mg/g is A3 here."""
    uacr = f["uacr"]
    if not uacr.known:
        return uacr >= 0
    return YES, {"category": f"A{band(uacr.low, (p.a2_from, p.a3_from)) + 1}"}


def statin(f: Facts, p: Any) -> Truth:
    """Diabetes at an age for a statin, without cardiovascular disease."""
    return f.yes("diabetes") & aged(f, p.statin_from, p.statin_until) & ~f.yes("prior_cvd")


def young(f: Facts, p: Any) -> Truth:
    """Diabetes before that age."""
    return f.yes("diabetes") & f["age"].within(p.statin_young_from, p.statin_from)


def diabetes(f: Facts, p: Any) -> Truth:
    """Known diabetes."""
    return f.yes("diabetes")


RULES: dict[str, Condition] = {
    "BPS-11": diabetes,
    "BPS-12": lambda f, p: (
        f.yes("diabetes") & f.unless("hypertension")
        & mean_at_least(f, p.bp_systolic, p.bp_diastolic)
    ),
    "BPS-13": lambda f, p: (
        f.yes("diabetes")
        & f["systolic_bp"].within(p.elevated_systolic, p.bp_systolic)
        & (f["diastolic_bp"] < p.bp_diastolic)
    ),
    "BPS-14": lambda f, p: (
        f.yes("diabetes") & f.yes("prior_cvd")
        & (f["systolic_bp"] >= p.one_visit_systolic) & (f["diastolic_bp"] >= p.one_visit_diastolic)
    ),
    "BPT-20": lambda f, p: f.yes("diabetes") & f.yes("bp_treated"),
    "BPT-21": lambda f, p: (
        f.yes("diabetes") & f.bp_above(p.elevated_systolic, p.bp_diastolic)
    ),
    "BPT-22": lambda f, p: f.yes("diabetes") & confirmed(f, p) & f.unless("bp_treated"),
    "BPT-23": lambda f, p: (
        f.yes("diabetes") & mean_at_least(f, p.two_drugs_systolic, p.two_drugs_diastolic)
        & f.unless("bp_treated")
    ),
    "BPT-24": lambda f, p: (
        f.yes("diabetes")
        & any_known([f.yes("hypertension"), mean_at_least(f, p.bp_systolic, p.bp_diastolic)])
        & f.unless("pregnant")
        & (f["uacr"] >= p.a2_from)
    ),
    "DMS-07": lambda f, p: heavy(f, p) & diabetes_risk_factor(f, p) & untested(f),
    "DMS-08": lambda f, p: (f["age"] >= p.screening_age) & untested(f),
    "DMS-09": screened_normal,
    "DMS-10": prediabetes,
    "DMS-11": lambda f, p: (
        f.yes("previous_gestational_diabetes") & f.unless("diabetes")
    ),
    "DMD-02": diagnosed,
    "DMD-04": prediabetes,
    "DMF-04": diabetes,
    "DMF-05": lambda f, p: f.yes("diabetes") & f.unless("pregnant"),
    "DMF-06": lambda f, p: f.yes("diabetes") & f.among("diabetes_type", "type_2"),
    "DMF-08": diabetes,
    "DMP-01": lambda f, p: prediabetes(f, p) & heavy(f, p),
    "DMP-02": lambda f, p: (
        prediabetes(f, p)
        & any_of(
            [
                aged(f, p.metformin_from, p.metformin_until) & (f["bmi"] >= p.metformin_bmi),
                any_known([f["fasting_glucose"] >= p.metformin_fasting,
                           f["hba1c"] >= p.metformin_hba1c]),
                f.yes("previous_gestational_diabetes"),
            ]
        )
    ),
    "STA-04": statin,
    "STA-05": lambda f, p: statin(f, p) & cvd_risk_factor(f, p),
    "STA-06": lambda f, p: young(f, p) & cvd_risk_factor(f, p),
    "STA-07": lambda f, p: f.yes("diabetes") & (f["age"] >= p.statin_until + 1),
    "STA-08": lambda f, p: f.yes("diabetes") & f.yes("prior_cvd"),
    "STA-09": lambda f, p: (
        (f.yes("diabetes") | prediabetes(f, p)) & f.unless("on_statin")
        if not f.yes("diabetes").value
        else f.unless("on_statin")
    ),
    "LIF-07": diabetes,
    "LIF-08": diabetes,
    "LIF-09": lambda f, p: f.yes("diabetes") & heavy(f, p),
    "CKD-03": albuminuria,
    "CKD-05": lambda f, p: f.yes("diabetes") & f.among("diabetes_type", "type_2"),
    "CKD-06": checks,
    "CKD-07": lambda f, p: f.yes("diabetes") & (f["egfr"] < p.g4_below),
    "CKD-08": lambda f, p: f.yes("diabetes") & f.yes("ckd") & f.yes("bp_treated"),
}  # fmt: skip

GUIDELINE = load_guideline(__name__, RULES)
