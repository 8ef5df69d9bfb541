"""How one language says labels, numbers, probabilities and problems."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cdss.errors import DefinitionError, Problem
from cdss.estimate import Bounds
from cdss.variables import VARIABLES, Value


class Words:
    """
    The words of one language.

    Parameters
    ----------
    lang : str
        Its code, e.g. ``"vi"``.
    texts : mapping of str to str
        Every text by dotted key, e.g. ``"variable.age"``.
    """

    def __init__(self, lang: str, texts: Mapping[str, str]) -> None:
        self.lang = lang
        self.texts = MappingProxyType(dict(texts))
        self._decimal = self("language.decimal")

    def __call__(self, key: str, **params: Any) -> str:
        """
        Look a text up and fill it in.

        Parameters
        ----------
        key : str
            Dotted key, e.g. ``"horizon.years"``.
        **params : str, float or int
            The text's placeholders; numbers are written as the language writes them.

        Returns
        -------
        str
            The text.

        Raises
        ------
        DefinitionError
            If the language has no such text, or a placeholder is not given.

        Examples
        --------
        >>> from cdss.i18n import words
        >>> words("en")("horizon.years", years=7.5)
        'within 7.5 years'
        >>> words("vi")("horizon.years", years=7.5)
        'trong vòng 7,5 năm'
        """
        try:
            text = self.texts[key]
        except KeyError:
            raise DefinitionError(f"no text {key} in {self.lang}.toml") from None
        if not params:
            return text
        shown = {k: v if isinstance(v, str) else self.number(v) for k, v in params.items()}
        try:
            return text.format_map(shown)
        except KeyError as error:
            raise DefinitionError(f"text {key} in {self.lang}.toml needs {error}") from None

    def number(self, number: float, decimals: int | None = None) -> str:
        """
        Write a number as the language does; for display only.

        Parameters
        ----------
        number : float
            Any finite number.
        decimals : int, optional
            Digits after the decimal sign; by default as many as are needed, at most six figures.

        Returns
        -------
        str
            For example ``"5,9"`` in Vietnamese.
        """
        text = f"{number:g}" if decimals is None else f"{number:.{decimals}f}"
        return text.replace(".", self._decimal)

    def label(self, name: str) -> str:
        """
        Name of a variable, or of a part of a request.

        Parameters
        ----------
        name : str
            A variable's name, or what else a problem may be about.

        Returns
        -------
        str
            The label; a name that is not ours (what somebody sent) stays as it is.
        """
        base, _, member = name.partition(".")
        if base in VARIABLES:
            text = self(f"variable.{base}")
            return f"{text} ({member})" if member else text
        return self.texts.get(f"field.{name}", name)

    def unit(self, code: str) -> str:
        """
        Unit as people write it.

        Parameters
        ----------
        code : str
            UCUM code of a canonical unit; may be empty.

        Returns
        -------
        str
            For example ``"mmHg"`` for ``mm[Hg]``.
        """
        return self(f"unit.{code}") if code else ""

    def value(self, name: str, value: Value | None) -> str:
        """
        Value of a variable, without its unit.

        Parameters
        ----------
        name : str
            The variable.
        value : float, bool, str or None
            In the canonical unit; None if unknown.

        Returns
        -------
        str
            About three figures of a quantity, "yes" or "no", a choice in words, or "unknown".
        """
        if value is None:
            return self("value.unknown")
        kind = VARIABLES[name].kind
        if kind == "choice":
            return self(f"value.{name}.{value}")
        if kind == "yes_no":
            return self("value.yes" if value else "value.no")
        number = float(value)
        decimals = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
        return self.number(round(number, decimals))

    def quantity(self, name: str, value: Value | None) -> str:
        """
        Value of a variable with its unit.

        Parameters
        ----------
        name : str
            The variable.
        value : float, bool, str or None
            In the canonical unit; None if unknown.

        Returns
        -------
        str
            For example ``"142 mmHg"``, ``"yes"`` or ``"unknown"``.

        Examples
        --------
        >>> from cdss.i18n import words
        >>> words("en").quantity("total_cholesterol", 5.9000001)
        '5.9 mmol/L'
        >>> words("vi").quantity("heart_rate", 72.0)
        '72 lần/phút'
        """
        text = self.value(name, value)
        unit = "" if value is None else self.unit(VARIABLES[name].unit)
        return f"{text} {unit}".rstrip()

    def percent(self, probability: float) -> str:
        """
        Say a probability in percent, to one decimal.

        Parameters
        ----------
        probability : float
            0-1.

        Returns
        -------
        str
            For example ``"12.3%"``; never 0% or 100%.
        """
        if probability < 0.001:
            return self("frequency.percent_fewest", number=0.1)
        if probability > 0.999:
            return self("frequency.percent_most", number=99.9)
        return self("frequency.percent", number=self.number(100 * probability, 1))

    def interval(self, bounds: Bounds) -> str:
        """
        Say an interval in percent, to one decimal.

        Parameters
        ----------
        bounds : Bounds
            Ends, 0-1.

        Returns
        -------
        str
            What is put behind the probability.

        Examples
        --------
        >>> from cdss.i18n import words
        >>> words("vi").interval(Bounds(0.029, 0.056, 0.95, 500))
        '(2,9–5,6)'
        """
        low, high = (self.number(100 * end, 1) for end in bounds[:2])
        return self("frequency.interval", low=low, high=high)

    def frequency(self, probability: float) -> str:
        """
        Say a probability as a number of people.

        Parameters
        ----------
        probability : float
            0-1.

        Returns
        -------
        str
            Of 100 people, of 1,000 below one percent; never none or all of them.

        Examples
        --------
        >>> from cdss.i18n import words
        >>> words("en").frequency(0.123), words("en").frequency(0.0042)
        ('12 in 100 people', '4 in 1,000 people')
        """
        if probability < 0.0005:
            return self("frequency.fewest")
        if probability < 0.01:
            return self("frequency.thousand", count=round(1000 * probability))
        if probability > 0.995:
            return self("frequency.most")
        return self("frequency.hundred", count=round(100 * probability))

    def outcome(self, outcome: str) -> str:
        """
        What may happen or be present.

        Parameters
        ----------
        outcome : str
            A model's outcome.

        Returns
        -------
        str
            In words.
        """
        return self(f"outcome.{outcome}")

    def horizon(self, years: float | None) -> str:
        """
        Within how long.

        Parameters
        ----------
        years : float or None
            A model's horizon; None means now.

        Returns
        -------
        str
            For example ``"within 10 years"``.
        """
        if years is None:
            return self("horizon.now")
        return self("horizon.one_year") if years == 1 else self("horizon.years", years=years)

    def problem(self, problem: Problem) -> str:
        """
        What is wrong with an input, without naming the input.

        Parameters
        ----------
        problem : Problem
            Looked up by its code; its parameters are put into words.

        Returns
        -------
        str
            A sentence whose subject is the input.

        Examples
        --------
        >>> from cdss.i18n import words
        >>> limits = {"low": 18.5, "high": 60, "unit": "kg/m2"}
        >>> words("en").problem(Problem("implausible", "bmi", "", limits))
        'must be within 18.5 to 60 kg/m²'
        >>> words("vi").problem(Problem("implausible", "bmi", "", limits))
        'phải nằm trong khoảng 18,5 đến 60 kg/m²'
        """
        key = f"problem.{problem.code}"
        if not problem.params:
            return self(key)
        return self(key, **{k: self._param(k, v) for k, v in problem.params.items()})

    def _param(self, name: str, value: Any) -> Any:
        if name == "unit":
            return self.unit(value)
        if name == "derived":
            return self.label(value)
        if name == "others":
            return ", ".join(self.label(other) for other in value)
        return ", ".join(value) if isinstance(value, tuple) else value
