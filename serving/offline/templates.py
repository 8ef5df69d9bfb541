"""
Templates of the clinician's page as JavaScript, so that they are written once.

Each becomes a module: a function for each macro and block, and ``main`` for what stands outside of
them. All take first what the template is shown, and give markup in which everything is escaped as
Jinja does. What has no counterpart is refused when the edition is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import nodes

from serving.offline.calls import METHODS, Untranslatable
from serving.offline.literals import javascript
from serving.page.render import TEMPLATES

NAMES = ("fields", "panel", "results", "simulation")
"""Those that the edition shows."""

_FILTERS = frozenset(
    {
        "join", "length", "list", "map", "rejectattr", "reverse", "selectattr", "sum", "unique",
    }
)  # fmt: skip
_COMPARED = {
    "eq": "py.eq({}, {})", "ne": "!py.eq({}, {})", "gt": "py.gt({}, {})", "lt": "py.lt({}, {})",
    "gteq": "py.ge({}, {})", "lteq": "py.le({}, {})",
    "in": "py.within({}, {})", "notin": "!py.within({}, {})",
}  # fmt: skip


def templates() -> dict[str, str]:
    """
    Translate the templates.

    Returns
    -------
    dict of str to str
        File → JavaScript module.

    Raises
    ------
    Untranslatable
        If anything of them has no counterpart.
    """
    env = TEMPLATES
    loader = env.loader
    assert loader is not None
    parsed = {name: env.parse(loader.get_source(env, f"{name}.html.j2")[0]) for name in NAMES}
    macros = {
        name: {m.name: [a.name for a in m.args] for m in tree.find_all(nodes.Macro)}
        for name, tree in parsed.items()
    }
    return {
        f"template_{name}.js": _Module(name, tree, macros).text for name, tree in parsed.items()
    }


class _Module:
    """Writes one template."""

    def __init__(
        self, name: str, tree: nodes.Template, macros: dict[str, dict[str, list[str]]]
    ) -> None:
        self.name, self.macros = name, macros
        self.local: set[str] = set()
        self.imported = {
            each.target: Path(each.template.value).name.partition(".")[0]
            for each in tree.find_all(nodes.Import)
            if isinstance(each.template, nodes.Const)
        }
        included = {
            Path(each.template.value).name.partition(".")[0]
            for each in tree.find_all(nodes.Include)
            if isinstance(each.template, nodes.Const)
        } & set(NAMES)
        functions = [
            *(self.function(m.name, m.body, m) for m in tree.find_all(nodes.Macro)),
            *(self.function(f"block_{b.name}", b.body) for b in tree.find_all(nodes.Block)
              if b.name == "main"),
            self.function("main", [n for n in tree.body if not isinstance(n, nodes.Block)]),
        ]  # fmt: skip
        head = [f"// Made from {name}.html.j2: change it there."]
        head += ['import * as py from "../python.js";', 'import * as jinja from "../jinja.js";']
        wanted = sorted({*self.imported.values(), *included})
        head += [f'import * as {each}_ from "./template_{each}.js";' for each in wanted]
        self.text = "\n".join([*head, *functions, ""])

    def refuse(self, node: nodes.Node) -> Untranslatable:
        kind = type(node).__name__
        return Untranslatable(f"{self.name}.html.j2, line {node.lineno}: {kind}")

    def function(self, name: str, body: list[nodes.Node], macro: nodes.Macro | None = None) -> str:
        given = [a.name for a in macro.args] if macro else []
        outer, self.local = self.local, set(given)
        assigned = [n.target for each in body for n in (each, *each.find_all(nodes.Assign))
                    if isinstance(n, nodes.Assign)]  # fmt: skip
        sets = {target.name for target in assigned if isinstance(target, nodes.Name)}
        self.local |= sets
        defaults = dict(
            zip(reversed(given), reversed(macro.defaults if macro else []), strict=False)
        )
        parameters = ", ".join(
            [
                "shown",
                *(f"l_{a} = {self.of(defaults[a])}" if a in defaults else f"l_{a}" for a in given),
            ]
        )
        declared = f"let {', '.join(f'l_{each}' for each in sorted(sets))};" if sets else ""
        inside = " ".join(self.statements(body))
        self.local = outer
        return (
            f"export function {name}({parameters}) {{ let out = ''; {declared} {inside} "
            "return new jinja.Markup(out); }"
        )

    def statements(self, body: Iterable[nodes.Node]) -> Iterator[str]:
        for node in body:
            writer = getattr(self, f"_{type(node).__name__.lower()}", None)
            if writer is None:
                raise self.refuse(node)
            yield writer(node)

    def _output(self, node: nodes.Output) -> str:
        parts = [
            javascript(each.data) if isinstance(each, nodes.TemplateData)
            else f"jinja.said({self.of(each)})"
            for each in node.nodes
        ]  # fmt: skip
        return f"out += {' + '.join(parts)};"

    def _macro(self, node: nodes.Macro) -> str:
        return ""

    _import = _extends = _macro

    def _include(self, node: nodes.Include) -> str:
        assert isinstance(node.template, nodes.Const)
        name = Path(node.template.value).name.partition(".")[0]
        return f"out += {name}_.main(shown);" if name in NAMES else ""

    def _assign(self, node: nodes.Assign) -> str:
        return f"{self.target(node.target)} = {self.of(node.node)};"

    def _if(self, node: nodes.If) -> str:
        written = [
            f"if (py.truthy({self.of(each.test)})) {{ {' '.join(self.statements(each.body))} }}"
            for each in (node, *node.elif_)
        ]
        return f"{' else '.join(written)} else {{ {' '.join(self.statements(node.else_))} }}"

    def _for(self, node: nodes.For) -> str:
        if node.recursive or node.else_:
            raise self.refuse(node)
        listed = f"py.iter({self.of(node.iter)})"
        names = {n.name for n in node.target.find_all(nodes.Name)}
        names |= {node.target.name} if isinstance(node.target, nodes.Name) else set()
        outer, self.local = self.local, self.local | names | {"loop"}
        target = self.target(node.target)
        if node.test:
            listed += f".filter(({target}) => py.truthy({self.of(node.test)}))"
        inside = " ".join(self.statements(node.body))
        self.local = outer
        return f"for (const [{target}, l_loop] of jinja.looped({listed})) {{ {inside} }}"

    def target(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.Tuple):
            return f"[{', '.join(map(self.target, node.items))}]"
        if not isinstance(node, nodes.Name):
            raise self.refuse(node)
        return f"l_{node.name}"

    # Expressions

    def of(self, node: nodes.Node) -> str:
        """Write an expression."""
        writer = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if writer is None:
            raise self.refuse(node)
        return str(writer(node))

    def _of_const(self, node: nodes.Const) -> str:
        return javascript(node.value)

    def _of_name(self, node: nodes.Name) -> str:
        return (
            f"l_{node.name}"
            if node.name in self.local
            else f"py.item(shown, {javascript(node.name)})"
        )

    def _of_getattr(self, node: nodes.Getattr) -> str:
        return f"{self.of(node.node)}.{node.attr}"

    def _of_getitem(self, node: nodes.Getitem) -> str:
        return f"py.item({self.of(node.node)}, {self.of(node.arg)})"

    def _of_tuple(self, node: nodes.Tuple) -> str:
        return f"[{', '.join(map(self.of, node.items))}]"

    _of_list = _of_tuple

    def _of_condexpr(self, node: nodes.CondExpr) -> str:
        other = self.of(node.expr2) if node.expr2 else '""'
        return f"(py.truthy({self.of(node.test)}) ? {self.of(node.expr1)} : {other})"

    def _of_not(self, node: nodes.Not) -> str:
        return f"!py.truthy({self.of(node.node)})"

    def _of_and(self, node: nodes.And) -> str:
        return f"py.both({self.of(node.left)}, () => {self.of(node.right)})"

    def _of_or(self, node: nodes.Or) -> str:
        return f"py.either({self.of(node.left)}, () => {self.of(node.right)})"

    def _of_add(self, node: nodes.Add) -> str:
        return f"py.add({self.of(node.left)}, {self.of(node.right)})"

    def _of_concat(self, node: nodes.Concat) -> str:
        return f"jinja.concat({', '.join(map(self.of, node.nodes))})"

    def _of_compare(self, node: nodes.Compare) -> str:
        if len(node.ops) != 1 or node.ops[0].op not in _COMPARED:
            raise self.refuse(node)
        return _COMPARED[node.ops[0].op].format(self.of(node.expr), self.of(node.ops[0].expr))

    def _of_test(self, node: nodes.Test) -> str:
        if node.name != "defined" or not isinstance(node.node, nodes.Name):
            raise self.refuse(node)
        return f"py.within({javascript(node.node.name)}, shown)"

    def _of_filter(self, node: nodes.Filter) -> str:
        if node.name not in _FILTERS or node.node is None:
            raise self.refuse(node)
        given = [self.of(node.node), *map(self.of, node.args)]
        named = ", ".join(f"{k.key}: {self.of(k.value)}" for k in node.kwargs)
        return f"jinja.{node.name}({', '.join([*given, *([f'{{{named}}}'] if named else [])])})"

    def _of_call(self, node: nodes.Call) -> str:
        macro = self.macro_of(node.node)
        named = {k.key: self.of(k.value) for k in node.kwargs}
        given = [self.of(each) for each in node.args]
        if macro:
            written, places = macro
            given += [named.pop(place, "undefined") for place in places[len(given) :]]
            if named:
                raise self.refuse(node)
            return f"{written}({', '.join(['shown', *given])})"
        if isinstance(node.node, nodes.Name) and node.node.name == "range":
            return f"py.range({', '.join(given)})"
        if named:
            given.append(f"py.kw({{{', '.join(f'{k}: {v}' for k, v in named.items())}}})")
        if isinstance(node.node, nodes.Getattr) and node.node.attr in METHODS:
            return f"py.{node.node.attr}({', '.join([self.of(node.node.node), *given])})"
        return f"{self.of(node.node)}({', '.join(given)})"

    def macro_of(self, node: nodes.Node) -> tuple[str, list[str]] | None:
        """The function of a macro and the names it takes; None if it is something else."""
        if isinstance(node, nodes.Name) and node.name not in self.local:
            places = self.macros[self.name].get(node.name)
            return (node.name, places) if places is not None else None
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            file = self.imported.get(node.node.name, "")
            if node.attr in self.macros.get(file, {}):
                return f"{file}_.{node.attr}", self.macros[file][node.attr]
        return None
