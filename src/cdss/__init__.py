"""
Clinical decision support for non-communicable diseases: one check-up into explained risks.

Advisory software for clinicians; not a medical device; not validated in Viet Nam.
"""

from cdss.assess import Assessment, assess, assess_all
from cdss.bundle import load_bundle, load_models
from cdss.equations import published_models
from cdss.errors import (
    AuditError,
    BundleError,
    CdssError,
    DefinitionError,
    Problem,
    RecordError,
    UnknownJurisdiction,
    UnknownLanguage,
    UnknownModel,
)
from cdss.estimate import Contribution, NoEstimate, PointsTotal, RiskEstimate, RiskRange
from cdss.guideline import Advice, Undecided
from cdss.jurisdiction import JURISDICTIONS, Jurisdiction, Model, load_jurisdiction
from cdss.points import PointsScore
from cdss.record import PatientRecord
from cdss.risk import RiskModel
from cdss.source import Source
from cdss.variables import VARIABLES, Variable

__version__ = "0.1.0"

__all__ = [
    "JURISDICTIONS",
    "VARIABLES",
    "Advice",
    "Assessment",
    "AuditError",
    "BundleError",
    "CdssError",
    "Contribution",
    "DefinitionError",
    "Jurisdiction",
    "Model",
    "NoEstimate",
    "PatientRecord",
    "PointsScore",
    "PointsTotal",
    "Problem",
    "RecordError",
    "RiskEstimate",
    "RiskModel",
    "RiskRange",
    "Source",
    "Undecided",
    "UnknownJurisdiction",
    "UnknownLanguage",
    "UnknownModel",
    "Variable",
    "assess",
    "assess_all",
    "load_bundle",
    "load_jurisdiction",
    "load_models",
    "published_models",
]
