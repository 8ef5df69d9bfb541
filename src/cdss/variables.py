"""
The data dictionary: every clinical quantity cdss knows, one row each.

Everything that has names derives from it: request validation, the encoding models see, the JSON
schema, labels, data set recodings. Units are UCUM; ``low`` and ``high`` bound what is *plausible*
in a living adult (a typing error lies outside), not what is normal or where a model is valid.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cdss.errors import DefinitionError
from cdss.source import Source

Value = float | bool | str
"""A quantity in its canonical unit, a yes/no, or one of a variable's choices."""

YEAR = 365


@dataclass(frozen=True, slots=True)
class Variable:
    """
    One row of the data dictionary.

    Parameters
    ----------
    name : str
        Public name; the contract with every caller.
    kind : {"quantity", "yes_no", "choice"}
        What a value looks like.
    group : str
        What is asked or measured together (and therefore missing together).
    unit : str
        Canonical UCUM unit; empty unless `kind` is "quantity".
    low, high : float
        Plausible range in the canonical unit, both ends included.
    choices : tuple of str
        The values of a "choice", in the order in which models encode them (0, 1, …).
    loinc : tuple of str
        LOINC codes under which the quantity is commonly sent.
    fresh_for : int or None
        Days for which a measurement still describes the patient; None if it does not age.
    laboratory : bool
        Needs a laboratory.
    modifiable : bool
        A person or treatment can change it.
    source : Source or None
        Where the plausible range comes from; required for a quantity.
    absent_means : str
        What absence says. Always "unknown": absence is never "no".

    Raises
    ------
    DefinitionError
        If a quantity lacks unit, range or source, or a choice lacks choices.
    """

    name: str
    kind: Literal["quantity", "yes_no", "choice"]
    group: str
    unit: str = ""
    low: float = math.nan
    high: float = math.nan
    choices: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    fresh_for: int | None = None
    laboratory: bool = False
    modifiable: bool = False
    source: Source | None = None
    absent_means: Literal["unknown"] = "unknown"

    def __post_init__(self) -> None:
        if self.kind == "quantity" and not (self.unit and self.low < self.high and self.source):
            raise DefinitionError(f"{self.name}: a quantity needs a unit, low < high and a source")
        if self.kind == "choice" and len(self.choices) < 2:
            raise DefinitionError(f"{self.name}: a choice needs at least two choices")

    @property
    def options(self) -> tuple[Value, ...]:
        """Every value of a yes/no or a choice; none of a quantity."""
        return (False, True) if self.kind == "yes_no" else self.choices

    def encode(self, value: Value | None) -> float:
        """
        Turn a canonical value into the number models see.

        Parameters
        ----------
        value : float, bool, str or None
            A value of this variable in its canonical unit; None if unknown.

        Returns
        -------
        float
            The quantity; 0 or 1 for no or yes; the index of the choice; NaN if unknown.
        """
        if value is None:
            return math.nan
        return float(self.choices.index(str(value)) if self.kind == "choice" else value)


def _observed(column: str, span: str) -> Source:
    """Plausible range set by us, rounded outwards, around what a large survey observed."""
    return Source(
        "US NHANES 1999-2014, adults aged 18 and over, public-use files (NCHS)",
        f"{column}: observed {span}; range rounded by us around it",
        url="https://wwwn.cdc.gov/nchs/nhanes/",
    )


def _defined(how: str) -> Source:
    """Plausible range set by us."""
    return Source("cdss data dictionary", how)


_ROWS = (
    Variable("age", "quantity", "person", "a", 18, 110, loinc=("30525-0",),
             source=_observed("RIDAGEYR", "18 to 85 (top-coded); cdss is for adults")),
    Variable("sex", "choice", "person", choices=("male", "female"), loinc=("76689-9",)),
    Variable("pregnant", "yes_no", "person", fresh_for=60),
    Variable("height", "quantity", "anthropometry", "cm", 100, 230, loinc=("8302-2",),
             source=_observed("BMXHT", "123.3 to 204.5 cm")),
    Variable("weight", "quantity", "anthropometry", "kg", 25, 400, loinc=("29463-7",),
             fresh_for=YEAR, modifiable=True, source=_observed("BMXWT", "25.6 to 371.0 kg")),
    Variable("bmi", "quantity", "anthropometry", "kg/m2", 10, 135, loinc=("39156-5",),
             fresh_for=YEAR, modifiable=True, source=_observed("BMXBMI", "12.0 to 130.2 kg/m2")),
    Variable("mid_arm_circumference", "quantity", "anthropometry", "cm", 10, 80, fresh_for=YEAR,
             source=_defined("BMXARMC of US NHANES lies within it")),
    Variable("waist", "quantity", "waist", "cm", 40, 200, loinc=("8280-0", "56086-2", "56115-9"),
             fresh_for=YEAR, modifiable=True, source=_observed("BMXWAIST", "55.5 to 179.0 cm")),
    Variable("systolic_bp", "quantity", "blood_pressure", "mm[Hg]", 60, 300, loinc=("8480-6",),
             fresh_for=YEAR, modifiable=True, source=_observed("BPXSY1-4, mean", "73 to 270 mmHg")),
    Variable("diastolic_bp", "quantity", "blood_pressure", "mm[Hg]", 30, 200, loinc=("8462-4",),
             fresh_for=YEAR, modifiable=True,
             source=_observed("BPXDI1-4, mean", "4 to 132 mmHg, under 30 taken as misread")),
    Variable("heart_rate", "quantity", "heart_rate", "/min", 25, 250, loinc=("8867-4",),
             fresh_for=YEAR, modifiable=True, source=_observed("BPXPLS", "32 to 224 /min")),
    Variable("bp_treated", "yes_no", "history", fresh_for=YEAR),
    Variable("smoking", "choice", "smoking", choices=("never", "former", "current"),
             loinc=("72166-2", "11367-0"), fresh_for=2 * YEAR, modifiable=True),
    Variable("current_smoker", "yes_no", "smoking", fresh_for=2 * YEAR, modifiable=True),
    Variable("family_history_diabetes", "yes_no", "family"),
    Variable("relatives_with_diabetes", "choice", "family",
             choices=("none", "second_degree", "first_degree")),
    Variable("first_degree_diabetes", "yes_no", "family"),
    Variable("parents_with_diabetes", "choice", "family", choices=("none", "one", "both")),
    Variable("parents_with_hypertension", "choice", "family", choices=("none", "one", "both")),
    Variable("family_history_cvd", "yes_no", "family"),
    Variable("hypertension", "yes_no", "history"),
    Variable("bp_drugs", "quantity", "history", "{drugs}", 0, 10, fresh_for=YEAR,
             source=_defined("a count; more than ten classes are not in use")),
    Variable("only_bp_drug_at_full_dose", "yes_no", "history", fresh_for=YEAR),
    Variable("first_bp_measurement", "yes_no", "history", fresh_for=1),
    Variable("diabetes", "yes_no", "history"),
    Variable("diabetes_type", "choice", "history", choices=("type_1", "type_2", "other")),
    Variable("age_at_diabetes_diagnosis", "quantity", "history", "a", 0, 110,
             source=_defined("an age, as for age")),
    Variable("ever_high_glucose", "yes_no", "history"),
    Variable("previous_gestational_diabetes", "yes_no", "history"),
    Variable("on_metformin", "yes_no", "history", fresh_for=YEAR),
    Variable("prior_cvd", "yes_no", "history"),
    Variable("prior_mi", "yes_no", "history"),
    Variable("prior_stroke", "yes_no", "history"),
    Variable("ckd", "yes_no", "history"),
    Variable("target_organ_damage", "yes_no", "history"),
    Variable("could_become_pregnant", "yes_no", "history", fresh_for=YEAR),
    Variable("asian_ancestry", "yes_no", "person"),
    Variable("physically_active", "yes_no", "lifestyle", fresh_for=YEAR, modifiable=True),
    Variable("activity_level", "choice", "lifestyle", fresh_for=YEAR, modifiable=True,
             choices=("sedentary", "mild", "moderate", "vigorous")),
    Variable("daily_vegetables", "yes_no", "lifestyle", fresh_for=YEAR, modifiable=True),
    Variable("drinks_alcohol", "yes_no", "lifestyle", fresh_for=YEAR, modifiable=True),
    Variable("alcohol_units", "quantity", "lifestyle", "{units}/d", 0, 60, fresh_for=YEAR,
             modifiable=True, source=_defined("standard drinks a day; above 60 is a misreading")),
    Variable("urgent_symptoms", "yes_no", "symptoms", fresh_for=7),
    Variable("severe_bp_symptoms", "yes_no", "symptoms", fresh_for=7),
    Variable("diabetes_symptoms", "yes_no", "symptoms", fresh_for=30),
    Variable("heart_or_vessel_signs", "yes_no", "symptoms", fresh_for=YEAR),
    Variable("on_statin", "yes_no", "history", fresh_for=YEAR),
    Variable("total_cholesterol", "quantity", "lipids", "mmol/L", 1, 25, laboratory=True,
             loinc=("2093-3", "14647-2"), fresh_for=2 * YEAR, modifiable=True,
             source=_observed("LBXTC", "59 to 813 mg/dL")),
    Variable("hdl_cholesterol", "quantity", "lipids", "mmol/L", 0.15, 6, laboratory=True,
             loinc=("2085-9", "14646-4"), fresh_for=2 * YEAR, modifiable=True,
             source=_observed("LBDHDD", "7 to 188 mg/dL")),
    Variable("non_hdl_cholesterol", "quantity", "lipids", "mmol/L", 0.5, 24, laboratory=True,
             loinc=("43396-1",), fresh_for=2 * YEAR, modifiable=True,
             source=_observed("LBXTC and LBDHDD", "their difference within 0.5 to 20.5 mmol/L")),
    Variable("ldl_cholesterol", "quantity", "lipids", "mmol/L", 0.2, 20, laboratory=True,
             loinc=("18262-6", "13457-7", "22748-8", "39469-2"), fresh_for=2 * YEAR,
             modifiable=True, source=_observed("LBDLDL", "9 to 629 mg/dL")),
    Variable("triglycerides", "quantity", "triglycerides", "mmol/L", 0.11, 60, laboratory=True,
             loinc=("2571-8", "14927-8"), fresh_for=2 * YEAR, modifiable=True,
             source=_observed("LBXTR", "14 to 4233 mg/dL")),
    Variable("hba1c", "quantity", "glycaemia", "%", 3, 20, laboratory=True,
             loinc=("4548-4", "17856-6", "59261-8"), fresh_for=YEAR, modifiable=True,
             source=_observed("LBXGH", "2.0 to 18.8 %, under 3 taken as an error")),
    Variable("random_glucose", "quantity", "glycaemia", "mmol/L", 1, 60, laboratory=True,
             fresh_for=YEAR, modifiable=True, source=_defined("as fasting glucose, wider")),
    Variable("ogtt_glucose", "quantity", "glycaemia", "mmol/L", 1, 60, laboratory=True,
             fresh_for=YEAR, modifiable=True, source=_defined("as fasting glucose, wider")),
    Variable("fasting_glucose", "quantity", "glycaemia", "mmol/L", 1.5, 40, laboratory=True,
             loinc=("1558-6", "14771-0"), fresh_for=YEAR, modifiable=True,
             source=_observed("LBXGLU", "36 to 587 mg/dL")),
    Variable("creatinine", "quantity", "kidney", "umol/L", 8, 2000, laboratory=True,
             loinc=("2160-0", "38483-4", "14682-9"), fresh_for=YEAR,
             source=_observed("LBXSCR", "0.10 to 17.4 mg/dL")),
    Variable("egfr", "quantity", "kidney", "mL/min/{1.73_m2}", 1, 260, laboratory=True,
             loinc=("33914-3", "98979-8", "62238-1", "48642-3"), fresh_for=YEAR,
             source=_observed("LBXSCR by CKD-EPI 2021", "2 to 242 mL/min/1.73 m2")),
    Variable("uacr", "quantity", "urine", "mg/g", 0.05, 100000, laboratory=True, fresh_for=YEAR,
             modifiable=True, source=_observed("URXUMA / URXUCR", "0.1 to 92,500 mg/g")),
    Variable("urine_ketones", "yes_no", "urine", laboratory=True, fresh_for=7),
    Variable("proteinuria", "yes_no", "urine", laboratory=True, fresh_for=YEAR),
    Variable("alt", "quantity", "liver", "U/L", 0.5, 5000, laboratory=True, fresh_for=YEAR,
             modifiable=True, source=_observed("LBXSATSI", "3 to 1997 U/L")),
    Variable("ast", "quantity", "liver", "U/L", 0.5, 5000, laboratory=True, fresh_for=YEAR,
             modifiable=True,
             source=Source("Chen Y et al., BMJ Open 2018;8:e021768, Dryad data set",
                           "AST: observed 0.3 to 889 U/L; range rounded by us around it",
                           url="https://doi.org/10.5061/dryad.ft8750v")),
    Variable("ggt", "quantity", "liver", "U/L", 1, 5000, laboratory=True, fresh_for=YEAR,
             modifiable=True, source=_observed("LBXSGTSI", "3 to 1681 U/L")),
    Variable("uric_acid", "quantity", "uric_acid", "umol/L", 20, 1500, laboratory=True,
             fresh_for=YEAR, modifiable=True, source=_observed("LBXSUA", "0.4 to 17.6 mg/dL")),
)  # fmt: skip

VARIABLES: Mapping[str, Variable] = MappingProxyType({v.name: v for v in _ROWS})
"""Every variable by name, in the order in which they are asked for."""
