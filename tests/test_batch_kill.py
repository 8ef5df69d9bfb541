"""Killed at any moment, a run goes on as if nothing had happened."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.batch_people import digests, people, table

KILLS = 3


def processes_of(pid: int) -> list[int]:
    """A process and those it started."""
    found = [pid]
    for parent in found:
        try:
            said = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        found += [int(child) for child in said.split()]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True], ids=["the command", "and its processes"])
def test_kill_9_at_random_moments(tmp_path: Path, whole: bool) -> None:
    rng = random.Random(17 + whole)
    folder = tmp_path / "in"
    folder.mkdir()
    rows = people(3_000, seed=5)
    for at in range(3):
        part = table(rows[at * 1_000 : (at + 1) * 1_000], at * 1_000)
        pq.write_table(part, folder / f"{at}.parquet", row_group_size=400)
    (folder / "3.parquet").write_bytes(b"PAR1 cut short")

    def start(out: Path) -> subprocess.Popen[bytes]:
        code = (
            "import sys\nfrom pathlib import Path\nfrom cdss.batch.plan import Options\n"
            "from cdss.batch.run import run\n"
            "if __name__ == '__main__':\n"
            "    run(Path(sys.argv[1]), Path(sys.argv[2]), Options(part_rows=150), processes=2)\n"
        )
        script = tmp_path / "go.py"
        script.write_text(code)
        return subprocess.Popen([sys.executable, str(script), str(folder), str(out)])

    began = time.monotonic()
    assert start(tmp_path / "undisturbed").wait() == 0
    long = time.monotonic() - began
    out, interrupted = tmp_path / "out", 0
    for _ in range(KILLS):
        run = start(out)
        time.sleep(rng.uniform(0.3, 1.0) * long)
        interrupted += run.poll() is None
        for pid in processes_of(run.pid) if whole else [run.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.wait()
    assert start(out).wait() == 0

    assert interrupted
    assert digests(out) == digests(tmp_path / "undisturbed")
    for name in ("manifest.json", "occur-twice.npy", "plan.json"):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files == {*digests(out), "manifest.json", "plan.json", "occur-twice.npy", ".lock"} | {
        f"checkpoints/{part['part']}.json"
        for part in json.loads((out / "manifest.json").read_text())["parts"]
    }
