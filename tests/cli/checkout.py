"""A checkout to run the command in, and the command as users start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("dhakacart")


@dataclass(frozen=True)
class Checkout:
    """A copy of what rendering reads."""

    root: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`dhakacart …` in the checkout, without a terminal; a traceback fails the test."""
        env = {**os.environ, "PYTHONHASHSEED": "0", **environment}
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.root,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return done

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the first `old`, which must be there."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        """What lies in clusters/."""
        folder = self.root / "clusters"
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }


def make_checkout(root: Path) -> Checkout:
    """A fresh copy, rendered trees included, that shares the caches of the real one."""
    for name in ("environments", "apps", "clusters"):
        shutil.copytree(REPOSITORY / name, root / name)
    (root / ".cache").mkdir()
    for name in ("crd-manifests", "crd-schemas", "kubernetes-schemas"):
        if (REPOSITORY / ".cache" / name).exists():
            (root / ".cache" / name).symlink_to(REPOSITORY / ".cache" / name)
    return Checkout(root)
