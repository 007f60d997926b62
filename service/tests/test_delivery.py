"""What the pages about the shop tell people to type works, and CI types it too."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PAGES = [ROOT / "docs" / "shop.md", ROOT / "service" / "README.md", ROOT / "service" / "docker" / "README.md"]
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def commands(page: Path) -> list[str]:
    """The lines of a page's console blocks, without what explains them."""
    blocks = CONSOLE.findall(page.read_text(encoding="utf-8"))
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("command", [each for each in commands(PAGES[0]) if each.startswith("make ")])
def test_ci_runs_what_the_page_says(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)
    if target != "shop":  # test_make_shop_opens_the_shop
        assert command in CI


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.slow
def test_make_shop_opens_the_shop(tmp_path: Path) -> None:
    environment = {**os.environ, "SHOP_DATABASE_PATH": str(tmp_path / "shop.sqlite3")}
    process = subprocess.Popen(
        ["make", "-s", "shop", "ARGS="],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"(http://127\.0\.0\.1:\d+)/", line):
                break
        else:
            pytest.fail(f"make shop says no address: {said}")
        address = found[1]
        page = answered(f"{address}/bn/")
        assert "<html" in page.text
        assert 'lang="bn"' in page.text
        assert answered(f"{address}/api/v1/products").json()["total"] > 200
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)


def answered(url: str) -> httpx.Response:
    """The answer 200 of a server that is just starting."""
    deadline = time.monotonic() + 20
    while True:
        try:
            answer = httpx.get(url, timeout=5, follow_redirects=True)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == 200:
            return answer
        assert time.monotonic() < deadline, f"{url} does not answer"
        time.sleep(0.05)


@pytest.mark.slow
def test_the_commands_of_the_services_page_work_in_their_order(tmp_path: Path) -> None:
    lines = [each for each in commands(PAGES[1]) if not each.endswith("serve")]
    assert len(lines) == 4
    for line in lines:
        line = line.replace("/tmp/shop.sqlite3", str(tmp_path / "shop.sqlite3"))
        line = line.replace(".venv/bin/python", sys.executable)
        done = subprocess.run(
            ["bash", "-c", line], cwd=ROOT / "service", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
