"""onnxruntime for the browser: fetched by npm, compared with its hash, two files taken out."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from importlib import resources
from io import BytesIO
from pathlib import Path

from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError


def vendored(archive: Path | None = None) -> dict[str, bytes]:
    """
    Get the files of the runtime.

    Parameters
    ----------
    archive : path, optional
        The package as ``npm pack`` writes it; fetched if not given.

    Returns
    -------
    dict of str to bytes
        File of the edition → content.

    Raises
    ------
    DefinitionError
        If npm is missing or fails, or the package is not the one that was pinned.
    """
    facts = read_toml(resources.files(__package__) / "vendor.toml")
    only(facts, "vendor.toml", "package version integrity licence files")
    package = (
        archive.read_bytes() if archive else _fetched(f"{facts['package']}@{facts['version']}")
    )
    digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
    if f"sha512-{digest}" != facts["integrity"]:
        raise DefinitionError(f"{facts['package']}: not the package whose hash is in vendor.toml")
    found = {}
    with tarfile.open(fileobj=BytesIO(package)) as tar:
        for inside, outside in facts["files"].items():
            member = tar.extractfile(f"package/{inside}")
            if member is None:
                raise DefinitionError(f"{facts['package']}: no {inside}")
            found[outside] = member.read()
    return found


def _fetched(wanted: str) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise DefinitionError("npm is needed to fetch onnxruntime-web, or --runtime FILE")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [npm, "pack", wanted, "--silent", "--pack-destination", folder],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
        files = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(files) != 1:
            raise DefinitionError(f"npm pack {wanted} failed with {done.returncode}")
        return files[0].read_bytes()
