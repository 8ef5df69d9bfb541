"""What the benchmark of the page makes of a measurement; the figures are not a test's matter."""

from __future__ import annotations

from typing import Any

import pytest

from serving.benchmarks.page import figures, show


def load(**more: Any) -> dict[str, Any]:
    usual = {"bytes": 20_000, "requests": 4, "outside": [], "painted": 300.0, "processor": 250.0}
    return usual | {"interactive": 500.0} | more


def measured(*visits: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return {"browser": "1.0", "visits": [{"form": f, "results": r} for f, r in visits]}


def test_what_is_within_the_targets_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(measured((load(), load(bytes=30_000, interactive=900.0)), (load(), load())))

    assert found["met"] == {"kilobytes": True, "outside": True, "seconds": True}
    assert 50.0 == found["kilobytes"]
    assert {"median": 700, "slowest": 900} == found["pages"]["results"]["interactive_ms"]
    show(found)
    assert "MISSED" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "missed"),
    [
        ({"bytes": 140_000}, "kilobytes"), ({"interactive": 1001.0}, "seconds"),
        ({"outside": ["https://elsewhere.example/x.js"]}, "outside"),
    ],
)  # fmt: skip
def test_what_is_not_is_missed_and_said(
    more: dict[str, Any], missed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = figures(measured((load(), load(**more))))

    assert [missed] == [name for name, met in found["met"].items() if not met]
    show(found)
    assert 1 == capsys.readouterr().out.count("MISSED")
