"""`make schemas` against a server on 127.0.0.1: the real files, changed ones, missing ones, no server."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from generator.check.crd import crd_manifests, crd_schemas, manifest_files, read_crd
from generator.check.crd_fetch import (
    CHECKSUMS,
    Source,
    canonical,
    fetch_crds,
    main,
    record_checksums,
    sources,
)
from generator.problem import ProblemsError

MANIFESTS = crd_manifests(Path(__file__).parents[2] / ".cache")  # before any test changes the environment
CHOSEN = ("argoproj.io/applications.yaml", "cert-manager.io/issuers.yaml")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """What the server has: two of the real files as upstream writes them, with prose and a comment."""
    folder = tmp_path / "upstream"
    for source in chosen():
        crd = read_crd((MANIFESTS / source.name).read_bytes(), MANIFESTS / source.name)
        for version in crd["spec"]["versions"]:
            version["schema"]["openAPIV3Schema"]["description"] = "What it is for."
        path = folder / source.origin
        path.parent.mkdir(parents=True)
        path.write_text(f"# generated\n{json.dumps(crd, indent=2)}\n")
    return folder


@pytest.fixture
def base(upstream: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(upstream)))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of the two chosen files, with their real checksums."""
    document = json.loads(CHECKSUMS.read_bytes())
    for release in document["releases"]:
        release["files"] = {name: file for name, file in release["files"].items() if name in CHOSEN}
    path = tmp_path / "crd-checksums.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(autouse=True)
def _no_folder_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRD_MANIFESTS", raising=False)


def chosen() -> list[Source]:
    return [source for source in sources() if source.name in CHOSEN]


def silent(_: str) -> None:
    pass


def test_fetches_checks_and_keeps_what_the_schemas_are_derived_from(
    tmp_path: Path, base: str, listed: Path
) -> None:
    said: list[str] = []
    assert fetch_crds(tmp_path, said.append, base, listed) == 2
    manifests = tmp_path / "crd-manifests"
    assert [path.relative_to(manifests).as_posix() for path in manifest_files(manifests)] == list(CHOSEN)
    assert "What it is for." not in (manifests / CHOSEN[0]).read_text()
    assert (crd_schemas(manifests, tmp_path) / "argoproj.io/application_v1alpha1.json").is_file()
    assert "argoproj/argo-cd v3.6.1" in said[0]
    assert said[-1].strip() == f"2/2 {CHOSEN[1]}"


def test_a_second_run_asks_nobody(tmp_path: Path, base: str, listed: Path, upstream: Path) -> None:
    fetch_crds(tmp_path, silent, base, listed)
    assert fetch_crds(tmp_path, silent, "http://127.0.0.1:1", listed) == 0


def test_a_new_list_replaces_the_folder(tmp_path: Path, base: str, listed: Path) -> None:
    fetch_crds(tmp_path, silent, base, listed)
    listed.write_text(listed.read_text().replace(CHOSEN[1], "cert-manager.io/renamed.yaml"))
    assert fetch_crds(tmp_path, silent, base, listed) == 2
    names = [path.name for path in manifest_files(tmp_path / "crd-manifests")]
    assert names == ["applications.yaml", "renamed.yaml"]


def test_a_changed_file_is_refused_and_nothing_is_kept(
    tmp_path: Path, base: str, listed: Path, upstream: Path
) -> None:
    path = upstream / chosen()[1].origin
    path.write_text(path.read_text().replace('"maxLength": 64', '"maxLength": 65'))
    with pytest.raises(ProblemsError) as caught:
        fetch_crds(tmp_path, silent, base, listed)
    [problem] = caught.value.problems
    assert problem.code == "DC-SCH-007"
    assert problem.message.startswith("cert-manager.io/issuers.yaml is not what was recorded")
    assert not (tmp_path / "crd-manifests").exists()


def test_a_missing_file_names_its_address(tmp_path: Path, base: str, listed: Path, upstream: Path) -> None:
    (upstream / chosen()[0].origin).unlink()
    with pytest.raises(ProblemsError, match="404") as caught:
        fetch_crds(tmp_path, silent, base, listed)
    assert chosen()[0].origin in caught.value.problems[0].message


def test_a_file_that_is_no_crd_is_refused(tmp_path: Path, base: str, listed: Path, upstream: Path) -> None:
    (upstream / chosen()[0].origin).write_text("<html>please log in</html>")
    with pytest.raises(ProblemsError, match="it is no CustomResourceDefinition"):
        fetch_crds(tmp_path, silent, base, listed)


def test_offline_is_said_once_with_a_way_on(tmp_path: Path, listed: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}"  # bound, not listening: refused at once
        with pytest.raises(ProblemsError) as caught:
            fetch_crds(tmp_path, silent, base, listed)
    [problem] = caught.value.problems
    assert "refused" in problem.message
    assert "CRD_MANIFESTS" in problem.hint


def test_an_answer_that_breaks_off_is_a_problem(tmp_path: Path, listed: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            for _ in CHOSEN:
                connection, _address = server.accept()
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nkind: Cu")
                connection.close()

        thread = Thread(target=hang_up)
        thread.start()
        with pytest.raises(ProblemsError, match="cannot fetch"):
            fetch_crds(tmp_path, silent, f"http://127.0.0.1:{server.getsockname()[1]}", listed)
        thread.join()


def test_a_named_folder_needs_no_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRD_MANIFESTS", "somewhere")
    said: list[str] = []
    assert fetch_crds(tmp_path, said.append, "http://127.0.0.1:1") == 0
    assert "somewhere" in said[0]


def test_recording_accepts_what_upstream_has_now(
    tmp_path: Path, base: str, listed: Path, upstream: Path
) -> None:
    path = upstream / chosen()[1].origin
    path.write_text(path.read_text().replace('"maxLength": 64', '"maxLength": 65'))
    said: list[str] = []
    record_checksums(said.append, base, listed)
    assert said == ["changed: cert-manager.io/issuers.yaml of cert-manager/cert-manager v1.21.1"]
    assert fetch_crds(tmp_path, silent, base, listed) == 2


def test_the_command_says_what_it_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["crd_fetch"])
    assert main() == 2
    assert "--record" in capsys.readouterr().err


def test_prose_does_not_count_and_fields_called_description_do() -> None:
    schema = {
        "description": "prose",
        "properties": {"description": {"type": "string", "description": "prose"}},
    }
    assert canonical({"a": schema}) == b'{"a":{"properties":{"description":{"type":"string"}}}}'


def test_the_checksums_are_those_of_the_folder_in_use() -> None:
    for source in sources():
        path = MANIFESTS / source.name
        assert hashlib.sha256(canonical(read_crd(path.read_bytes(), path))).hexdigest() == source.sha256
    assert {source.name for source in sources()} == {
        path.relative_to(MANIFESTS).as_posix() for path in manifest_files(MANIFESTS)
    }
