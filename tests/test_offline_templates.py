"""Templates of the page in JavaScript: each can be translated, the rest is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment

from serving.offline import templates as translator
from serving.offline.calls import Untranslatable
from serving.offline.parts import completed
from serving.page.render import TEMPLATES

PAGE = Path(__file__).parents[1] / "serving" / "offline" / "page" / "js"
SHOWN = {
    "text": "<b>&'\"", "rows": [["a", 1], ["b", 2]], "empty": [], "yes": True, "no": False,
    "known": {"a": "<"}, "people": [{"name": "x", "parts": [1], "now": True},
                                    {"name": "y", "parts": [2, 3], "now": False}],
}  # fmt: skip


def environment(monkeypatch: pytest.MonkeyPatch, **sources: str) -> Environment:
    """The page's environment with other templates."""
    made = TEMPLATES.overlay(
        loader=DictLoader({f"{name}.html.j2": source for name, source in sources.items()})
    )
    monkeypatch.setattr(translator, "TEMPLATES", made)
    monkeypatch.setattr(translator, "NAMES", tuple(sources))
    return made


def rendered(made: dict[str, str], tmp_path: Path, shown: dict[str, Any]) -> str:
    """What the translated template ``t`` gives, in node."""
    if not shutil.which("node"):
        pytest.skip("needs node")
    folder = tmp_path / "js" / "made"
    folder.mkdir(parents=True)
    for file in ("python.js", "texts.js", "jinja.js", "markup.js"):
        shutil.copy(PAGE / file, tmp_path / "js" / file)
    (tmp_path / "js" / "package.json").write_text('{"type": "module"}')
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "run.js").write_text(
        'import { main } from "./template_t.js";'
        f"console.log(JSON.stringify(main({json.dumps(shown)})));"
    )
    done = subprocess.run(["node", folder / "run.js"], capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout))


@pytest.mark.parametrize(
    "source",
    [
        "{{ text }} &amp; {{ 'it' ~ \"'s\" }} {{ text ~ 1 }}",
        "{% for name, n in rows %}{{ loop.index }}{{ name }}{{ ',' if not loop.last }}{% endfor %}",
        "{% for p in people if p.now %}{{ p.name }}{% endfor %}",
        "{% if no %}1{% elif rows|length > 1 and yes %}2{% else %}3{% endif %}",
        "{% if empty or text in known %}1{% endif %}{% if 'a' in known and 'b' not in known %}2"
        "{% endif %}",
        "{% set all = people|map(attribute='parts')|sum(start=[]) %}{{ all|join('-') }}",
        "{{ people|selectattr('now')|list|length }}",
        "{{ people|rejectattr('now')|map(attribute='name')|join }}",
        "{{ known.get('a', '') }}{{ known.get('z', 'none') }}{{ known['a'] }}{{ rows[0][1] }}",
        "{% macro m(a, b='!') %}<i>{{ a }}{{ b }}</i>{% endmacro %}{{ m(text) }}{{ m(1, b='?') }}",
        "{% if absent is defined %}1{% endif %}{% if text is defined %}2{% endif %}",
        "{% for n in range(3) %}{{ n }}{% endfor %}{{ [1, 1, 2]|unique|list|length }}",
        "{% for name, n in rows|reverse %}{{ name }}{% endfor %}{# told to nobody #}",
    ],
)  # fmt: skip
def test_a_template_gives_what_jinja_gives(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = environment(monkeypatch, t=source).get_template("t.html.j2").render(**SHOWN)
    assert rendered(translator.templates(), tmp_path, SHOWN) == own


def test_templates_use_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {
        "t": '{% import "m.html.j2" as m with context %}{{ m.bold(text, twice=True) }}'
        '{% include "i.html.j2" %}',
        "m": "{% macro bold(a, twice=False) %}<b>{{ a if twice }}{{ yes }}</b>{% endmacro %}",
        "i": "({{ rows|length }})",
    }
    shown = SHOWN | {"yes": "y"}
    own = environment(monkeypatch, **sources).get_template("t.html.j2").render(**shown)
    assert rendered(translator.templates(), tmp_path, shown) == own


@pytest.mark.parametrize(
    "source",
    [
        "{{ text|safe }}",
        "{{ text|upper }}",
        "{% for a in rows recursive %}{% endfor %}",
        "{% for a in rows %}{% else %}x{% endfor %}",
        "{% call text() %}{% endcall %}",
        "{{ 1 if text is number }}",
        "{{ 2 ** 3 }}",
        "{% macro m(a) %}{% endmacro %}{{ m(b=1) }}",
    ],
)
def test_what_has_no_counterpart_is_refused(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, t=source)
    with pytest.raises(Untranslatable, match=r"t\.html\.j2, line 1"):
        translator.templates()


def test_a_name_that_another_module_lacks_is_refused() -> None:
    made = {"a.js": 'import { x, y } from "./b.js";\n', "b.js": "export { x };\n"}
    with pytest.raises(Untranslatable, match=r"a\.js: b\.js has no y"):
        completed(made)
