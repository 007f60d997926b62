"""The bootstrap, run as docs/bootstrap.md says it: its shell blocks are the script.

What cannot be run here stands below, word for word; if it no longer is in the page, that is an error.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.bed import Bed
from cluster.errors import BedError
from cluster.repository import Repository

PAGE = "docs/bootstrap.md"
LAST = "## What happens now"
"""The heading after the last step."""

BLOCK = re.compile(r"(?ms)^```sh\n(.*?)^```$")
REACHED = re.compile(r"(?m)^== (\d+)$")
HEADING = re.compile(r"(?m)^## (.*)$")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A piece of the page that does not run here; `instead` runs, `why` is said."""

    text: str
    instead: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """A shell block under its heading, as it is run; `replaced` says what is not run as written."""

    heading: str
    script: str
    replaced: tuple[Replaced, ...]


STORE = """\
aws secretsmanager put-secret-value --secret-id dhakacart/$ENV/slack --secret-string file://slack.json
"""
INSTALL = """\
helm template argo-cd argo-cd \\
  --repo https://argoproj.github.io/argo-helm --version 10.1.1 \\
  --namespace argocd --include-crds \\
  --values clusters/$ENV/values/argo-cd.yaml > /tmp/argo-cd.yaml

apply --namespace argocd -f /tmp/argo-cd.yaml
"""
READY = """\
kubectl --namespace argocd wait --for=condition=Available --timeout=5m deployment --all
kubectl --namespace argocd rollout status --timeout=5m statefulset
"""
ACCESS = re.compile(r"(?ms)^kubectl --namespace argocd create secret generic platform-repository .*")

ALWAYS = (
    Replaced(STORE, ":\n", "no AWS here: Secrets have stand-in values"),
    Replaced("export ENV=prod ", "export ENV={environment} ", "the environment of this test bed"),
)
WITHOUT_CHART = (
    Replaced(
        INSTALL,
        ":\n",
        "the chart cannot be pulled: Argo CD runs as processes, its ConfigMaps are made of its values",
    ),
    Replaced(READY, ":\n", "no Deployments of Argo CD: its processes have been waited for"),
)


def steps(page: str, environment: str, chart: str = "") -> list[Step]:
    """The steps of the page for an environment; `chart` is where Argo CD's chart is served, if it is."""
    before = page.partition(f"\n{LAST}\n")[0]
    if before == page:
        raise BedError(f"{PAGE} has no {LAST!r}: adapt tests/cluster/bootstrap.py")
    table = [*ALWAYS, *(_with_chart(chart) if chart else WITHOUT_CHART)]
    found = [_step(before, block, environment, table) for block in BLOCK.finditer(before)]
    used = {one.text for step in found for one in step.replaced}
    unused = [one.text for one in table if one.text not in used]
    if unused:
        raise BedError(f"{PAGE} no longer has this: adapt tests/cluster/bootstrap.py\n{unused[0]}")
    return found


def run(bed: Bed, repository: Repository, say: Callable[[str], None] = lambda _: None) -> None:
    """Run every step in the clone of the repository. BedError with what was said if one fails."""
    page = (bed.root / PAGE).read_text()
    charts = repository.charts
    served = (
        charts.url if charts and not any(one.application == "argo-cd" for one in repository.held_back) else ""
    )
    found = steps(page, bed.environment.name, served)
    for step in found:
        say(step.heading)
        for one in step.replaced:
            say(f"  not as written: {one.why}")
    script = "set -euo pipefail\n" + "".join(
        f"echo '== {number}'\n{step.script}\n" for number, step in enumerate(found)
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=repository.clone,
        env=_environment(bed),
        capture_output=True,
        text=True,
        check=False,
    )
    (bed.folder / "bootstrap.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        reached = found[int(REACHED.findall(done.stdout)[-1])]
        raise BedError(f"{PAGE}, {reached.heading!r} failed:\n{done.stderr.strip()}\n-- of\n{reached.script}")


def _step(page: str, block: re.Match[str], environment: str, table: list[Replaced]) -> Step:
    headings = [found[1] for found in HEADING.finditer(page[: block.start()])]
    heading = headings[-1] if headings else "Before the first step"
    script = block[1]
    if ACCESS.search(script):
        why = "a repository on this machine needs no key"
        return Step(heading, ":\n", (Replaced(script, ":\n", why),))
    used = tuple(one for one in table if one.text in script)
    for one in used:
        script = script.replace(one.text, one.instead.format(environment=environment))
    return Step(heading, script, used)


def _with_chart(url: str) -> tuple[Replaced, ...]:
    return (Replaced("--repo https://argoproj.github.io/argo-helm", f"--repo {url}", "the chart of CHARTS"),)


def _environment(bed: Bed) -> dict[str, str]:
    path = f"{Path(bed.kubectl_program).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "KUBECONFIG": str(bed.kubeconfig), "HOME": str(bed.folder), "PATH": path}
