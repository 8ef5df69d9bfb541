"""Expressions of Python as JavaScript."""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Iterator, Mapping

from serving.offline.calls import MODULES, RUNTIME, Calls, named
from serving.offline.literals import javascript, spelled

OPERATORS: Mapping[type, str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
    ast.BitAnd: "and", ast.BitOr: "or",
    ast.GtE: "ge", ast.Gt: "gt", ast.LtE: "le", ast.Lt: "lt", ast.Eq: "eq", ast.In: "within",
}  # fmt: skip
_NOT: Mapping[type, type] = {ast.NotEq: ast.Eq, ast.NotIn: ast.In}


def arguments(args: ast.arguments) -> list[ast.arg]:
    """
    List every argument of a function.

    Parameters
    ----------
    args : ast.arguments
        Of the function.

    Returns
    -------
    list of ast.arg
        Those by position, by name, and the two that take all others.
    """
    extra = [a for a in (args.vararg, args.kwarg) if a]
    return [*args.args, *args.kwonlyargs, *extra]


class Expressions(Calls):
    """
    Writes expressions of one module.

    Parameters
    ----------
    module : str
        Its name, for what is refused.
    awaited : tuple of str
        Functions and methods whose answer comes later.

    Attributes
    ----------
    used, defined : set of str
        Names that were read, and those that are known without an import.
    """

    def __init__(self, module: str, awaited: tuple[str, ...] = ()) -> None:
        super().__init__(module, awaited)
        self.used: set[str] = set()
        self.defined: set[str] = set()

    @contextlib.contextmanager
    def scope(self, names: set[str]) -> Iterator[None]:
        """Know names only here: outside they may mean something else."""
        used, defined = self.used, self.defined
        self.used, self.defined = set(), defined | names
        yield
        self.used, self.defined = used | (self.used - names), defined

    def expression(self, node: ast.expr) -> str:
        """Write one expression."""
        writer = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if writer is None:
            raise self.refuse(node)
        return str(writer(node))

    def _of_constant(self, node: ast.Constant) -> str:
        if node.value is not None and not isinstance(node.value, bool | int | float | str):
            raise self.refuse(node)
        return javascript(node.value)

    def _of_name(self, node: ast.Name) -> str:
        self.used.add(node.id)
        if node.id in RUNTIME and node.id not in self.defined:
            return f"py.{node.id}"
        if hasattr(builtins, node.id) and node.id not in self.defined:
            raise self.refuse(node)
        return spelled(node.id)

    def _of_attribute(self, node: ast.Attribute) -> str:
        owner = named(node.value)
        if owner in MODULES:
            if node.attr not in MODULES[owner].split():
                raise self.refuse(node)
            return f"py.{'re' if owner == 're' else 'math'}.{node.attr}"
        return f"{self.expression(node.value)}.{node.attr}"

    def _of_binop(self, node: ast.BinOp) -> str:
        if type(node.op) not in OPERATORS:
            raise self.refuse(node)
        name = OPERATORS[type(node.op)]
        return f"py.{name}({self.expression(node.left)}, {self.expression(node.right)})"

    def _of_unaryop(self, node: ast.UnaryOp) -> str:
        value = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            return f"!py.truthy({value})"
        if isinstance(node.op, ast.Invert):
            return f"py.invert({value})"
        return f"(-{value})"

    def _of_boolop(self, node: ast.BoolOp) -> str:
        name = "both" if isinstance(node.op, ast.And) else "either"
        first, *rest = map(self.expression, node.values)
        for each in rest:
            first = f"py.{name}({first}, () => {each})"
        return first

    def _of_compare(self, node: ast.Compare) -> str:
        sides = [node.left, *node.comparators]
        parts = [
            self._comparison(op, self.expression(a), self.expression(b))
            for op, a, b in zip(node.ops, sides, sides[1:], strict=False)
        ]
        return parts[0] if len(parts) == 1 else f"({' && '.join(parts)})"

    def _comparison(self, op: ast.cmpop, left: str, right: str) -> str:
        if isinstance(op, ast.Is | ast.IsNot):
            return f"({left} {'===' if isinstance(op, ast.Is) else '!=='} {right})"
        if type(op) in _NOT:
            return f"!py.{OPERATORS[_NOT[type(op)]]}({left}, {right})"
        return f"py.{OPERATORS[type(op)]}({left}, {right})"

    def _of_ifexp(self, node: ast.IfExp) -> str:
        test, yes, no = map(self.expression, (node.test, node.body, node.orelse))
        return f"(py.truthy({test}) ? {yes} : {no})"

    def _of_list(self, node: ast.List | ast.Tuple) -> str:
        return f"[{', '.join(map(self.expression, node.elts))}]"

    _of_tuple = _of_list

    def _of_set(self, node: ast.Set) -> str:
        return f"py.set([{', '.join(map(self.expression, node.elts))}])"

    def _of_starred(self, node: ast.Starred) -> str:
        return f"...py.iter({self.expression(node.value)})"

    def _of_dict(self, node: ast.Dict) -> str:
        inside = [
            f"[{self.expression(k)}]: {self.expression(v)}" if k else f"...{self.expression(v)}"
            for k, v in zip(node.keys, node.values, strict=True)
        ]
        return f"({{{', '.join(inside)}}})"

    def _of_subscript(self, node: ast.Subscript) -> str:
        owner = self.expression(node.value)
        if isinstance(node.slice, ast.Slice):
            ends = [
                self.expression(e) if e else "null" for e in (node.slice.lower, node.slice.upper)
            ]
            return f"py.slice({owner}, {', '.join(ends)})"
        return f"py.item({owner}, {self.expression(node.slice)})"

    def _of_listcomp(self, node: ast.ListComp | ast.GeneratorExp) -> str:
        return self._comprehension(node, node.elt)

    _of_generatorexp = _of_listcomp

    def _of_setcomp(self, node: ast.SetComp) -> str:
        return f"py.set({self._comprehension(node, node.elt)})"

    def _of_dictcomp(self, node: ast.DictComp) -> str:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return f"py.dict({self._comprehension(node, pair)})"

    def _comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp, element: ast.expr
    ) -> str:
        targets = (n for each in node.generators for n in ast.walk(each.target))
        with self.scope({n.id for n in targets if isinstance(n, ast.Name)}):
            inside = f"yield {self.expression(element)};"
            for each in reversed(node.generators):
                test = " && ".join(f"py.truthy({self.expression(i)})" for i in each.ifs) or "true"
                target = self.target(each.target)
                source = self.expression(each.iter)
                inside = f"for (const {target} of py.iter({source})) if ({test}) {{ {inside} }}"
        if self.waits(node):
            return f"(await py.gathered((async function* () {{ {inside} }})()))"
        return f"[...(function* () {{ {inside} }})()]"

    def _of_lambda(self, node: ast.Lambda) -> str:
        with self.scope({a.arg for a in arguments(node.args)}):
            return f"(({self.parameters(node.args)}) => {self.expression(node.body)})"

    def _of_yield(self, node: ast.Yield) -> str:
        return f"yield {self.expression(node.value) if node.value else 'null'}"

    def _of_yieldfrom(self, node: ast.YieldFrom) -> str:
        return f"yield* py.iter({self.expression(node.value)})"

    def _of_namedexpr(self, node: ast.NamedExpr) -> str:
        return f"({self.target(node.target)} = {self.expression(node.value)})"

    def _of_joinedstr(self, node: ast.JoinedStr) -> str:
        parts = []
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                spec = "".join(
                    str(s.value) for s in getattr(each.format_spec, "values", ())
                    if isinstance(s, ast.Constant)
                )  # fmt: skip
                written = "r" if each.conversion == ord("r") else spec
                parts.append(f"py.format({self.expression(each.value)}, {javascript(written)})")
            else:
                parts.append(self.expression(each))
        return f"[{', '.join(parts)}].join('')"

    def target(self, node: ast.expr) -> str:
        """Write what something is assigned to."""
        if isinstance(node, ast.Tuple):  # of several things named _ none is looked at
            return f"[{', '.join('' if named(e) == '_' else self.target(e) for e in node.elts)}]"
        if isinstance(node, ast.Name):
            return spelled(node.id)
        if isinstance(node, ast.Starred):
            return f"...{self.target(node.value)}"
        if isinstance(node, ast.Attribute):
            return f"{self.expression(node.value)}.{node.attr}"
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            return f"{self.expression(node.value)}[{self.expression(node.slice)}]"
        raise self.refuse(node)

    def parameters(self, args: ast.arguments, skip: int = 0) -> str:
        """Write the parameters of a function, without the first `skip`."""
        listed = args.args[skip:]
        defaults = [None] * (len(listed) - len(args.defaults)) + list(args.defaults)
        found = [
            spelled(a.arg) + (f" = {self.expression(d)}" if d else "")
            for a, d in zip(listed, defaults, strict=True)
        ]
        if args.kwonlyargs:
            inside = [
                a.arg + (f" = {self.expression(d)}" if d else "")
                for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)
            ]
            found.append(f"{{ {', '.join(inside)} }} = {{}}")
        if args.vararg:
            found.append(f"...{args.vararg.arg}")
        if args.kwarg:
            found.append(f"{args.kwarg.arg} = {{}}")
        return ", ".join(found)
