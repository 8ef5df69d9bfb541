"""
Unit conversion: one sourced row for each (analyte, unit); canonical = value * factor + offset.

A unit says nothing without its analyte: 1 mmol/L of cholesterol and of glucose are different
numbers of mg/dL. An unknown unit is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cdss.source import Source
from cdss.variables import VARIABLES

SI = Source("BIPM, The International System of Units, 9th ed. 2019", "Tables 5, 8; ch. 2.3.4")
YARD = Source("International yard and pound agreement 1959", "1 in = 2.54 cm; 1 lb = 0.45359237 kg")
MERCURY = Source("UCUM 2.1", "unit m[Hg]: 133.3220 kPa", url="https://ucum.org/ucum")
MOLAR = Source(
    "UCUM-LHC (National Library of Medicine), checked through @lhncbc/ucum-lhc",
    "molar masses in g/mol: cholesterol 386.65, triglyceride 885.4, glucose 180.16, "
    "creatinine 113.12",
)
URIC = Source(
    "IUPAC abridged standard atomic weights 2021",
    "C5H4N4O3: 5 x 12.011 + 4 x 1.008 + 4 x 14.007 + 3 x 15.999 = 168.112 g/mol",
)
IFCC = Source(
    "NGSP/IFCC master equation: NGSP (%) = 0.09148 x IFCC (mmol/mol) + 2.152",
    "master equation; agrees with 6.5 % = 48 mmol/mol as printed in Decision 5481/QD-BYT (2020)",
    url="https://ngsp.org/ifcc.asp",
)


class Conversion(NamedTuple):
    """How to get from one unit of one analyte to its canonical unit."""

    factor: float
    offset: float
    source: Source


def _mmol_per_l(molar_mass: float, source: Source) -> dict[str, Conversion]:
    """mg/dL, g/L → mmol/L."""
    return {
        "mg/dL": Conversion(10 / molar_mass, 0, source),
        "g/L": Conversion(1000 / molar_mass, 0, source),
        "umol/L": Conversion(0.001, 0, SI),
    }


def _umol_per_l(molar_mass: float, source: Source) -> dict[str, Conversion]:
    """mg/dL, mg/L, mmol/L → umol/L."""
    return {
        "mg/dL": Conversion(10_000 / molar_mass, 0, source),
        "mg/L": Conversion(1000 / molar_mass, 0, source),
        "mmol/L": Conversion(1000, 0, SI),
    }


_LENGTH = {
    "m": Conversion(100, 0, SI),
    "mm": Conversion(0.1, 0, SI),
    "[in_i]": Conversion(2.54, 0, YARD),
    "[ft_i]": Conversion(30.48, 0, YARD),
}
_PRESSURE = {"kPa": Conversion(1 / 0.1333220, 0, MERCURY)}
_CHOLESTEROL = _mmol_per_l(386.65, MOLAR)
_GLUCOSE = _mmol_per_l(180.16, MOLAR)
_ENZYME = {"ukat/L": Conversion(60, 0, SI), "nkat/L": Conversion(0.06, 0, SI)}

_TABLE: dict[str, dict[str, Conversion]] = {
    "age": {"mo": Conversion(1 / 12, 0, SI)},
    "age_at_diabetes_diagnosis": {"mo": Conversion(1 / 12, 0, SI)},
    "height": _LENGTH,
    "waist": _LENGTH,
    "mid_arm_circumference": _LENGTH,
    "weight": {"g": Conversion(0.001, 0, SI), "[lb_av]": Conversion(0.45359237, 0, YARD)},
    "systolic_bp": _PRESSURE,
    "diastolic_bp": _PRESSURE,
    "total_cholesterol": _CHOLESTEROL,
    "hdl_cholesterol": _CHOLESTEROL,
    "non_hdl_cholesterol": _CHOLESTEROL,
    "ldl_cholesterol": _CHOLESTEROL,
    "triglycerides": _mmol_per_l(885.4, MOLAR),
    "fasting_glucose": _GLUCOSE,
    "random_glucose": _GLUCOSE,
    "ogtt_glucose": _GLUCOSE,
    "hba1c": {"mmol/mol": Conversion(0.09148, 2.152, IFCC)},
    "creatinine": _umol_per_l(113.12, MOLAR),
    "uric_acid": _umol_per_l(168.112, URIC),
    "uacr": {"mg/mmol": Conversion(1000 / 113.12, 0, MOLAR), "ug/mg": Conversion(1, 0, SI)},
    "alt": _ENZYME,
    "ast": _ENZYME,
    "ggt": _ENZYME,
}

_SAME = Conversion(1.0, 0.0, Source("UCUM 2.1", "the canonical unit itself"))
UNITS: Mapping[str, Mapping[str, Conversion]] = MappingProxyType(
    {
        name: MappingProxyType({v.unit: _SAME} | _TABLE.get(name, {}))
        for name, v in VARIABLES.items()
        if v.kind == "quantity"
    }
)
"""Variable → accepted UCUM unit → conversion; the canonical unit comes first."""

# What people write → UCUM. Compared without spaces, case and superscripts; "µ" and "μ" are "u".
_SPELLINGS: dict[str, str] = {
    "a": "a", "year": "a", "years": "a", "yr": "a", "yrs": "a", "mo": "mo", "months": "mo",
    "cm": "cm", "m": "m", "mm": "mm", "in": "[in_i]", "inch": "[in_i]", "inches": "[in_i]",
    "[in_i]": "[in_i]", "[in_us]": "[in_i]", "ft": "[ft_i]", "[ft_i]": "[ft_i]",
    "kg": "kg", "kgs": "kg", "g": "g", "lb": "[lb_av]", "lbs": "[lb_av]", "[lb_av]": "[lb_av]",
    "kg/m2": "kg/m2", "kg/m^2": "kg/m2",
    "mm[hg]": "mm[Hg]", "mmhg": "mm[Hg]", "kpa": "kPa",
    "/min": "/min", "bpm": "/min", "beats/min": "/min", "{beats}/min": "/min", "1/min": "/min",
    "mmol/l": "mmol/L", "umol/l": "umol/L", "mcmol/l": "umol/L", "mg/dl": "mg/dL", "g/l": "g/L",
    "mg/l": "mg/L", "mg%": "mg/dL",
    "%": "%", "mmol/mol": "mmol/mol", "mmol/molhb": "mmol/mol", "%{hb}": "%", "%{hba1c}": "%",
    "ml/min/{1.73_m2}": "mL/min/{1.73_m2}", "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "ml/min/1.73m^2": "mL/min/{1.73_m2}", "ml/min/1.73_m2": "mL/min/{1.73_m2}",
    "mg/g": "mg/g", "mg/gcr": "mg/g", "mg/g{creat}": "mg/g", "mg/mmol": "mg/mmol",
    "ug/mg": "ug/mg", "u/l": "U/L", "iu/l": "U/L", "ui/l": "U/L", "[iu]/l": "U/L",
    "ukat/l": "ukat/L", "nkat/l": "nkat/L", "{drugs}": "{drugs}", "1": "{drugs}",
    "{units}/d": "{units}/d", "units/day": "{units}/d", "drinks/day": "{units}/d",
}  # fmt: skip
_FOLD = str.maketrans({"µ": "u", "μ": "u", "²": "2", " ": None, "\u00a0": None})


def canonical_unit(spelling: str) -> str | None:
    """
    UCUM code for what somebody wrote as a unit.

    Parameters
    ----------
    spelling : str
        For example ``"mmHg"``, ``"µmol/L"``, ``"mg/dl"``, ``"mL/min/1.73m²"``.

    Returns
    -------
    str or None
        The UCUM code; None if the spelling is not known.
    """
    return _SPELLINGS.get(spelling.translate(_FOLD).lower())


def convert(variable: str, value: float, unit: str) -> float | None:
    """
    Bring a value to the canonical unit of its variable.

    Parameters
    ----------
    variable : str
        Name of a quantity in `cdss.variables`.
    value : float
        The value as sent.
    unit : str
        Its unit, UCUM or a common spelling.

    Returns
    -------
    float or None
        The value in the canonical unit; None if the unit is not accepted for this variable.

    Examples
    --------
    >>> round(convert("total_cholesterol", 200, "mg/dl"), 2)
    5.17
    >>> round(convert("hba1c", 48, "mmol/mol"), 1)
    6.5
    >>> convert("total_cholesterol", 200, "mmHg") is None
    True
    """
    code = canonical_unit(unit)
    conversion = UNITS[variable].get(code) if code else None
    return None if conversion is None else value * conversion.factor + conversion.offset


def mg_per_dl(variable: str, value: Any) -> Any:
    """
    Say a quantity in mg/dL, as American equations ask for it.

    Parameters
    ----------
    variable : str
        Name of a quantity that has this unit.
    value : float or ndarray
        In the canonical unit.

    Returns
    -------
    float or ndarray
        In mg/dL; what was sent in mg/dL comes back as it was.
    """
    return value / UNITS[variable]["mg/dL"].factor


def mmol_per_mol(hba1c: Any) -> Any:
    """
    Say HbA1c in mmol/mol (IFCC).

    Parameters
    ----------
    hba1c : float or ndarray
        In % (NGSP).

    Returns
    -------
    float or ndarray
        In mmol/mol; what was sent in mmol/mol comes back as it was.
    """
    conversion = UNITS["hba1c"]["mmol/mol"]
    return (hba1c - conversion.offset) / conversion.factor
