"""`make bench`: what rendering costs, and what its peers cost for the same objects in the same run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench.measure import Cost, median, run
from bench.synthetic import make_chart, make_checkout, make_kustomization

REPOSITORY = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("dhakacart")
PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
# Targets of docs/performance.md: seconds of wall time and MiB.
COLD_START = (0.6, 80)
TEN_THOUSAND = (2.5, 250)


def main() -> None:
    """Measure and print; exit 2 where a peer's program is missing."""
    arguments = _arguments()
    missing = [name for name in ("helm", "kubectl") if not shutil.which(name)]
    if missing:
        sys.exit(f"bench: {', '.join(missing)} not on the PATH; `tools/install.sh helm` builds helm")
    cache = REPOSITORY / ".cache"  # on the disk that a checkout is on: /tmp is often another one
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as scratch:
        rows = list(measure(Path(scratch), arguments.sizes, arguments.runs, arguments.kustomize_up_to))
    if arguments.json:
        print(json.dumps(rows, indent=2))  # noqa: T201
    else:
        print("\n".join(map(as_line, rows)))  # noqa: T201
    if arguments.write:
        write_page(PAGE, rows, arguments.runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000], metavar="N")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command; the median counts")
    parser.add_argument(
        "--kustomize-up-to",
        type=int,
        default=1_000,
        metavar="N",
        help="kustomize grows quadratically: 10,000 take minutes",
    )
    parser.add_argument("--quick", action="store_true", help="a small run that shows that everything works")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--json", action="store_true", help="rows for a machine")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.sizes, arguments.runs, arguments.kustomize_up_to = [100, 1_000], 1, 100
    return arguments


def measure(scratch: Path, sizes: list[int], runs: int, kustomize_up_to: int) -> Iterator[dict[str, object]]:
    """A row for each thing measured."""
    real = scratch / "real"
    for name in ("apps", "environments", "clusters"):
        shutil.copytree(REPOSITORY / name, real / name)
    run([COMMAND, "render"], real)
    yield _row(
        "three real environments, nothing changed", median([COMMAND, "render"], real, runs), COLD_START
    )
    for size in sizes:
        yield from _size(scratch / str(size), size, runs, kustomize=size <= kustomize_up_to)


def _size(folder: Path, size: int, runs: int, *, kustomize: bool) -> Iterator[dict[str, object]]:
    checkout = make_checkout(REPOSITORY, folder / "checkout", size)
    clusters = checkout / "clusters"
    target = TEN_THOUSAND if size == 10_000 else None
    first = median([COMMAND, "render"], checkout, runs, lambda: _put_aside(clusters))
    again = median([COMMAND, "render"], checkout, runs)
    yield _row(f"{size:,} objects: render, check, write", first, target)
    yield _row(f"{size:,} objects: again, nothing changed", again)
    chart = make_chart(REPOSITORY, folder / "chart", size)
    helm = median(["helm", "template", "bench", chart], folder, runs)
    yield _row(f"{size:,} objects: helm, one range loop, no checks", helm, peer=first)
    if kustomize:
        overlay = make_kustomization(clusters / "prod", folder / "kustomize")
        yield _row(
            f"{size:,} objects: kubectl kustomize",
            median(["kubectl", "kustomize", overlay], folder, runs),
            peer=first,
        )


def _put_aside(folder: Path) -> None:
    """Out of the way without deleting: ext4 is slow to create files right after it deleted thousands."""
    if folder.exists():
        folder.rename(Path(tempfile.mkdtemp(dir=folder.parent)) / folder.name)


def _row(
    what: str, cost: Cost, target: tuple[float, float] | None = None, peer: Cost | None = None
) -> dict[str, object]:
    row: dict[str, object] = {"what": what, "wall": cost.wall, "cpu": cost.cpu, "mib": cost.mib}
    if target:
        row |= {"of target wall": cost.wall / target[0], "of target mib": cost.mib / target[1]}
    if peer:
        row |= {"ours / peer cpu": peer.cpu / cost.cpu, "ours / peer wall": peer.wall / cost.wall}
    return row


def as_line(row: dict[str, object]) -> str:
    """A row for a terminal."""
    head = f"{row['what']:<48} {row['wall']:6.2f} s wall {row['cpu']:6.2f} s CPU {row['mib']:5.0f} MiB"
    return "  ".join([head, *_ratios(row)])


def _ratios(row: dict[str, object]) -> list[str]:
    return [f"{name} {value:.2f}" for name, value in row.items() if name.startswith(("of", "ours"))]


def write_page(page: Path, rows: list[dict[str, object]], runs: int) -> None:
    """Put the figures of this run between the page's markers."""
    head = "| what | wall s | CPU s | MiB | ratios |\n|---|---|---|---|---|\n"
    cells = (
        f"| {row['what']} | {row['wall']:.2f} | {row['cpu']:.2f} | {row['mib']:.0f} "
        f"| {', '.join(_ratios(row))} |\n"
        for row in rows
    )
    where = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, medians of {runs}, {date.today()}.\n"
    )
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{where}\n{head}{''.join(cells)}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
