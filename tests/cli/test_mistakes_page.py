"""docs/infrastructure.md shows what mistakes across layers are told as: held to the command's own words.

`pytest tests/cli/test_mistakes_page.py --update` writes them anew, to be read in the diff.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.checkout import Checkout

PAGE = Path(__file__).parents[2] / "docs" / "infrastructure.md"
BEGIN, END = "<!-- mistakes -->\n", "<!-- /mistakes -->\n"
FILE = "environments/prod.yaml"
MISTAKES = (
    (
        "A small database, and pools that were made larger",
        (("db.m7g.large", "db.t4g.micro"), ("poolSize: 4", "poolSize: 8")),
    ),
    ("Fewer nodes than the sale takes", (("max: 12", "max: 7"),)),
    (
        "Copies that go before their lock ends",
        (("  storage: 100Gi\n", "  storage: 100Gi\n  backups:\n    copies: 7d\n"),),
    ),
)


def shown(checkout: Checkout) -> str:
    """The section, as `dhakacart validate` speaks now."""
    original = (checkout.root / FILE).read_text(encoding="utf-8")
    parts = []
    for title, edits in MISTAKES:
        for old, new in edits:
            checkout.edit(FILE, old, new)
        done = checkout.run("validate", "--env", "prod")
        (checkout.root / FILE).write_text(original, encoding="utf-8")
        assert done.returncode == 1
        told = re.split(r"\n\n(?=\w+\[)", done.stderr)
        first = next(each for each in told if each.startswith("error["))
        parts.append(f"{title}:\n\n```text\n{first.strip()}\n```\n")
    return "\n" + "\n".join(parts) + "\n"


def test_the_page_shows_what_is_said(checkout: Checkout, request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    said = shown(checkout)
    if request.config.getoption("--update"):
        PAGE.write_text(f"{before}{BEGIN}{said}{END}{after}", encoding="utf-8")
    else:
        assert old == said
