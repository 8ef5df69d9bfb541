"""What a site knows of its own programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cdss.checkup.mapping import LABORATORY
from cdss.datafile import only
from cdss.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Site:
    """
    What a site knows of its own programs and an envelope does not tell.

    Parameters
    ----------
    zero_is_no : bool
        Its programs write 0 in a history field only where somebody asked and was told no.
    glucose : {"fasting_glucose", "random_glucose"} or None
        What a blood glucose is whose name does not say; None if that differs.
    codes : mapping of str to str
        Code of a laboratory value (MA_CHI_SO) → variable.
    """

    zero_is_no: bool = False
    glucose: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Site:
        """
        Read what a site wrote.

        Parameters
        ----------
        table : mapping
            May have ``zero_is_no``, ``glucose`` and ``codes``.

        Returns
        -------
        Site
            The site.

        Raises
        ------
        DefinitionError
            If a key is unknown, or a value is not what it must be.
        """
        only(table, "site", "", "zero_is_no glucose codes")
        site = cls(**table)
        if not isinstance(site.zero_is_no, bool):
            raise DefinitionError("site: zero_is_no must be true or false")
        if site.glucose not in (None, "fasting_glucose", "random_glucose"):
            raise DefinitionError("site: glucose must be fasting_glucose or random_glucose")
        if not isinstance(site.codes, Mapping):
            raise DefinitionError("site: codes must be a table of codes and variables")
        variables = frozenset(LABORATORY.names.values())
        if not all(name in variables for name in site.codes.values()):
            known = ", ".join(sorted(variables))
            raise DefinitionError(f"site: codes must name some of {known}")
        return site
