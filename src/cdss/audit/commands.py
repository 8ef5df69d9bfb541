"""``cdss audit`` and ``cdss replay``."""

from __future__ import annotations

import getpass
import json
import os
import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cdss.audit.chain import Head, verify
from cdss.audit.entry import forgotten
from cdss.audit.export import as_fhir, as_json
from cdss.audit.identity import code
from cdss.audit.keys import Keys, add_key, read_keys
from cdss.audit.replay import Replayed, kept_of, record_in, replay
from cdss.audit.site import Site, open_log, read_site
from cdss.audit.store import open_store
from cdss.bundle import SHIPPED, load_models
from cdss.console import (
    DAMAGED,
    Format,
    Lang,
    Output,
    explained,
    fail,
    read_json,
    show,
    show_json,
    words_of,
)
from cdss.equations import published_models
from cdss.errors import AuditError
from cdss.i18n import Words
from cdss.report import assessment_report
from cdss.wire import to_dict

NOT_REPRODUCED = 5

app = typer.Typer(
    help="The log of what was assessed: check it, export it, look after its keys.",
    no_args_is_help=True,
)

Log = Annotated[
    str | None,
    typer.Option("--audit", envvar="CDSS_AUDIT", help="The log: a file or postgresql:// URL."),
]
KeysFile = Annotated[
    Path | None,
    typer.Option("--keys", envvar="CDSS_AUDIT_KEYS", help="The file of keys; FILE.keys."),
]


class Exported(StrEnum):
    """How an entry is written."""

    jsonl = "jsonl"
    fhir = "fhir"


@app.command("create")
def create_log(audit: Log = None, keys: KeysFile = None, lang: Lang = "en") -> None:
    """Make a log and its first key; the server does it too, if it may."""
    text = words_of(lang)
    with explained(text):
        site = _site(audit, keys)
        store, found = open_log(site)
        with closing(store):
            show(text("audit.created", name=store.name, id=found.current.id))


@app.command("verify")
def verify_log(
    audit: Log = None,
    head: Annotated[
        str | None, typer.Option(help="What was noted earlier, as ENTRIES:HASH; it must be in it.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Check that no entry was changed, taken out or put in."""
    text = words_of(lang)
    with explained(text):
        known = _head(head) if head else None
        with closing(open_store(_log(audit), write=False)) as store:
            try:
                found = verify(store.lines(), known)
            except AuditError as error:
                fail(text("audit.tampered", name=store.name), str(error), code=DAMAGED)
    show(text("audit.verified", entries=found.entries, head=f"{found.entries}:{found.hash}"))


@app.command("export")
def export_log(
    audit: Log = None,
    form: Annotated[
        Exported, typer.Option("--format", help="As it is, or as FHIR R4 AuditEvents.")
    ] = Exported.jsonl,
    after: Annotated[int, typer.Option(min=0, help="Leave out the first so many entries.")] = 0,
    lang: Lang = "en",
) -> None:
    """Print the log, a line of JSON for each entry."""
    write = as_fhir if form is Exported.fhir else as_json
    with explained(words_of(lang)), closing(open_store(_log(audit), write=False)) as store:
        for line in store.lines(after):
            sys.stdout.write(f"{write(line)}\n")


@app.command("forget")
def forget(
    assessment_id: Annotated[str, typer.Argument(help="Of the assessment.")],
    audit: Log = None,
    keys: KeysFile = None,
    lang: Lang = "en",
) -> None:
    """Delete the record and answer kept of an assessment; its entry stays, and one is added."""
    text = words_of(lang)
    with explained(text):
        site = _site(audit, keys)
        secret = read_keys(site.keys).current
        with closing(open_store(site.log, create=False)) as store:
            store.forget(assessment_id, forgotten(assessment_id, getpass.getuser(), secret))
    show(text("audit.forgotten", id=assessment_id))


@app.command("new-key")
def new_key(audit: Log = None, keys: KeysFile = None, lang: Lang = "en") -> None:
    """Add a key, which servers use once they are restarted; older ones stay for reading."""
    text = words_of(lang)
    with explained(text):
        site = _site(audit, keys)
        show(text("audit.new_key", id=add_key(site.keys).id, file=str(site.keys)))


def replay_assessment(
    assessment_id: Annotated[str, typer.Argument(help="Of the assessment.")],
    audit: Log = None,
    keys: KeysFile = None,
    record: Annotated[
        Path | None,
        typer.Option(help="What was sent, JSON, where the site keeps no records; - is the input."),
    ] = None,
    bundles: Annotated[
        Path, typer.Option(envvar="CDSS_BUNDLES", help="Folder of the bundles.")
    ] = SHIPPED,
    lang: Lang = "en",
    form: Output = Format.text,
) -> None:
    """Assess again what was assessed, with the same models, and compare the answers."""
    text = words_of(lang)
    with explained(text):
        site = _site(audit, keys)
        document = read_json(record, text) if record else None
        entry, found = _replayed(site, assessment_id, document, bundles)
    if form is Format.json:
        show_json(_said(entry, found, lang))
    else:
        show(*_lines(entry, found, text), "", assessment_report(found.assessment, lang))
    if found.verdict == "different":
        raise typer.Exit(NOT_REPRODUCED)


def _replayed(site: Site, id: str, document: Any, bundles: Path) -> tuple[dict[str, Any], Replayed]:
    found: Keys = read_keys(site.keys)
    with closing(open_store(site.log, write=False)) as store:
        entry = json.loads(store.find(id).entry)
        if "answer_sha256" not in entry:
            raise AuditError(f"{id} is no assessment")
        key = found.of(entry["key"])
        kept = kept_of(store, found, id)
    if document is not None:
        record = record_in(document, entry, key)
    elif kept:
        record = kept[0]
    else:
        raise AuditError("its record is not kept: --record names the file that was sent")
    ids = [each["model"] for each in entry["models"]]
    trained = [i for i in ids if (bundles / i / "manifest.json").is_file()]
    models = [
        *(load_models(trained, folder=bundles, ungated=True) if trained else ()),
        *(model for model in published_models() if model.id in ids),
    ]
    return entry, replay(entry, record, models, key, kept[1] if kept else None)


def _lines(entry: dict[str, Any], found: Replayed, text: Words) -> list[str]:
    lines = [
        text("audit.entry", recorded=entry["recorded"], kind=entry["kind"],
             client=entry["subject"] or "-"),
        *(f"  {m['model']} {m['version']} {m['digest']}" for m in entry["models"]),
        text(f"audit.{found.verdict}"),
    ]  # fmt: skip
    if found.verdict == "different":
        lines += found.where or [text("audit.not_kept")]
        if found.code != code():
            lines.append(text("audit.other_code", version=found.code.version,
                              digest=found.code.digest[:16]))  # fmt: skip
    return lines


def _said(entry: dict[str, Any], found: Replayed, lang: str) -> dict[str, Any]:
    id = entry["assessment_id"]
    return {
        "assessment_id": id,
        "verdict": found.verdict,
        "largest_difference": found.largest,
        "different": list(found.where),
        "same_code": found.code == code(),
        "entry": entry,
        "assessment": to_dict(found.assessment, assessment_id=id, lang=lang),
    }


def _site(audit: str | None, keys: Path | None) -> Site:
    """What the options and the environment, which they can come from, say."""
    given = {"CDSS_AUDIT": audit, "CDSS_AUDIT_KEYS": str(keys) if keys else None}
    site = read_site(os.environ | {name: value for name, value in given.items() if value})
    if site is None:
        raise AuditError("CDSS_AUDIT is none: there is no log")
    return site


def _log(audit: str | None) -> str:
    """The log alone: to check and to export it, no key is needed."""
    return _site(audit, Path("unused")).log


def _head(noted: str) -> Head:
    entries, _, last = noted.partition(":")
    if not entries.isdecimal() or len(last) != 64:
        raise AuditError("--head must be as `cdss audit verify` prints it: ENTRIES:HASH")
    return Head(int(entries), last)
