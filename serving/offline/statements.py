"""Statements, functions and classes of Python as JavaScript."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from serving.offline.calls import named
from serving.offline.expressions import OPERATORS, Expressions, arguments
from serving.offline.literals import javascript, spelled


@dataclass(frozen=True)
class Part:
    """
    What of a module is translated.

    Parameters
    ----------
    module : module
        Of the library.
    file : str
        Name of the JavaScript module.
    only : tuple of str
        Names at its top that are translated; all by default.
    methods : mapping of str to tuple of str
        Class → its methods that are translated; all by default.
    without : tuple of str
        Names at its top that are left out.
    data : tuple of str
        Names at its top whose value is written down, in place of how it came about.
    elsewhere : mapping of str to str
        Names, its own or imported → JavaScript module that has them.
    awaited : tuple of str
        Functions and methods whose answer comes later, and those that wait for one.
    """

    module: ModuleType
    file: str
    only: tuple[str, ...] = ()
    methods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    awaited: tuple[str, ...] = ()


class Writer(Expressions):
    """Writes the nodes of one module."""

    def __init__(self, part: Part) -> None:
        super().__init__(part.module.__name__, part.awaited)
        self.part = part
        self.exported: list[str] = []

    # What stands at the top of a module

    def top(self, node: ast.stmt) -> Iterable[str]:
        """Write one statement of the module, if it is wanted."""
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_text(node):
            return
        name = _defines(node)
        if name in (*self.part.without, *self.part.elsewhere) or (
            self.part.only and name not in (*self.part.only, *self.part.data)
        ):
            return
        if name in self.part.data:
            written = javascript(getattr(self.part.module, name))
            yield f"const {self._export(name)} = {written};"
        elif isinstance(node, ast.ClassDef):
            self._export(node.name)
            yield from self._class(node)
        elif isinstance(node, ast.FunctionDef):
            self._export(node.name)
            yield self._function(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            for target in node.targets[0].elts:
                self._export(named(target))
            yield f"const {self.target(node.targets[0])} = {self.expression(node.value)};"
        elif name:
            value = getattr(node, "value", None)
            if value is None:
                raise self.refuse(node)
            yield f"const {self._export(name)} = {self.expression(value)};"
        else:
            yield from self.statement(node)

    def _export(self, name: str) -> str:
        self.defined.add(name)
        self.exported.append(name)
        return spelled(name)

    def _class(self, node: ast.ClassDef) -> Iterator[str]:
        fields, defaults = [], []
        bases = {named(base) for base in node.bases}
        if bases - {"NamedTuple"}:
            raise self.refuse(node)
        yield f"class {node.name} {{"
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                fields.append(each.target.id)
                if each.value:
                    defaults.append(f"{each.target.id}: () => {self._default(each.value)}")
            elif isinstance(each, ast.FunctionDef):
                if each.name in self.part.methods.get(node.name, (each.name,)):
                    yield self._method(each)
            elif not (_is_text(each) or _defines(each) == "__slots__"):
                raise self.refuse(each)
        if fields:
            names, made = json.dumps(fields), ", ".join(defaults)
            called = any(_defines(each) == "__call__" for each in node.body)
            filled = "py.callable(this)" if called else "this"
            given = f"{names}, {{{made}}}, given"
            yield f"  constructor(...given) {{ return py.fields({filled}, {given}); }}"
            yield f"  *[Symbol.iterator]() {{ for (const name of {names}) yield this[name]; }}"
        yield "}"

    def _default(self, node: ast.expr) -> str:
        if isinstance(node, ast.Call) and named(node.func) == "field":
            made = {k.arg: k.value for k in node.keywords}["default_factory"]
            return "({})" if named(made) == "dict" else f"({self.expression(made)})()"
        return self.expression(node)

    def _method(self, node: ast.FunctionDef) -> str:
        kinds = {named(decorator) for decorator in node.decorator_list}
        owner = node.args.args[0].arg
        prefix = "static " if "classmethod" in kinds else ""
        prefix += "get " if kinds & {"property", "cached_property"} else ""
        name = "constructor" if node.name == "__init__" else node.name
        first = f"const {owner} = this;"
        return "  " + prefix + self._function(node, name, skip=1, first=first)

    def _function(
        self, node: ast.FunctionDef, name: str = "", skip: int = 0, first: str = ""
    ) -> str:
        parameters = self.parameters(node.args, skip)
        names = {a.arg for a in arguments(node.args)}
        own = sorted(_assigned(node.body) - names)
        if self.waits(node) and node.name not in self.awaited:
            raise self.refuse(node)
        caught = {n.name for n in ast.walk(node) if isinstance(n, ast.ExceptHandler) and n.name}
        body = [first, f"let {', '.join(map(spelled, own))};" if own else ""]
        with self.scope(names | caught | set(own)):
            told = [each for each in node.body if not _is_text(each)]
            body += [line for each in told for line in self.statement(each)]
        star = "*" * any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(node))
        kind = "async " if self.waits(node) else ""
        head = f"{kind}{star}{name}" if name else f"{kind}function{star} {spelled(node.name)}"
        return f"{head}({parameters}) {{ {' '.join(part for part in body if part)} }}"

    # Statements

    def statement(self, node: ast.stmt) -> Iterator[str]:
        """Write one statement."""
        writer = getattr(self, f"_{type(node).__name__.lower()}", None)
        if writer is None:
            raise self.refuse(node)
        yield from writer(node)

    def _return(self, node: ast.Return) -> Iterator[str]:
        yield f"return {self.expression(node.value) if node.value else 'null'};"

    def _assign(self, node: ast.Assign) -> Iterator[str]:
        if len(node.targets) != 1:
            raise self.refuse(node)
        yield f"{self.target(node.targets[0])} = {self.expression(node.value)};"

    def _annassign(self, node: ast.AnnAssign) -> Iterator[str]:
        if node.value:
            yield f"{self.target(node.target)} = {self.expression(node.value)};"

    def _augassign(self, node: ast.AugAssign) -> Iterator[str]:
        target = self.target(node.target)
        name = OPERATORS[type(node.op)]
        yield f"{target} = py.{name}({target}, {self.expression(node.value)});"

    def _if(self, node: ast.If) -> Iterator[str]:
        yield f"if (py.truthy({self.expression(node.test)})) {{"
        yield from self._block(node.body)
        if node.orelse:
            yield "} else {"
            yield from self._block(node.orelse)
        yield "}"

    def _for(self, node: ast.For) -> Iterator[str]:
        if node.orelse:
            raise self.refuse(node)
        target = self.target(node.target)
        yield f"for ({target} of py.iter({self.expression(node.iter)})) {{"
        yield from self._block(node.body)
        yield "}"

    def _expr(self, node: ast.Expr) -> Iterator[str]:
        yield f"{self.expression(node.value)};"

    def _raise(self, node: ast.Raise) -> Iterator[str]:
        yield f'throw new Error("{self.module}, line {node.lineno}");'

    def _try(self, node: ast.Try) -> Iterator[str]:
        if len(node.handlers) != 1 or node.orelse or node.finalbody:
            raise self.refuse(node)
        handler = node.handlers[0]
        if not isinstance(handler.type, ast.Name):
            raise self.refuse(node)
        name = spelled(handler.name or "error")
        yield "try {"
        yield from self._block(node.body)
        kind = self.expression(handler.type)
        yield f"}} catch ({name}) {{ if (!({name} instanceof {kind})) throw {name};"
        yield from self._block(handler.body)
        yield "}"

    def _assert(self, node: ast.Assert) -> Iterator[str]:
        yield ""

    def _continue(self, node: ast.Continue) -> Iterator[str]:
        yield "continue;"

    def _block(self, body: Sequence[ast.stmt]) -> Iterator[str]:
        for each in body:
            yield from self.statement(each)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _defines(node: ast.stmt) -> str:
    """Name that a statement at the top defines; empty if none."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _assigned(body: Sequence[ast.stmt]) -> set[str]:
    """Names that statements assign, not those of comprehensions and lambdas."""
    found: set[str] = set()
    for node in (inner for each in body for inner in _outside_comprehensions(each)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    for each in body:  # := gives a name to the function, wherever it stands
        found |= {n.target.id for n in ast.walk(each) if isinstance(n, ast.NamedExpr)}
    return found


def _outside_comprehensions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.comprehension):
            yield from _outside_comprehensions(child.iter)
        else:
            yield from _outside_comprehensions(child)
