"""Formulas and rules in JavaScript: everything there is can be translated, the rest is refused."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cdss import published_models
from cdss.bundle import SHIPPED
from cdss.equations import EQUATIONS
from cdss.guidelines import GUIDELINES
from cdss.jurisdiction import JURISDICTIONS, load_jurisdiction
from cdss.risk import RiskModel
from cdss.variables import VARIABLES
from serving.offline.calls import Untranslatable
from serving.offline.data import data_modules
from serving.offline.literals import javascript
from serving.offline.parts import translated
from serving.offline.statements import Part
from serving.offline.translate import translate
from tests.offline_cases import USUAL

PAGE = Path(__file__).parents[1] / "serving" / "offline" / "page" / "js"


def module(tmp_path: Path, source: str) -> types.ModuleType:
    """Import a module made of some source."""
    (tmp_path / "sample.py").write_text(source)
    sys.path.insert(0, str(tmp_path))
    try:
        sys.modules.pop("sample", None)
        return __import__("sample")
    finally:
        sys.path.remove(str(tmp_path))


def computed(tmp_path: Path, source: str, call: str) -> Any:
    """What a call of the translated module gives, in node."""
    if not shutil.which("node"):
        pytest.skip("needs node")
    made = tmp_path / "js" / "made"
    made.mkdir(parents=True, exist_ok=True)
    for file in ("python.js", "texts.js"):
        shutil.copy(PAGE / file, tmp_path / "js" / file)
    (tmp_path / "js" / "package.json").write_text('{"type": "module"}')
    text = translate(Part(module(tmp_path, source), "sample.js"), {})
    (made / "sample.js").write_text(text)
    (made / "run.js").write_text(
        f'import * as m from "./sample.js"; import * as py from "../python.js";'
        f"console.log(JSON.stringify({call}));"
    )
    done = subprocess.run(["node", made / "run.js"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", JURISDICTIONS)
def test_every_guideline_and_every_equation_can_be_translated(name: str) -> None:
    made = translated(load_jurisdiction(name), published_models())
    folders = {m.facts["equation"] for m in published_models() if "function" in m.facts}
    wanted = {f"formula_{folder}.js" for folder in folders}
    assert wanted <= set(made)
    assert len(wanted) >= 7
    assert {name.removeprefix("rules_").removesuffix(".js") for name in made
            if name.startswith("rules_")} <= set(GUIDELINES)  # fmt: skip
    assert len(EQUATIONS) >= len(wanted)


def test_every_equation_gives_the_librarys_numbers(tmp_path: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("needs node")
    models = [m for m in published_models() if "function" in m.facts]
    made = tmp_path / "js" / "made"
    made.mkdir(parents=True)
    for file in ("python.js", "texts.js", "source.js"):
        shutil.copy(PAGE / file, tmp_path / "js" / file)
    (tmp_path / "js" / "package.json").write_text('{"type": "module"}')
    place = load_jurisdiction("vn")
    for name, text in (translated(place, models) | data_modules(place, models, SHIPPED)).items():
        (made / name).write_text(text, encoding="utf-8")
    chance = random.Random(6)
    asked = [(at, values(model, chance)) for at, model in enumerate(models) for _ in range(20)]
    (made / "run.js").write_text(
        'import { FORMULAS } from "./formulas.js"; import { MODELS } from "./models.js";'
        f"const found = {javascript(asked)}.map(([at, values]) => {{ const model = MODELS[at];"
        "const [folder, name] = model.formula; return ['male', 'female'].map((sex) =>"
        "FORMULAS[folder][name](model.coefficients[sex], sex, values)); });"
        "console.log(JSON.stringify(found));"
    )
    done = subprocess.run(["node", made / "run.js"], capture_output=True, text=True, check=True)
    facts = [model.facts for model in models]
    expected = [
        [float(facts[at]["function"](facts[at]["coefficients"][sex], sex, **given))
         for sex in ("male", "female")] for at, given in asked
    ]  # fmt: skip
    assert np.abs(np.array(json.loads(done.stdout)) - expected).max() < 1e-12
    assert len(models) >= 20


def values(model: RiskModel, chance: random.Random) -> dict[str, float]:
    """Values within the limits of an equation, as it takes them."""
    found = {}
    for name in model.inputs[1:]:
        variable = VARIABLES[name]
        low, high = USUAL.get(name, (variable.low, variable.high))
        if variable.kind != "quantity":
            found[name] = float(chance.randrange(len(variable.options)))
        else:
            found[name] = chance.uniform(low, high)
    return found


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    while x:\n        x -= 1\n    return x\n",
        "def f(x):\n    try:\n        return 1 / x\n    finally:\n        return 0\n",
        "def f(x):\n    return x // 2\n",
        "def f(x):\n    return open(x)\n",
        "def f(x):\n    return nowhere(x)\n",
        "import math\ndef f(x):\n    return math.gamma(x)\n",
        "from decimal import Decimal\ndef f(x):\n    return Decimal(x)\n",
        "class A(dict):\n    pass\n",
        "async def f(x):\n    return x\n",
    ],
)
def test_what_has_no_counterpart_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(Untranslatable, match="sample"):
        translate(Part(module(tmp_path, source), "sample.js"), {})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[1] + [2, 3]", [1, 2, 3]),
        ("('a', 'b')[True]", "b"),
        ("[] or [1]", [1]),
        ("{} and 1", {}),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("1 < 2 <= 2", True),
        ("'x' not in ('y', 'z')", True),
        ("f'{1234567.0:g} {0.00001:g} {0.1 + 0.2:.3g} {100.0:g}'", "1.23457e+06 1e-05 0.3 100"),
        ("{'a': 1} | {'b': 2}", {"a": 1, "b": 2}),
        ("[x * 2 for x in range(5) if x > 2]", [6, 8]),
        ("{k: v for k, v in zip('ab', [1, 2])}", {"a": 1, "b": 2}),
        ("sorted([3, 1, 2], key=lambda x: -x)", [3, 2, 1]),
        ("[round(0.5), round(1.5), round(2.675, 2), round(1e22)]", [0, 2, 2.67, 1e22]),
        ("sum(x for x in (1, 2)) + len({1, 1, 2})", 5),
        ("(lambda a, b=2: a * b)(3)", 6),
        ("max(1, 2) + min([4, 3])", 5),
        ("[1, 2, 3][-1] + [1, 2, 3][1:][0]", 5),
        ("['ab' * 2, '' * False, 'abc'[0], 'abc'[1:]]", ["abab", "", "a", "bc"]),
        ("[max((), default=1), max([2, 3]), min(4, 5)]", [1, 3, 4]),
        ("next((x for x in [1, 2] if x > 1), 9) + next((x for x in [] if x), 9)", 11),
        ("[*'a.b.c'.rpartition('.'), *'ab'.partition('.')]", ["a.b", ".", "c", "ab", "", ""]),
        ("['+-0,5'.lstrip('+-'), ' a '.strip(), '0.50'.strip('0.')]", ["0,5", "a", "5"]),
        ("['a-b-c'.replace('-', ''), 'a.unit'.removesuffix('.unit')]", ["abc", "a"]),
        ("'x1'.startswith(('y', 'x')) and [3, 4].index(4) == 1", True),
        ("f'{2.25:.1f} {2.35:.1f} {-0.04:.1f} {0.1 + 0.2!r}'", "2.2 2.4 -0.0 0.30000000000000004"),
        ("dict(zip(map(str, ['a']), [1])) | {k: v for k, v in {'b': 2}.items()}", {"a": 1, "b": 2}),
    ],
)
def test_expressions_mean_what_they_mean_in_python(
    expression: str, expected: Any, tmp_path: Path
) -> None:
    source = f"def f():\n    return {expression}\n"
    assert module(tmp_path, source).f() == expected
    assert computed(tmp_path, source, "m.f()") == expected


def test_numbers_are_written_as_python_writes_them(tmp_path: Path) -> None:
    numbers = [0.05, 0.15, 0.25, 0.35, 2.5, 3.5, 1e-9, 123456.5, 99.95, 0.045, 12.345, -0.25, -2.5]
    source = "def f():\n    return 0\n"
    call = f"{javascript(numbers)}.map((x) => [0, 1, 2].map((d) => py.fixed(x, d)))"
    expected = [[f"{x:.{d}f}" for d in (0, 1, 2)] for x in numbers]
    assert computed(tmp_path, source, call) == expected
    call = f"{javascript(numbers)}.map((x) => py.general(x, 3))"
    assert computed(tmp_path, source, call) == [f"{x:.3g}" for x in numbers]


def test_a_truth_that_may_be_unknown_is_not_taken_for_yes(tmp_path: Path) -> None:
    source = "def f(t):\n    return 1 if t else 2\n"
    with pytest.raises(subprocess.CalledProcessError):
        computed(tmp_path, source, "m.f({ value: null, needs: [] })")


def test_a_name_may_mean_something_else_in_another_function(tmp_path: Path) -> None:
    source = (
        "from math import sqrt as told\n"
        "def f(x):\n    told = [one for one in x]\n    return told\n"
        "def one(x):\n    return x + 1\n"
        "def g(x):\n    return [one(each) for each in x], (lambda f: f + 1)(1), f(x)\n"
    )
    assert computed(tmp_path, source, "m.g([1, 2])") == [[2, 3], 2, [1, 2]]
    used = source + "def h(x):\n    return told(x)\n"
    with pytest.raises(Untranslatable, match="unknown told"):
        translate(Part(module(tmp_path, used), "sample.js"), {})


def test_what_comes_later_is_waited_for(tmp_path: Path) -> None:
    source = (
        "def later(x):\n    return x\n"
        "def f(x):\n    return [later(each) for each in x if (kept := each) > 1], kept\n"
    )
    part = Part(module(tmp_path, source), "sample.js", awaited=("later", "f"))
    assert "async function f" in translate(part, {})
    with pytest.raises(Untranslatable, match="line 3: FunctionDef"):
        translate(Part(module(tmp_path, source), "sample.js", awaited=("later",)), {})


def test_what_is_given_by_name_arrives_in_its_place(tmp_path: Path) -> None:
    source = (
        "def f(a, b=2, *, c=3):\n    return [a, b, c]\n"
        "def g():\n    return [f(1, b=5), f(b=5, a=1), f(1, c=4), f(1)]\n"
    )
    assert computed(tmp_path, source, "m.g()") == [[1, 5, 3], [1, 5, 3], [1, 2, 4], [1, 2, 3]]
