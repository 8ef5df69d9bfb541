import types

import cdss


def test_public_names_are_sorted() -> None:
    """Constants, classes, functions; each by name."""
    ordered = sorted(cdss.__all__, key=lambda n: (not n.isupper(), n[0].islower(), n))

    assert ordered == cdss.__all__


def test_the_list_of_public_names_is_true() -> None:
    public = {
        name
        for name, value in vars(cdss).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    # The function hides the module of the same name.
    assert set(cdss.__all__) == public
    assert callable(cdss.assess)
