"""
Formulas and rules of the library as JavaScript, so that they are written once.

Only the part of Python that formulas and rules are written in is translated; anything else, and any
name that would not be known, is refused when the edition is built. What operators mean in Python
(``&`` of two truths, ``+`` of two lists) ``page/js/python.js`` decides when they run.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping

from serving.offline.calls import RUNTIME, Untranslatable
from serving.offline.literals import spelled
from serving.offline.statements import Part, Writer


def translate(part: Part, files: Mapping[str, str]) -> str:
    """
    Translate a module.

    Parameters
    ----------
    part : Part
        What of it.
    files : mapping of str to str
        Module of the library → JavaScript module that has its names.

    Returns
    -------
    str
        A JavaScript module that exports every translated name.

    Raises
    ------
    Untranslatable
        If anything of it has no counterpart.
    """
    tree = ast.parse(inspect.getsource(part.module))
    writer = Writer(part)
    lines = [line for node in tree.body for line in writer.top(node)]
    used = writer.used - writer.defined
    imported = list(_imports(tree, used, files, part))
    unknown = used - {name for _, names in imported for name in names} - _KNOWN
    if unknown:
        raise Untranslatable(f"{part.module.__name__}: unknown {', '.join(sorted(unknown))}")
    head = [f"// Made from {part.module.__name__}: change it there."]
    head.append('import * as py from "../python.js";')
    head += [f'import {{ {", ".join(names)} }} from "{file}";' for file, names in imported]
    exported = ", ".join(sorted(map(spelled, writer.exported)))
    return "\n".join([*head, *lines, f"export {{ {exported} }};", ""])


_KNOWN = RUNTIME | {"np", "math", "re"}


def _imports(
    tree: ast.Module, used: set[str], files: Mapping[str, str], part: Part
) -> Iterator[tuple[str, list[str]]]:
    for name in sorted(used & set(part.elsewhere)):
        yield part.elsewhere[name], [name]
    wanted = used - RUNTIME - set(part.elsewhere)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = sorted(alias.name for alias in node.names if alias.name in wanted)
            if names and node.module in files:
                yield files[node.module], names
            elif names:
                raise Untranslatable(f"{part.module.__name__}: {node.module} is not translated")
