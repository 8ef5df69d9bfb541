import dataclasses

import pytest

from cdss.errors import DefinitionError
from cdss.source import Source


def test_a_source_has_a_citation_and_a_locator() -> None:
    source = Source("Somebody, Journal 2020", "Table 3")

    assert ("Table 3", "", None) == (source.locator, source.url, source.checked_on)


@pytest.mark.parametrize(("citation", "locator"), [("", "Table 3"), ("Somebody", ""), ("S", " \n")])
def test_a_citation_without_a_place_is_refused(citation: str, locator: str) -> None:
    with pytest.raises(DefinitionError, match="citation and a locator"):
        Source(citation, locator)


def test_a_source_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Source("Somebody", "Table 3").locator = ""  # type: ignore[misc]
