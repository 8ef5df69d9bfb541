import pytest

from cdss.errors import (
    BundleError,
    CdssError,
    DefinitionError,
    Problem,
    RecordError,
    UnknownLanguage,
    UnknownModel,
)


def test_record_error_keeps_and_tells_every_problem() -> None:
    problems = (Problem("not_finite", "age", "must be finite"), Problem("stale", "bmi", "is old"))

    error = RecordError(iter(problems))

    assert problems == error.problems
    assert "age: must be finite; bmi: is old" == str(error)


def test_unknown_model_tells_what_is_loaded() -> None:
    error = UnknownModel(["x", "y"], ["a", "b"])

    assert (("x", "y"), ("a", "b")) == (error.unknown, error.known)
    assert "no model named x, y; loaded: a, b" == str(error)
    assert "no model named x; loaded: none" == str(UnknownModel(["x"], []))


def test_unknown_language_tells_what_there_is() -> None:
    error = UnknownLanguage("fr", ["en", "vi"])

    assert ("fr", ("en", "vi")) == (error.unknown, error.known)
    assert "no words in 'fr'; languages: en, vi" == str(error)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (DefinitionError, ValueError),
        (RecordError, ValueError),
        (UnknownModel, LookupError),
        (UnknownLanguage, LookupError),
        (BundleError, Exception),
    ],
)
def test_every_error_is_a_cdss_error(kind: type, builtin: type) -> None:
    assert issubclass(kind, CdssError)
    assert issubclass(kind, builtin)


def test_problems_are_values() -> None:
    first = Problem("implausible", "age", "x", {"low": 18})

    assert Problem("implausible", "age", "x", {"low": 18}) == first
    assert Problem("implausible", "age", "x", {"low": 19}) != first
    assert 1 == len({first, Problem("implausible", "age", "x", {"low": 18})})
