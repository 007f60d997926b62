"""A second opinion on the schemas: kubeconform, offline, on the very files that `schema.py` reads."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from generator.check import crd
from generator.check.schema import SchemaFolders, schema_folders
from generator.check.schema_codes import KUBECONFORM
from generator.problem import Place, Problem, ProblemsError
from generator.render.model import Rendered
from generator.repository import Repository

PROGRAM = "kubeconform"
TIMEOUT = 300  # seconds; 10,000 objects take a few
BUILTIN = "{{.NormalizedKubernetesVersion}}-local{{.StrictSuffix}}/{{.ResourceKind}}{{.KindSuffix}}.json"
CUSTOM = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"


class Refusal(NamedTuple):
    """What kubeconform refuses: the file that holds it, and why."""

    file: Path
    message: str


def find_kubeconform() -> Path | None:
    """The program on the PATH, None if there is none."""
    found = shutil.which(PROGRAM)
    return Path(found) if found else None


def check_with_kubeconform(repository: Repository, rendered: Rendered) -> list[Problem] | None:
    """What kubeconform refuses of an environment's objects; None if it cannot run.

    It cannot without the program, nor without schemas, which `check_schema` reports.
    """
    program = find_kubeconform()
    if program is None:
        return None
    version = rendered.environment.cluster.version
    try:
        folders = schema_folders(version, repository.cache)
        crds = crd.crd_schemas(folders.manifests, folders.cache)
    except ProblemsError:
        return None
    with tempfile.TemporaryDirectory(prefix="kubeconform-") as temporary:
        objects = {Path(temporary, f"{i}.json"): obj for i, obj in enumerate(rendered.everything)}
        for path, obj in objects.items():
            path.write_text(json.dumps(obj.body), encoding="utf-8")
        refusals = run_kubeconform([Path(temporary)], version, folders, crds, program) if objects else []
    return [
        Problem(KUBECONFORM, refusal.message, "", Place(obj.source), str(obj.identity))
        for refusal in refusals
        for obj in [objects[refusal.file]]
    ]


def run_kubeconform(
    paths: Sequence[Path], version: str, folders: SchemaFolders, crds: Path, program: Path
) -> list[Refusal]:
    """What kubeconform refuses of the YAML and JSON files at `paths` (folders are walked), sorted by file.

    `crds` is the folder of derived schemas (`crd.crd_schemas`). ProblemsError if the program itself fails.
    """
    command = [
        str(program), "-strict", "-output", "json", "-kubernetes-version", f"{version}.0",
        "-schema-location", f"{folders.builtin.parent}/{BUILTIN}",
        "-schema-location", f"{crds}/{CUSTOM}",
        *map(str, paths),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)  # noqa: S603
        resources = json.loads(done.stdout)["resources"]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProblemsError([_failed(str(error))]) from None
    except (ValueError, KeyError, TypeError):
        raise ProblemsError([_failed(done.stderr.strip() or f"exit status {done.returncode}")]) from None
    return sorted(
        Refusal(Path(resource["filename"]), message)
        for resource in resources or ()
        if resource["status"] in ("statusInvalid", "statusError")
        for message in _messages(resource)
    )


def _messages(resource: dict[str, object]) -> list[str]:
    errors = resource.get("validationErrors")
    if isinstance(errors, list) and errors:
        return [f"{error['path'] or '/'}: {error['msg']}" for error in errors]
    return [str(resource["msg"])]


def _failed(why: str) -> Problem:
    return Problem(
        KUBECONFORM, f"kubeconform could not run: {why}", "`make tools` installs the pinned version"
    )
