"""Calls of Python as JavaScript, and what its names mean there."""

from __future__ import annotations

import ast
import inspect
import sys
from abc import ABC, abstractmethod

from cdss.errors import DefinitionError
from serving.offline.literals import javascript

RUNTIME = frozenset(
    {
        "abs", "all", "any", "bool", "dict", "enumerate", "float", "frozenset", "getattr", "id",
        "int", "isinstance", "iter", "len", "list", "map", "max", "min", "next", "range", "round",
        "set", "sorted", "str", "sum", "tuple", "zip", "bisect_right", "pairwise", "replace",
    }
)  # fmt: skip
"""Functions of Python that the runtime has; the last three come from its library."""
METHODS = frozenset(
    {
        "add", "append", "get", "items", "join", "keys", "setdefault", "values",
        "count", "endswith", "index", "lstrip", "partition", "removesuffix", "replace",
        "rpartition", "split", "startswith", "strip", "isoformat", "strftime", "toordinal",
    }
)  # fmt: skip
"""Methods of dictionaries, lists, sets, texts and days, which are functions of the runtime."""
_RENAMED = {"add": "include", "replace": "replaced"}
"""Methods whose name the runtime has for something else."""
MODULES = {
    "np": "exp expm1 log maximum minimum",
    "math": "asin ceil exp floor inf isinf isnan log nan pow sin sqrt",
    "re": "compile findall",
}
"""Module → what the runtime has of it."""


class Untranslatable(DefinitionError):
    """Something of a module has no counterpart; names module and line."""


def named(node: ast.expr) -> str:
    """
    Tell the name that an expression is, or calls.

    Parameters
    ----------
    node : ast.expr
        Any expression.

    Returns
    -------
    str
        Empty if it is something else.
    """
    if isinstance(node, ast.Call):
        return named(node.func)
    return node.id if isinstance(node, ast.Name) else ""


class Calls(ABC):
    """
    Writes calls in one module.

    Parameters
    ----------
    module : str
        Its name, for what is refused.
    awaited : tuple of str
        Functions and methods whose answer comes later.
    """

    def __init__(self, module: str, awaited: tuple[str, ...] = ()) -> None:
        self.module, self.awaited = module, awaited

    @abstractmethod
    def expression(self, node: ast.expr) -> str:
        """Write one expression."""

    def refuse(self, node: ast.AST) -> Untranslatable:
        """Say what cannot be translated."""
        line, kind = getattr(node, "lineno", "?"), type(node).__name__
        return Untranslatable(f"{self.module}, line {line}: {kind}")

    def places(self, function: str) -> list[str]:
        """Names of what a function of the library takes by position; none of anything else."""
        found = getattr(sys.modules.get(self.module), function, None)
        if not inspect.isfunction(found):
            return []
        kinds = inspect.signature(found).parameters.values()
        return [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD]

    def _of_call(self, node: ast.Call) -> str:
        called, function = named(node.func), node.func
        if called == "isinstance":
            return f"py.isinstance({self.expression(node.args[0])}, {self._kinds(node.args[1])})"
        if called == "cast":
            return self.expression(node.args[1])
        given = self._given(node)
        if called == "MappingProxyType":  # what cannot be changed there is not changed here
            return given[0]
        if isinstance(function, ast.Attribute):
            if ast.unparse(function) == "dict.fromkeys":
                return f"py.fromkeys({', '.join(given)})"
            if function.attr in METHODS and named(function.value) not in MODULES:
                owner = self.expression(function.value)
                method = _RENAMED.get(function.attr, function.attr)
                return f"py.{method}({', '.join([owner, *given])})"
        bare = called.lstrip("_")
        new = "new " if called == "cls" or (bare[:1].isupper() and not bare.isupper()) else ""
        written = f"{new}{self.expression(function)}({', '.join(given)})"
        return f"(await {written})" if self.waits(node) else written

    def _given(self, node: ast.Call) -> list[str]:
        """What a call gives, by position and by name."""
        given = [self.expression(a) for a in node.args]
        by_name = {k.arg: self.expression(k.value) for k in node.keywords if k.arg != "strict"}
        for name in self.places(named(node.func))[len(given) :]:
            given.append(by_name.pop(name, "undefined"))  # which is its default there
        pairs = [f"{k}: {v}" if k else f"...{v}" for k, v in by_name.items()]
        if pairs:
            return [*given, f"py.kw({{{', '.join(pairs)}}})"]
        while given and given[-1] == "undefined":
            given.pop()
        return given

    def _kinds(self, node: ast.expr) -> str:
        """Types that something may be of: Python's by name, the library's as they are."""
        if isinstance(node, ast.BinOp):
            return f"{self._kinds(node.left)}, {self._kinds(node.right)}"
        kind = ast.unparse(node)
        return javascript(kind) if kind in RUNTIME or "." in kind else self.expression(node)

    def waits(self, node: ast.AST) -> bool:
        """Whether something in it answers later."""
        calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
        if isinstance(node, ast.Call):
            calls = [node.func]
        names = {c.attr if isinstance(c, ast.Attribute) else named(c) for c in calls}
        return not names.isdisjoint(self.awaited)
