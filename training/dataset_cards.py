"""``datasets/README.md``, made from the descriptions: ``python -m training.dataset_cards``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdss.variables import VARIABLES
from training.mapping import DATASETS, columns_of, dataset_facts, extra_spec

PAGE = DATASETS / "README.md"

HEAD = """\
# Data sets
Made by `python -m training.dataset_cards` from the descriptions beside it; a test fails if it is
stale. No data are kept here: a description says where a table comes from and what its columns mean.

| data set | people | licence | terms |
|---|---|---|---|
"""

ANATOMY = """
The NHANES table can be made by anybody from CDC's public files:
`python -m training data nhanes --cycles 1999-2014 --out FOLDER`, then `CDSS_DATA=FOLDER`.
Which names were checked against what: `training/nhanes/cycles.toml`.

## What a description contains
A file `<name>.toml` here, or a site's own mapping file given by path (`--mapping FILE --table FILE`;
[an example](../docs/example_site/)), has:

| key | meaning |
|---|---|
| `[columns]` | variable = `{ column, unit }` for a quantity; `{ column, recode = { label = value } }` for a yes/no (`true`, `false`) or a choice. Instead of `column`: `mean_of = [columns]` for a quantity, `cases = [{ column, equals, value }]` (the first that holds) otherwise. `unknown = [labels]`: what the table writes for "not known". Variables are those of `cdss.variables`, units those of `cdss.units` |
| `[extra]` | what is no variable, name = column: site, outcome, follow-up. Or `{ column, recode }`, or `{ column, unit }` with `d`, `mo` or `a`, turned into years |
| `[audit]`, `[design]` | as `[extra]`, but may be absent from a table: whom a model must serve equally well; survey weight, stratum and sampling unit |
| `person` | column that says which rows are one person; empty if every row is somebody else |
| `file`, `decimal`, `separator`, `encoding` | the table beside a mapping; how a CSV is written |
| `title`, `origin`, `url`, `licence`, `terms`, `population`, `known_defects` | what the data are; required here, not in a site's own mapping |
| `name` | what reports call the data set; by default the file's name |

An unknown key, variable, unit or value is refused, with what there is instead; so are missing columns
and columns of which nothing can be used, all at once. An unexplained label, text where a number should
be and a number outside the variable's plausible range become unknown, and the table's report says how
many and why. Labels appear in it only if ten or more rows share them.
"""  # noqa: E501


def page() -> str:
    """
    Write the page.

    Returns
    -------
    str
        Markdown.
    """
    names = sorted(path.stem for path in DATASETS.glob("*.toml"))
    every = {name: dataset_facts(name) for name in names}
    rows = "".join(
        f"| [{name}](#{name}) | {facts['population']} | {facts['licence']} | {facts['terms']} |\n"
        for name, facts in every.items()
    )
    return HEAD + rows + ANATOMY + "".join("\n".join(_card(*item)) for item in every.items())


def _card(name: str, facts: dict[str, Any]) -> Iterator[str]:
    yield f"\n## {name}"
    yield f"{facts['title']}. {facts['origin']} ([where]({facts['url']}))."
    yield ""
    yield f"**Licence** {facts['licence']}. **Terms** {facts['terms']}."
    yield f"**Population** {facts['population']}."
    yield ""
    yield "Known defects:"
    yield from (f"- {defect}" for defect in facts["known_defects"])
    yield ""
    yield "| variable | column | unit or code |"
    yield "|---|---|---|"
    for variable, spec in facts["columns"].items():
        columns = ", ".join(f"`{column}`" for column in dict.fromkeys(columns_of(spec)))
        mean = "mean of " if "mean_of" in spec else ""
        yield f"| {variable} | {mean}{columns} | {_coding(variable, spec)} |"
    for group in ("extra", "audit", "design"):
        for extra, spec in facts.get(group, {}).items():
            yield f"| {extra} ({group}) | `{extra_spec(spec)['column']}` | as it is |"
    yield ""


def _coding(variable: str, spec: dict[str, Any]) -> str:
    """How a variable is coded in the table."""
    if VARIABLES[variable].kind == "quantity":
        return f"{spec['unit']}"
    pairs = (
        [(f"{case['column']} = {case['equals']}", case["value"]) for case in spec["cases"]]
        if "cases" in spec
        else list(spec["recode"].items())
    )
    words = {True: "yes", False: "no"}
    return ", ".join(f"{label} → {words.get(value, value)}" for label, value in pairs)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
