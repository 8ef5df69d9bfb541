"""What ``page.toml`` says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdss.datafile import read_toml

FACTS: Mapping[str, Any] = read_toml(Path(__file__).with_name("page.toml"))
