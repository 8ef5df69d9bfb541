"""The page in Chromium; ``npm ci`` in ``tests/browser`` brings what drives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkup_files import envelope, person
from tests.conftest import ROOT
from tests.driven_browser import drive
from tests.page_client import client


@pytest.mark.slow
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    app = client(base_url="https://example.org", keep=lambda service, said: None).app
    check_up = tmp_path / "check-up.xml"
    check_up.write_bytes(envelope([person()]))
    bundle = ROOT / "tests" / "fhir_examples" / "us-transaction.json"
    drive("page.test.mjs", app, {"CHECK_UP": str(check_up), "BUNDLE": str(bundle)})
