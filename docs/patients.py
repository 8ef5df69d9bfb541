"""Write what cdss says of five invented patients: ``python docs/patients.py [--check]``."""

from __future__ import annotations

import io
import json
import sys
import tomllib
from pathlib import Path

from rich.console import Console

from cdss import PatientRecord, assess, load_jurisdiction, load_models, published_models
from cdss.i18n import words
from cdss.jurisdiction import select
from cdss.report import assessment_report

HERE = Path(__file__).parent
INTRODUCTION = {
    "en": """# Five patients

Invented people, assessed by the shipped models and the rules in force in Viet Nam. `make docs`
writes this page; a test fails if it is not what `cdss assess` says today.""",
    "vi": """# Năm người bệnh

Những người bệnh giả định, được đánh giá bằng các mô hình có sẵn và các quy tắc áp dụng tại Việt
Nam. `make docs` tạo ra trang này; một kiểm thử báo lỗi nếu trang khác với kết quả hiện tại.""",
}


def page(lang: str) -> str:
    """The page in one language."""
    place = load_jurisdiction("vn")
    # What ships is shown; a model that is not released says so in its own words.
    models = select([*load_models(), *published_models()], place)
    parts = [INTRODUCTION[lang], f"> {words(lang)('notice.advisory')}"]
    for file in sorted((HERE / "patients").glob("*.toml")):
        entry = tomllib.loads(file.read_text(encoding="utf-8"))
        record = PatientRecord.parse(entry["record"])
        shown = _text(assess(record, models, place, chosen=True), lang)
        sent = json.dumps(entry["record"], ensure_ascii=False)
        parts += [f"## {entry['title'][lang]}", f"```json\n{_wrapped(sent)}\n```"]
        parts.append(f"```text\n{shown}\n```")
    return "\n\n".join(parts) + "\n"


def _text(assessment: object, lang: str) -> str:
    console = Console(width=80, highlight=False, record=True, file=io.StringIO())
    console.print(assessment_report(assessment, lang))  # type: ignore[arg-type]
    return "\n".join(line.rstrip() for line in console.export_text().strip().splitlines())


def _wrapped(sent: str, width: int = 98) -> str:
    """JSON broken at commas."""
    lines, line = [], ""
    for part in sent.split(", "):
        joined = f"{line}, {part}" if line else part
        if len(joined) > width:
            lines.append(f"{line},")
            joined = f" {part}"
        line = joined
    return "\n".join([*lines, line])


def main() -> None:
    """Write the pages, or say that they are not up to date."""
    for lang in INTRODUCTION:
        file, text = HERE / f"patients.{lang}.md", page(lang)
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif file.read_text(encoding="utf-8") != text:
            sys.exit(f"{file.name} is not what cdss says: make docs")


if __name__ == "__main__":
    main()
