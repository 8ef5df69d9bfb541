"""Outputs of other people's programs (../shared/vectors), as inputs and answers of our models."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Row = Mapping[str, str]
Values = dict[str, Any]


class Peer(NamedTuple):
    """One column of a vectors file: which model it should equal, and how closely."""

    file: str
    column: str
    model: str  # may name a column of the row: "score2-{region}"
    values: Callable[[Row], Values]
    scale: float  # our probability times this is the peer's number
    tolerance: float  # in the peer's scale
    why: str
    where: Callable[[Row], bool] = lambda row: True
    extra: Mapping[str, Any] = {}


def number(row: Row, **columns: str) -> Values:
    """Variables from columns."""
    return {name: float(row[column]) for name, column in columns.items()}


def flags(row: Row, **columns: str) -> Values:
    """Yes/no variables from columns of 0 and 1."""
    return {name: row[column] == "1" for name, column in columns.items()}


def mmol(row: Row, factor: float = 1 / 38.665) -> Values:
    """Cholesterol from mg/dL."""
    return {
        "total_cholesterol": float(row["total_c"]) * factor,
        "hdl_cholesterol": float(row["hdl_c"]) * factor,
    }


def who(row: Row) -> Values:
    """WHO 2019, continuous."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age", systolic_bp="sbp", total_cholesterol="tc_mmol", bmi="bmi")
        | flags(row, current_smoker="smoker", diabetes="diabetes")
    )


def who_lab_chart(row: Row) -> Values:
    """A laboratory chart cell at its mid-points."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age_mid", systolic_bp="sbp_mid", total_cholesterol="tc_mid")
        | flags(row, current_smoker="smoker", diabetes="diabetes")
    )


def who_nonlab_chart(row: Row) -> Values:
    """A non-laboratory chart cell at its mid-points."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age_mid", systolic_bp="sbp_mid", bmi="bmi_mid")
        | flags(row, current_smoker="smoker")
    )


def framingham_cvd(row: Row) -> Values:
    """Framingham 2008."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age", systolic_bp="sbp", bmi="bmi")
        | mmol(row)
        | flags(row, bp_treated="bp_med", current_smoker="smoker", diabetes="diabetes")
    )


def framingham_hypertension(row: Row) -> Values:
    """Parikh 2008."""
    return (
        {
            "sex": row["sex"],
            "parents_with_hypertension": ("none", "one", "both")[int(row["parents"])],
        }
        | number(row, age="age", systolic_bp="sbp", diastolic_bp="dbp", bmi="bmi")
        | flags(row, current_smoker="smoker")
    )


def prevent(row: Row) -> Values:
    """PREVENT; the peers use 0.02586 mmol/L for 1 mg/dL."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age", systolic_bp="sbp", bmi="bmi", egfr="egfr")
        | mmol(row, 0.02586)
        | flags(
            row, diabetes="dm", current_smoker="smoking", bp_treated="bp_tx", on_statin="statin"
        )
    )


def score2(row: Row) -> Values:
    """SCORE2 and its relatives."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age", systolic_bp="sbp", total_cholesterol="tc", hdl_cholesterol="hdl")
        | flags(row, current_smoker="smoker", diabetes="diabetes")
    )


def score2_diabetes(row: Row) -> Values:
    """SCORE2-Diabetes; HbA1c in mmol/mol by the master equation."""
    return (
        score2(row)
        | number(row, egfr="egfr", age_at_diabetes_diagnosis="agediab")
        | {"hba1c": float(row["hba1c"]) * 0.09148 + 2.152}
    )


def pce(row: Row) -> Values:
    """Pooled cohort equations."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age", systolic_bp="sbp")
        | mmol(row)
        | flags(row, bp_treated="bp_med", current_smoker="smoker", diabetes="diabetes")
    )


def _who() -> Iterator[Peer]:
    same = "the authors' statements, executed; their parameters are single precision"
    for kind in ("lab", "nonlab"):
        for table, region in (("SEA", "sea"), ("VNM", "vnm")):
            yield Peer(
                "who2019_continuous_VNM_SEA", f"{kind}_{table}_cvd", f"who-2019-{kind}-{region}",
                who, 1, 2e-9, same,
            )  # fmt: skip
    cell = "a chart cell is the equation at mid-points, rounded"
    for column in ("chart_pct_mhajihos", "chart_pct_whoishRisk"):
        yield Peer(
            "who2019_lab_SEA_chart", column, "who-2019-lab-sea", who_lab_chart, 100, 0.5, cell
        )
    yield Peer("who2019_lab_SEA_chart", "whocvdrisk_ado_region_pct", "who-2019-lab-sea",
               who_lab_chart, 100, 1e-6, "the authors' program, six decimals")  # fmt: skip
    yield Peer("who2019_nonlab_SEA_chart", "chart_pct_mhajihos", "who-2019-nonlab-sea",
               who_nonlab_chart, 100, 0.5, cell)  # fmt: skip
    yield Peer("who2019_nonlab_SEA_chart", "whocvdrisk_ado_region_pct", "who-2019-nonlab-sea",
               who_nonlab_chart, 100, 1e-6, "the authors' program, six decimals")  # fmt: skip


def _framingham() -> Iterator[Peer]:
    file = "framingham_hypertension_2008"
    model = "framingham-hypertension-2008"
    for column in ("peerA_js", "peerC_py"):
        yield Peer(file, f"{column}_4yr", model, framingham_hypertension, 1, 1e-11, "unrounded")
    for years in (1, 2):
        yield Peer(file, f"peerA_js_{years}yr", model, framingham_hypertension, 1, 1e-11,
                   "unrounded", extra={"years": float(years)})  # fmt: skip
    yield Peer(file, "peerB_ts_4yr", model, framingham_hypertension, 1, 1e-11,
               "unrounded; takes everybody above 70 as 70, so only those up to 70",
               lambda row: float(row["age"]) <= 70)  # fmt: skip
    file = "framingham_cvd_2008"
    for kind, ours in (("lipid", "lipids"), ("bmi", "bmi")):
        model = f"framingham-cvd-2008-{ours}"
        yield Peer(
            file, f"CVrisk_{kind}_unclamped_pct", model, framingham_cvd, 100, 1e-9, "unrounded"
        )
        yield Peer(file, f"peer_tw_{kind}", model, framingham_cvd, 1, 1e-11, "unrounded")
        column = f"CVrisk_{kind}_pct"
        yield Peer(file, column, model, framingham_cvd, 100, 0.005000001,
                   "two decimals; cut to 1 % and, with BMI, to 30 %",
                   lambda row, column=column: float(row[column]) not in (1, 30))  # type: ignore[misc]  # fmt: skip


def _prevent() -> Iterator[Peer]:
    names = {"cvd": "total_cvd", "ascvd": "ascvd", "hf": "heart_failure"}
    for ours, theirs in names.items():
        for years in (10, 30):
            model = f"prevent-2023-{ours}-{years}y"
            yield Peer("prevent2023", f"preventr_base_{years}yr_{theirs}", model, prevent, 1, 1e-11,
                       "unrounded")  # fmt: skip
            yield Peer("prevent2023", f"pyprevent_base_{years}yr_{theirs}_pct", model, prevent, 100,
                       1e-9, "unrounded; 30 years only up to 59")  # fmt: skip
    yield Peer("prevent2023", "preventr_api_base_10yr_total_cvd", "prevent-2023-cvd-10y", prevent,
               1, 0.0005000001, "three decimals")  # fmt: skip


def _score2() -> Iterator[Peer]:
    one = "RiskScorescvd gives one decimal"
    ado = "the authors' program, unrounded"
    yield Peer("score2", "ado_score2", "score2-{region}", score2, 1, 1e-11, ado)
    # Its scales have fewer digits: 0.051, where half of the last digit is 0.05.
    yield Peer("score2", "RiskScorescvd_pct", "score2-{region}", score2, 100, 0.0511, one)
    yield Peer(
        "score2_op", "ado_score2op", "score2-op-full-precision-{region}", score2, 1, 1e-11, ado
    )
    yield Peer("score2_op", "ado_score2op", "score2-op-{region}", score2, 1, 0.02,
               "the authors' full precision, not what was published")  # fmt: skip
    yield Peer("score2_op", "RiskScorescvd_pct", "score2-op-{region}", score2, 100, 0.0511, one)
    yield Peer("score2_diabetes", "ado_score2dm", "score2-diabetes-{region}", score2_diabetes, 1,
               4.5e-4, "the program adds two addends, we use their published sum")  # fmt: skip
    yield Peer("score2_diabetes", "RiskScorescvd_pct", "score2-diabetes-{region}", score2_diabetes,
               100, 0.0511, one)  # fmt: skip
    yield Peer("score2_asia_pacific", "RiskScorescvd_unrounded_pct", "score2-asia-pacific-{region}",
               score2, 100, 1e-9, "unrounded")  # fmt: skip
    yield Peer("score2_asia_pacific", "RiskScorescvd_pct", "score2-asia-pacific-{region}", score2,
               100, 0.0500001, one)  # fmt: skip


def _pce() -> Iterator[Peer]:
    def race(row: Row) -> str:
        return {"white": "white-or-other", "black": "african-american"}[row["race"]]

    table_a, digits = "pce-2013-{race}", "pce-2013-{race}-acc-digits"
    yield Peer("pce2013", "CVrisk_pct", table_a, pce, 100, 0.00500001,
               "Table A, two decimals, cut to 1 %",
               lambda row: float(row["CVrisk_pct"]) > 1)  # fmt: skip
    yield Peer("pce2013", "clincalc_pct", table_a, pce, 100, 0.0500001, "Table A, one decimal")
    yield Peer("pce2013", "PooledCohort_pct", digits, pce, 100, 1e-9, "ACC digits, unrounded")
    yield Peer("pce2013", "ascvd_pypi_pct", digits, pce, 100, 0.0500001, "ACC digits, one decimal")
    yield Peer("pce2013", "preventr_pct", table_a, pce, 100, 0.5,
               "mixes rounded coefficients with means of four digits")  # fmt: skip


PEERS = (*_who(), *_framingham(), *_prevent(), *_score2(), *_pce())


def rows(folder: Path, peer: Peer) -> list[Row]:
    """Rows of a peer's file in which it gave an answer."""
    with (folder / f"{peer.file}.csv").open(encoding="utf-8") as file:
        found = [row for row in csv.DictReader(file) if row[peer.column] not in ("", "NA", "nan")]
    return [row for row in found if peer.where(row)]


def model_id(peer: Peer, row: Row) -> str:
    """Which of our models a row is about."""
    region = row.get("region", "").lower().replace(" ", "-")
    race = {"white": "white-or-other", "black": "african-american"}.get(row.get("race", ""), "")
    return peer.model.format(region=region, race=race)


def findrisc(row: Row) -> Values:
    """FINDRISC and its Asian variant."""
    family = {"none": "none", "first": "first_degree", "second": "second_degree"}
    return (
        {"sex": row["sex"], "relatives_with_diabetes": family[row["family"] or "none"]}
        | number(row, age="age", bmi="bmi", waist="waist")
        | flags(row, physically_active="active", daily_vegetables="veg")
        | flags(row, bp_treated="bpmed", ever_high_glucose="highglu")
    )


def ada(row: Row) -> Values:
    """ADA risk test."""
    return (
        {"sex": row["sex"]}
        | number(row, age="age", bmi="bmi")
        | flags(row, first_degree_diabetes="fh", hypertension="htn", physically_active="active")
        | flags(row, previous_gestational_diabetes="gdm")
    )


def ada_without_gestational(row: Row) -> Values:
    """As a peer that does not ask about gestational diabetes."""
    return ada(row) | {"previous_gestational_diabetes": False}


def idrs(row: Row) -> Values:
    """Indian Diabetes Risk Score."""
    parents = ("none", "one", "both")[int(row["parents"])]
    return {
        "sex": row["sex"],
        "activity_level": row["activity"],
        "parents_with_diabetes": parents,
    } | number(row, age="age", waist="waist")


class PointsPeer(NamedTuple):
    """One column of points: equal, exactly."""

    file: str
    column: str
    model: str
    values: Callable[[Row], Values]


POINTS_PEERS = (
    PointsPeer("findrisc_and_modasian", "findrisc_clincalc", "findrisc", findrisc),
    PointsPeer("findrisc_and_modasian", "findrisc_nobra", "findrisc", findrisc),
    PointsPeer("findrisc_and_modasian", "modasian_js", "modasian-findrisc", findrisc),
    PointsPeer("ada_risk_test", "ada_ts_without_waist", "ada-risk-test", ada),
    PointsPeer("ada_risk_test", "nobra_no_gdm_item", "ada-risk-test", ada_without_gestational),
    PointsPeer("idrs", "idrs_peerA", "idrs", idrs),
    PointsPeer("idrs", "idrs_peerB", "idrs", idrs),
)


def points_rows(folder: Path, peer: PointsPeer) -> list[Row]:
    """Rows of a peer's file."""
    with (folder / f"{peer.file}.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row[peer.column] != ""]
