"""`make schemas`: the CustomResourceDefinitions of the pinned versions, from upstream, by checksum.

`crd-checksums.json` names each file's repository, tag and path, and a SHA-256 of what it means: of its parsed
content without descriptions, as canonical JSON. Comments, form and prose may differ, types and rules not.
That content is also what is kept: JSON, which is YAML, a third of the original's size.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from generator.check.crd import VARIABLE, read_crd
from generator.check.schema_codes import FETCH
from generator.problem import Place, Problem, ProblemsError

CHECKSUMS = Path(__file__).with_name("crd-checksums.json")
UPSTREAM = "https://raw.githubusercontent.com"
TIMEOUT = 30.0  # seconds without an answer
AT_ONCE = 8  # downloads
FOLDER = "crd-manifests"
STAMP = ".fetched"
"""In the folder, when complete: the SHA-256 of the list that it was fetched by."""

Say = Callable[[str], None]


class Source(NamedTuple):
    """One file: where it lies here (`<group>/<plural>.yaml`), where it comes from, and what it must mean."""

    name: str
    repository: str
    tag: str
    path: str
    sha256: str

    @property
    def origin(self) -> str:
        """The address below the host."""
        return f"{self.repository}/{self.tag}/{self.path}"


def sources(listed: Path = CHECKSUMS) -> list[Source]:
    """The files of `crd-checksums.json`, sorted by name."""
    return sorted(
        Source(name, release["repository"], release["tag"], file["path"], file["sha256"])
        for release in json.loads(listed.read_bytes())["releases"]
        for name, file in release["files"].items()
    )


def canonical(crd: dict[str, Any]) -> bytes:
    """What a CustomResourceDefinition means: its content without descriptions, as JSON with sorted keys."""
    text = json.dumps(_without_prose(crd), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def fetch_crds(cache: Path, say: Say, base: str = UPSTREAM, listed: Path = CHECKSUMS) -> int:
    """Fill `crd-manifests` in `cache`; how many files were fetched, 0 if it was up to date.

    Nothing is fetched where CRD_MANIFESTS names a folder. ProblemsError DC-SCH-007 with every file that
    could not be fetched or has changed; then the folder stays as it was.
    """
    if named := os.environ.get(VARIABLE):
        say(f"{VARIABLE} is set: custom resources are checked by the definitions in {named}")
        return 0
    folder = cache / FOLDER
    stamp = hashlib.sha256(listed.read_bytes()).hexdigest()
    if _read(folder / STAMP) == stamp:
        return 0
    wanted = sources(listed)
    say(f"fetching {len(wanted)} CustomResourceDefinitions of {_releases(wanted)}")
    contents = {source.name: content for source, content in _download(wanted, base, say)}
    _replace(folder, {**contents, STAMP: stamp.encode()})
    return len(contents)


def record_checksums(say: Say, base: str = UPSTREAM, listed: Path = CHECKSUMS) -> None:
    """Accept what upstream has now: write the checksums anew, after tags or paths were changed by hand."""
    found = {source: _fetch(source, base) for source in sources(listed)}
    document = json.loads(listed.read_bytes())
    sums = {source.name: _sha256(content) for source, content in found.items()}
    for release in document["releases"]:
        for name, file in release["files"].items():
            if file["sha256"] != sums[name]:
                say(f"changed: {name} of {release['repository']} {release['tag']}")
            file["sha256"] = sums[name]
    listed.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _download(wanted: list[Source], base: str, say: Say) -> Iterator[tuple[Source, bytes]]:
    """Each file with its canonical content; ProblemsError after the last if any failed."""
    problems: dict[Problem, None] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, (source, result) in enumerate(
            zip(wanted, pool.map(lambda one: _checked(one, base), wanted), strict=True), start=1
        ):
            if isinstance(result, Problem):
                problems[result] = None
            else:
                say(f"  {done:2}/{len(wanted)} {source.name}")
                yield source, result
    if problems:
        raise ProblemsError(list(problems))


def _checked(source: Source, base: str) -> bytes | Problem:
    """A file's canonical content if it is the one expected."""
    try:
        content = _fetch(source, base)
    except ProblemsError as error:
        return error.problems[0]
    if _sha256(content) != source.sha256:
        message = f"{source.name} is not what was recorded: SHA-256 {_sha256(content)}, not {source.sha256}"
        hint = f"compare {source.repository} {source.tag} with the release notes before you record it anew"
        return Problem(FETCH, message, hint, Place(f"{base}/{source.origin}"))
    return content


def _fetch(source: Source, base: str) -> bytes:
    address = f"{base}/{source.origin}"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310 - http(s), from our list
            text: bytes = answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        hint = "the tag or path in crd-checksums.json may be wrong"
        raise ProblemsError(
            [Problem(FETCH, f"{address}: {error.code} {error.reason}", hint, Place(source.name))]
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error) or type(error).__name__
        hint = f"try again when online, or name a folder of <group>/<plural>.yaml in {VARIABLE}"
        raise ProblemsError([Problem(FETCH, f"cannot fetch from {base}: {reason}", hint)]) from None
    try:
        return canonical(read_crd(text, Path(source.origin)))
    except ProblemsError as error:
        why = error.problems[0].message
        raise ProblemsError([Problem(FETCH, f"{address}: {why}", "", Place(source.name))]) from None


def _without_prose(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_prose(inner)
            for key, inner in value.items()
            if not (key == "description" and isinstance(inner, str))
        }
    if isinstance(value, list):
        return [_without_prose(inner) for inner in value]
    return value


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _releases(wanted: list[Source]) -> str:
    return ", ".join(dict.fromkeys(f"{source.repository} {source.tag}" for source in wanted))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _replace(folder: Path, contents: dict[str, bytes]) -> None:
    """The folder with exactly these files, the stamp last."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}.", dir=folder.parent) as temporary:
        for name, content in contents.items():
            path = Path(temporary, "new", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if folder.exists():
            shutil.move(folder, Path(temporary, "old"))
        Path(temporary, "new").replace(folder)


def main() -> int:
    """`python -m generator.check.crd_fetch --record`: write the checksums of what upstream has now."""
    if sys.argv[1:] != ["--record"]:
        sys.stderr.write(f"{main.__doc__}\n")
        return 2
    try:
        record_checksums(lambda line: print(line, file=sys.stderr))  # noqa: T201
    except ProblemsError as error:
        sys.stderr.writelines(f"{problem.message}\n  {problem.hint}\n" for problem in error.problems)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
