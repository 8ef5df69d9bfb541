"""What the person had, has and takes: answers 0 or 1, ICD-10 codes, drugs in free text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cdss.checkup.envelope import Dossier
from cdss.checkup.mapping import MEANINGS, CodeList
from cdss.checkup.notes import Notes
from cdss.checkup.words import doubtful, folded
from cdss.errors import Problem
from cdss.variables import Value

_PARTS = ("XML1", "XML9")
_ITEMS = re.compile(r"[;+\n]|,(?![0-9])")  # of drugs; "2,5mg" is one word
_CODE = re.compile(r"([A-Z][0-9]{2})(?:\.?([0-9]{1,2}))?(?![0-9A-Za-z])[†*+]?(.*)", re.DOTALL)


def history(dossier: Dossier, notes: Notes, *, zero_is_no: bool) -> None:
    """
    Read history, diagnoses and treatment.

    Parameters
    ----------
    dossier : Dossier
        One person's parts.
    notes : Notes
        Where it is noted.
    zero_is_no : bool
        0 is an answer here, and not what the program writes where nobody asked.
    """
    said: dict[tuple[str, Value], str] = {}
    for codes in MEANINGS.codes:
        for says, at in _listed(dossier, codes, notes):
            for name, value in says.items():
                said.setdefault((name, value), at)
    answers = _answers(dossier, notes)
    for flag in MEANINGS.flags:
        answer, at = answers.get(flag.tag, (None, ""))
        if answer is True:
            said.update({(n, v): at for n, v in flag.yes.items() if (n, v) not in said})
            if not flag.yes:
                detail = "says that there was such a disease, but not which: not used"
                notes.tell(Problem("unspecific", flag.tag, detail), at)
    if zero_is_no:
        _denied(answers, said, notes)
    elif zeros := tuple(tag for tag, (answer, _) in answers.items() if answer is False):
        detail = "are 0, which programs also write where nobody asked: not used as a no"
        notes.tell(
            Problem("perhaps_unasked", "medical_history", detail, {"tags": zeros}), dossier.at
        )
    for name, at in _drugs(dossier, notes):
        said.setdefault((name, True), at)
    _note(said, notes)


def _answers(dossier: Dossier, notes: Notes) -> dict[str, tuple[bool, str]]:
    """Tag → answer and where it stood."""
    answers = {}
    for flag in MEANINGS.flags:
        if found := dossier.said(flag.tag, *_PARTS):
            text, at = found
            if text in ("0", "1"):
                answers[flag.tag] = (text == "1", at)
            else:
                notes.tell(Problem("wrong_flag", flag.tag, "must be 0 or 1: not used"), at)
    return answers


def _denied(
    answers: Mapping[str, tuple[bool, str]], said: dict[tuple[str, Value], str], notes: Notes
) -> None:
    """Add what 0 says, unless a code or another answer says the contrary."""
    no = {
        (name, value): at
        for flag in MEANINGS.flags
        for answer, at in [answers.get(flag.tag, (None, ""))]
        if answer is False
        for name, value in flag.no.items()
    }
    for tags, variable in MEANINGS.none_of:
        if all(answers.get(tag, (None, ""))[0] is False for tag in tags):
            no[variable, False] = answers[tags[0]][1]
    for (name, value), at in no.items():
        if (name, True) in said:
            detail = "is answered by 0 although a code or another answer says yes: yes counts"
            notes.tell(Problem("overruled", name, detail), at)
        else:
            said[name, value] = at


def _note(said: Mapping[tuple[str, Value], str], notes: Notes) -> None:
    """Note what was said; of two types of diabetes, neither."""
    for (name, value), at in said.items():
        if any(other == name and v != value for other, v in said):
            detail = f"contradicts another {name}"
            notes.tell(Problem("contradictory", name, detail, {"others": (name,)}), at)
        else:
            notes.find(name, value, at)


def _listed(
    dossier: Dossier, codes: CodeList, notes: Notes
) -> Iterator[tuple[Mapping[str, Value], str]]:
    """What each listed code says, and where it stood."""
    found = dossier.said(codes.tag, *codes.parts)
    if found is None:
        return
    text, at = found
    unreadable = doubted = 0
    for item in filter(None, (piece.strip() for piece in re.split(r"[;,|\n]", text))):
        match = _CODE.match(item.upper())
        if match is None:
            unreadable += 1
        elif doubtful(match[3], MEANINGS.code_doubt):
            doubted += 1
        else:
            yield codes.says(match[1] + (match[2] or "")), at
    if unreadable:
        detail = "holds something that is no ICD-10 code: that is not used"
        notes.tell(Problem("no_code", codes.tag, detail, {"count": unreadable}), at)
    if doubted:
        detail = "holds a code with words of doubt or denial: that is not used"
        notes.tell(Problem("doubtful_code", codes.tag, detail, {"count": doubted}), at)


def _drugs(dossier: Dossier, notes: Notes) -> Iterator[tuple[str, str]]:
    """Treatments that the free text names, and where; none if it may deny one."""
    found = dossier.said(MEANINGS.drug_tag, *_PARTS)
    if found is None:
        return
    text, at = found
    items = [folded(item).split() for item in _ITEMS.split(text)]
    known = [[name for w in words for name in sorted(MEANINGS.drugs.get(w, ()))] for words in items]
    if any(known) and doubtful(text, MEANINGS.drug_doubt):
        detail = "names drugs beside words of denial, doubt or the past: not used"
        notes.tell(Problem("doubtful_drugs", MEANINGS.drug_tag, detail), at)
        return
    unknown = sum(bool(words) and not found for words, found in zip(items, known, strict=True))
    if unknown:
        detail = "names something that is not in the list of drugs: that is not used"
        notes.tell(Problem("unlisted_drugs", MEANINGS.drug_tag, detail, {"count": unknown}), at)
    yield from ((name, at) for names in known for name in names)
