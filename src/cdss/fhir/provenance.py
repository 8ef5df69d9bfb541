"""Who says so: Devices that name software, models, versions and hashes, and a Provenance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import cdss
from cdss.fhir.context import Context
from cdss.fhir.parts import (
    CODES,
    LABEL,
    SYSTEM,
    Resource,
    coding,
    concept,
    filled,
    instant,
    name,
    own,
    references,
)
from cdss.i18n import Words
from cdss.i18n.guidance import cited
from cdss.i18n.models import licence, model_kind, population, vietnam
from cdss.jurisdiction import Model

_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def software(text: Words, base_url: str | None = None) -> Resource:
    """
    Describe the software.

    Parameters
    ----------
    text : Words
        Words of a language.
    base_url : str, optional
        Where this server is.

    Returns
    -------
    dict
        Device; its id depends on its version only.
    """
    version = cdss.__version__
    return filled(
        resourceType="Device",
        id=name("Device", "cdss", version),
        language=text.lang,
        identifier=[{"system": SYSTEM["device"], "value": f"cdss@{version}"}],
        status="active",
        manufacturer="cdss",
        deviceName=[{"name": "cdss", "type": "model-name"}],
        type=concept(text("fhir.software")),
        version=[{"value": version}],
        url=base_url,
        note=[{"text": text("notice.advisory")}],
    )


def device_id(model: Model) -> str:
    """
    Name the Device of a model: the same as long as its numbers are.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.

    Returns
    -------
    str
        A UUID.
    """
    return _device_id(model.id, model.version, str(model.facts.get("digest", "")))


@lru_cache(maxsize=256)
def _device_id(model: str, version: str, digest: str) -> str:
    return name("Device", model, version, digest)


def device(model: Model, text: Words) -> Resource:
    """
    Describe a model as a Device: name, version, hash, from whom, for whom.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    text : Words
        Words of a language.

    Returns
    -------
    dict
        Device; the hash is that of a trained model's bundle. An equation has none: the version of
        the software, its parent, stands for its numbers.
    """
    kind, digest = model_kind(model), model.facts.get("digest")
    version = [{"type": {"text": "model"}, "value": model.version}]
    identifier = [{"system": SYSTEM["device"], "value": f"{model.id}@{model.version}"}]
    if digest:
        version.append({"type": {"text": "bundle SHA-256"}, "value": str(digest)})
        identifier.append({"system": SYSTEM["digest"], "value": str(digest)})
    said = [
        population(model, text), vietnam(model, text), licence(model, text),
        *(cited(source) for source in model.sources),
    ]  # fmt: skip
    if not getattr(model, "released", True):
        said.append(text("card.not_released"))
    return filled(
        resourceType="Device",
        id=device_id(model),
        language=text.lang,
        identifier=identifier,
        status="active",
        manufacturer="cdss",
        deviceName=[{"name": model.id, "type": "model-name"}],
        modelNumber=model.id,
        type=concept(text(f"fhir.{kind}"), *([CODES["ai_device"]] if kind == "trained" else [])),
        version=version,
        note=[{"text": each} for each in said],
        parent=own(name("Device", "cdss", cdss.__version__)),
    )


def provenance(
    context: Context, targets: Iterable[Resource], models: Iterable[str], recorded: datetime
) -> Resource:
    """
    Say who made which resources, when, and from what.

    Parameters
    ----------
    context : Context
        Of this answer.
    targets : iterable of dict
        The resources made.
    models : iterable of str
        Ids of the models that answered.
    recorded : datetime.datetime
        When.

    Returns
    -------
    dict
        Provenance; which model made which resource, the resource itself says.
    """
    author = concept("", coding(_PARTICIPANT, "author", "Author"))
    agents = [
        filled(
            type=author,
            role=[concept("", CODES["ai_device"])]
            if model_kind(context.models[model]) == "trained"
            else [],
            who=context.device(model),
        )
        for model in models
    ]
    assembler = own(name("Device", "cdss", cdss.__version__))
    agents.append(
        {"type": concept("", coding(_PARTICIPANT, "assembler", "Assembler")), "who": assembler}
    )
    used = references(at for places in context.places.values() for at in places)
    return filled(
        resourceType="Provenance",
        id=name(context.assessment_id, "Provenance"),
        meta={"security": [dict(LABEL)]},
        target=[own(target["id"]) for target in targets],
        recorded=instant(recorded),
        reason=[concept("", dict(LABEL))],
        agent=agents,
        entity=[{"role": "source", "what": each} for each in used],
    )
