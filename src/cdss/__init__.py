"""
Clinical decision support for non-communicable diseases: one check-up into explained risks.

Advisory software for clinicians; not a medical device; not validated in Viet Nam.
"""

from cdss.assess import Assessment, assess, assess_all
from cdss.bundle import load_bundle, load_models
from cdss.errors import (
    BundleError,
    CdssError,
    DefinitionError,
    Problem,
    RecordError,
    UnknownLanguage,
    UnknownModel,
)
from cdss.estimate import Contribution, NoEstimate, RiskEstimate
from cdss.record import PatientRecord
from cdss.risk import RiskModel
from cdss.source import Source
from cdss.variables import VARIABLES, Variable

__version__ = "0.1.0"

__all__ = [
    "VARIABLES",
    "Assessment",
    "BundleError",
    "CdssError",
    "Contribution",
    "DefinitionError",
    "NoEstimate",
    "PatientRecord",
    "Problem",
    "RecordError",
    "RiskEstimate",
    "RiskModel",
    "Source",
    "UnknownLanguage",
    "UnknownModel",
    "Variable",
    "assess",
    "assess_all",
    "load_bundle",
    "load_models",
]
