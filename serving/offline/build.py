"""Putting the edition together: one folder, each file known by its hash."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import cdss
from cdss.bundle import SHIPPED, load_models
from cdss.equations import published_models
from cdss.errors import DefinitionError
from cdss.i18n import words
from cdss.jurisdiction import Jurisdiction, Model, load_jurisdiction
from serving.offline.data import data_modules
from serving.offline.icons import SIZES, icon_png, icon_svg
from serving.offline.parts import translated

MOST_BYTES = 8_000_000
"""Of the first load, compressed."""

PACKED = ".packed"
"""Ending of files that are compressed in the folder, and unpacked by the page."""

# Without encryption only to this machine itself: what is sent is about patients.
_ORIGIN = r"https://[a-z0-9.-]+(:[0-9]+)?|http://localhost(:[0-9]+)?"
_PAGE = Path(str(resources.files(__package__))) / "page"
_LOOKS = Path(str(resources.files("serving"))) / "static"
_LAUNCHERS = ("serve.py", "serve.cs", "start.cmd")
"""What shows the edition from a USB stick: with Python, and on Windows with nothing else."""
_ALONE = ("sw.js", *_LAUNCHERS)
"""Not kept by the service worker."""


@dataclass(frozen=True)
class Edition:
    """
    What was built.

    Attributes
    ----------
    folder : path
        Where.
    version : str
        Hash of all it holds.
    files : int
        How many there are.
    compressed : int
        Bytes of a first load, compressed.
    models : mapping of str to str
        Model → version.
    """

    folder: Path
    version: str
    files: int
    compressed: int
    models: Mapping[str, str]


def build(
    folder: Path,
    runtime: Mapping[str, bytes],
    *,
    jurisdiction: str = "vn",
    server: str = "",
    bundles: Path = SHIPPED,
    demonstrations: bool = False,
) -> Edition:
    """
    Make the edition.

    Parameters
    ----------
    folder : path
        Where; what an earlier build left there is replaced.
    runtime : mapping of str to bytes
        Files of onnxruntime (`serving.offline.vendor.vendored`).
    jurisdiction : str
        Whose preferences and rules.
    server : str
        Origin that records are sent to; by default the one that the page comes from.
    bundles : path
        Where the trained models are.
    demonstrations : bool
        Whether demonstration models are in it.

    Returns
    -------
    Edition
        What was built.

    Raises
    ------
    DefinitionError
        If the folder holds something else, `server` is no origin, a formula cannot be
        translated, or the first load would be larger than `MOST_BYTES`.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "sw.js").exists():
        raise DefinitionError(f"{folder.name} is not empty, and no earlier edition")
    if server and not re.fullmatch(_ORIGIN, server):
        raise DefinitionError("server: must be an origin as https://cdss.example.org")
    place = load_jurisdiction(jurisdiction)
    models = _models(place, bundles, demonstrations)
    files = _files(place, models, bundles, runtime, server)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    version = hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:16]
    compressed = sum(_compressed_size(name, data) for name, data in files.items())
    if compressed > MOST_BYTES:
        raise DefinitionError(f"a first load would be {compressed:,} bytes, compressed")
    worker = (_PAGE / "sw.js").read_text(encoding="utf-8")
    facts = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(hashes)};\n"
    files["sw.js"] = (facts + worker).encode()
    files |= {name: _lines(name) for name in _LAUNCHERS}
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return Edition(folder, version, len(files), compressed, {m.id: m.version for m in models})


def _lines(name: str) -> bytes:
    """A launcher, its lines ended as its system wants them."""
    content = (_PAGE / name).read_bytes()
    return content.replace(b"\n", b"\r\n") if name.endswith(".cmd") else content


def _models(place: Jurisdiction, bundles: Path, demonstrations: bool) -> tuple[Model, ...]:
    """Models that the jurisdiction prefers, and demonstrations if wanted."""
    loaded = load_models(folder=bundles, demonstrations=demonstrations)
    shown = tuple(m for m in loaded if m.demonstration)
    return (*place.models([*loaded, *published_models()]), *shown)


def _files(
    place: Jurisdiction,
    models: Sequence[Model],
    bundles: Path,
    runtime: Mapping[str, bytes],
    server: str,
) -> dict[str, bytes]:
    made = translated(place, models) | data_modules(place, models, bundles)
    made["edition.js"] = f"export const EDITION = {json.dumps(_edition(models, server))};\n"
    files = {f"js/made/{name}": text.encode() for name, text in made.items()}
    for path in sorted(p for p in _PAGE.rglob("*") if p.is_file()):
        name = path.relative_to(_PAGE).as_posix()
        if name not in _ALONE:
            files[name] = path.read_bytes()
    # All modules are asked for at once, not one import after the other.
    modules = (name for name in files if name.endswith(".js") and name != "js/old.js")
    links = "\n".join(f'<link rel="modulepreload" href="{name}">' for name in modules)
    page = files["index.html"].decode().replace("%SERVER%", server).replace("%MODULES%", links)
    files["index.html"] = page.encode()
    files["page.css"] = (_LOOKS / "page.css").read_bytes()
    files["manifest.webmanifest"] = _manifest(place.language).encode()
    files["icons/icon.svg"] = icon_svg().encode()
    files |= {f"icons/icon-{size}.png": icon_png(size) for size in SIZES}
    graphs = {f"models/{m.id}.onnx{PACKED}": bundles / m.id / "model.onnx" for m in models}
    whole = {n: p.read_bytes() for n, p in graphs.items() if p.exists()} | dict(runtime)
    return files | {
        name: gzip.compress(data, 9, mtime=0) if name.endswith(PACKED) else data
        for name, data in whole.items()
    }


def _edition(models: Sequence[Model], server: str) -> dict[str, Any]:
    return {
        "cdss": cdss.__version__,
        "server": server,
        "models": {model.id: model.version for model in models},
    }


def _manifest(lang: str) -> str:
    text = words(lang)
    icons: list[dict[str, str]] = [
        {"src": f"icons/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
        for size in SIZES
    ]
    icons.append({"src": "icons/icon.svg", "sizes": "any", "type": "image/svg+xml"})
    return json.dumps(
        {
            "id": "./", "start_url": "./", "scope": "./", "display": "standalone", "lang": lang,
            "name": text("offline.name"), "short_name": "cdss",
            "description": text("notice.advisory"),
            "background_color": "#ffffff", "theme_color": "#0b5e6b", "icons": icons,
        },
        ensure_ascii=False, indent=1,
    )  # fmt: skip


def _compressed_size(name: str, data: bytes) -> int:
    packed = name.endswith((PACKED, ".png"))
    return len(data) if packed else len(gzip.compress(data, 9, mtime=0))
