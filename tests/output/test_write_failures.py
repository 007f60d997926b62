"""Writing that goes wrong: a full disk, a kill, a second run. The tree is as before or as rendered."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from generator.output.record import RECORD
from generator.output.write import STAGING, apply, apply_all, plan
from generator.problem import Problem, ProblemsError

Files = dict[str, bytes]
OnDisk = Callable[[Path], Files]

# Every system call that changes a file system, as writing uses them.
CALLS = ("open", "write", "replace", "mkdir", "rmdir", "unlink")
NOBODY = 65534


def caught(work: Callable[[], None]) -> Problem:
    with pytest.raises(ProblemsError) as error:
        work()
    (problem,) = error.value.problems
    return problem


def outcome(work: Callable[[], None]) -> set[str]:
    """The codes of what stopped it, none if nothing did."""
    try:
        work()
    except ProblemsError as error:
        return {problem.code for problem in error.problems}
    return set()


def tracked(files: Files) -> Files:
    """Without what is ours to keep books."""
    return {path: content for path, content in files.items() if path != RECORD and STAGING not in path}


def break_call(
    patch: pytest.MonkeyPatch, number: int, then: Callable[[], None], *, once: bool = True
) -> None:
    """From now on, call `then` in place of the system call of this number (and all later ones)."""
    calls = 0

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number or (calls > number and not once):
                then()
            return real(*arguments, **options)

        return call

    for name in CALLS:
        patch.setattr(os, name, wrapped(getattr(os, name)))


def disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_failure_at_any_step_leaves_every_environment_as_it_was(
    tmp_path: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk
) -> None:
    dev, prod = tmp_path / "clusters/dev", tmp_path / "clusters/prod"
    apply(plan(old_tree, prod), prod)
    before = on_disk(tmp_path)
    outcomes = []
    for number in range(1, 1000):
        work = [(plan(new_tree, folder), folder) for folder in (dev, prod)]
        with pytest.MonkeyPatch.context() as patch:
            break_call(patch, number, disk_full)
            try:
                apply_all(work)
            except ProblemsError as error:
                problem = error.problems[0]
            else:
                break
        outcomes.append(problem.code)
        assert on_disk(tmp_path) == before, f"after a failure of call {number}"
        assert not dev.exists(), f"after a failure of call {number}"
        assert "as it was" in problem.hint
    assert set(outcomes) == {"DC-OUT-006"}
    assert len(outcomes) > 40  # it did fail in staging and in every exchange
    assert tracked(on_disk(dev)) == tracked(on_disk(prod)) == new_tree


def test_ctrl_c_at_any_step_leaves_the_tree_as_it_was(
    tmp_path: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk
) -> None:
    folder = tmp_path / "prod"
    apply(plan(old_tree, folder), folder)
    before = on_disk(folder)
    for number in range(1, 30):
        with pytest.MonkeyPatch.context() as patch:
            changes = plan(new_tree, folder)
            break_call(patch, number, interrupt)
            with pytest.raises(KeyboardInterrupt):
                apply(changes, folder)
        assert on_disk(folder) == before, f"interrupted at call {number}"


def test_what_cannot_be_put_back_is_named_and_kept(tmp_path: Path, old_tree: Files, new_tree: Files) -> None:
    lost = 0
    for number in range(1, 30):
        folder = tmp_path / str(number)
        apply(plan(old_tree, folder), folder)
        changes = plan(new_tree, folder)
        with pytest.MonkeyPatch.context() as patch:
            break_call(patch, number, disk_full, once=False)
            hint = caught(partial(apply, changes, folder)).hint
        if f"{number}/manifests/backend/deployment-backend.yaml" in hint:
            lost += 1
            kept = [path.read_bytes() for path in (folder / STAGING).iterdir()]
            assert old_tree["manifests/backend/deployment-backend.yaml"] in kept
    assert lost


@pytest.mark.parametrize("later", ["the same", "something else"])
def test_the_next_run_finishes_what_a_killed_one_began(
    tmp_path: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk, later: str
) -> None:
    final = new_tree if later == "the same" else dict.fromkeys(new_tree, b"# edited since the kill\n")
    killed = 0
    for number in range(1, 1000):
        folder = tmp_path / str(number)
        apply(plan(old_tree, folder), folder)
        if not killed_at(number, plan(new_tree, folder), folder):
            break
        killed += 1
        apply(plan(final, folder), folder)
        assert tracked(on_disk(folder)) == final, f"killed at call {number}"
        assert not (folder / STAGING).exists()
        assert plan(final, folder).empty
    assert killed > 20


def killed_at(number: int, changes: Any, folder: Path) -> bool:
    """Whether a process that applies `changes` and is killed at that system call got so far."""
    child = os.fork()
    if child == 0:
        try:
            break_call(pytest.MonkeyPatch(), number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            apply(changes, folder)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


# A full disk, for real


FILE_LIMIT = """
import resource, sys
from pathlib import Path
from generator.output.write import apply, plan
from generator.problem import ProblemsError
folder = Path(sys.argv[1])
changes = plan({"values/a.yaml": b"new", "values/b.yaml": b"x" * 200_000}, folder)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    apply(changes, folder)
except ProblemsError as error:
    print(error.problems[0].code, error.problems[0].message, error.problems[0].hint)
"""


def test_a_file_that_the_system_refuses_to_take(tmp_path: Path, on_disk: OnDisk) -> None:
    folder = tmp_path / "prod"
    apply(plan({"values/a.yaml": b"old"}, folder), folder)
    before = on_disk(folder)
    command = [sys.executable, "-c", FILE_LIMIT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("DC-OUT-006 could not write: File too large")
    assert "ulimit -f" in done.stdout
    assert on_disk(folder) == before


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True, capture_output=True)


def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder, "disk"), "size=4k"):
                return True
        except (subprocess.CalledProcessError, OSError):
            return False


needs_small_disk = pytest.mark.skipif(
    os.geteuid() != 0 or not can_mount(),
    reason="only root may mount; the limit above stands for the full disk",
)


@needs_small_disk
@pytest.mark.parametrize("options", ["size=256k", "nr_inodes=20"])
def test_a_full_disk(tmp_path: Path, old_tree: Files, on_disk: OnDisk, options: str) -> None:
    disk = tmp_path / "disk"
    folder = disk / "prod"
    with small_disk(disk, options):
        apply(plan(old_tree, folder), folder)
        before = on_disk(disk)
        big = old_tree | {f"values/{number}.yaml": b"x" * 20_000 for number in range(20)}
        problem = caught(lambda: apply(plan(big, folder), folder))
        assert problem.code == "DC-OUT-006"
        assert "No space left on device" in problem.message
        assert "Free some space" in problem.hint
        assert on_disk(disk) == before
        subprocess.run(["mount", "-o", "remount,size=2m,nr_inodes=200", disk], check=True)
        apply(plan(big, folder), folder)
        assert plan(big, folder).empty


@needs_small_disk
@pytest.mark.parametrize("inodes", range(16, 28))
def test_a_disk_that_is_full_at_any_point(
    tmp_path: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk, inodes: int
) -> None:
    disk = tmp_path / "disk"
    folder = disk / "prod"
    with small_disk(disk, "nr_inodes=1000"):
        apply(plan(old_tree, folder), folder)
        before = on_disk(disk)
        subprocess.run(["mount", "-o", f"remount,nr_inodes={inodes}", disk], check=True)
        codes = outcome(partial(apply, plan(new_tree, folder), folder))
        if codes:
            assert codes == {"DC-OUT-006"}
            assert on_disk(disk) == before
        else:
            assert tracked(on_disk(folder)) == new_tree


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere: give that up for a while."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_folder_without_permission(old_tree: Files, new_tree: Files, on_disk: OnDisk) -> None:
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer, "prod")
        apply(plan(old_tree, folder), folder)
        before = on_disk(folder)
        folder.chmod(0o555)
        with as_nobody():
            problem = caught(lambda: apply(plan(new_tree, folder), folder))
        folder.chmod(0o755)
        assert (problem.code, "Permission denied" in problem.message) == ("DC-OUT-006", True)
        assert "writable" in problem.hint
        assert on_disk(folder) == before


def test_a_file_that_must_not_be_read_is_in_the_way(old_tree: Files) -> None:
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer, "prod")
        apply(plan(old_tree, folder), folder)
        (folder / "values/loki.yaml").chmod(0)
        with as_nobody():
            problem = caught(lambda: apply(plan(old_tree, folder), folder))
        assert (problem.code, "Permission denied" in problem.message) == ("DC-OUT-004", True)


def test_a_folder_that_must_not_be_entered_is_in_the_way(old_tree: Files) -> None:
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer, "prod")
        apply(plan(old_tree, folder), folder)
        (folder / "manifests").chmod(0)
        with as_nobody():
            changes = plan(old_tree, folder)
        (folder / "manifests").chmod(0o755)
    reason = os.strerror(errno.EACCES)
    assert changes.foreign == {"manifests/backend": reason, "manifests/legacy": reason}


# Two runs at once


def test_one_run_at_a_time(tmp_path: Path, old_tree: Files, on_disk: OnDisk) -> None:
    dev, prod = tmp_path / "dev", tmp_path / "prod"
    prod.mkdir()
    handle = os.open(prod, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    work = [(plan(old_tree, folder), folder) for folder in (dev, prod)]
    problem = caught(lambda: apply_all(work))
    assert (problem.code, "another run" in problem.message) == ("DC-OUT-007", True)
    assert on_disk(tmp_path) == {}
    os.close(handle)
    apply_all(work)
    assert plan(old_tree, prod).empty


def test_a_plan_that_another_run_has_overtaken_is_not_written(
    tmp_path: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk
) -> None:
    folder = tmp_path / "prod"
    changes = plan(old_tree, folder)
    apply(plan(new_tree, folder), folder)
    before = on_disk(folder)
    assert caught(lambda: apply(changes, folder)).code == "DC-OUT-007"
    assert on_disk(folder) == before


def test_a_plan_during_which_another_run_wrote_is_made_again(
    tmp_path: Path, old_tree: Files, new_tree: Files
) -> None:
    folder = tmp_path / "prod"
    apply(plan(old_tree, folder), folder)

    class Meddled(Files):
        """A tree during whose comparison another run writes."""

        def get(self, path: str, default: Any = None) -> Any:
            apply(plan(new_tree, folder), folder)
            return super().get(path, default)

    changes = plan(Meddled(old_tree), folder)
    assert changes.edited == ()
    assert changes.foreign == {}
    apply(changes, folder)
    assert plan(old_tree, folder).empty


def test_a_file_that_appears_while_rendering_is_not_overwritten(tmp_path: Path, old_tree: Files) -> None:
    folder = tmp_path / "prod"
    changes = plan(old_tree, folder)
    (folder / "values").mkdir(parents=True)
    (folder / "values/loki.yaml").write_text("mine")
    assert caught(lambda: apply(changes, folder)).code == "DC-OUT-006"
    assert (folder / "values/loki.yaml").read_text() == "mine"


def test_many_runs_at_once_end_with_the_tree_of_one(tmp_path: Path, on_disk: OnDisk) -> None:
    folder = tmp_path / "prod"
    folder.mkdir()
    children = [rendering_for(0.5, run, folder) for run in range(4)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)
    files = tracked(on_disk(folder))
    assert len(files) == 60
    assert len(set(files.values())) == 1
    assert plan(files, folder).empty


def rendering_for(seconds: float, run: int, folder: Path) -> int:
    """A process that renders again and again; it ends with 0 if nothing but other runs ever stopped it."""
    child = os.fork()
    if child:
        return child
    codes: set[str] = set()
    end = time.monotonic() + seconds
    try:
        for turn in itertools.count():
            content = f"run {run}, turn {turn}\n".encode()
            tree = {f"manifests/{path}.yaml": content for path in range(run, run + 60)}
            codes |= outcome(lambda tree=tree: apply(plan(tree, folder), folder))  # type: ignore[misc]
            if time.monotonic() > end:
                break
    except BaseException:  # whatever it is, a forked pytest must not go on
        os._exit(2)
    os._exit(0 if codes <= {"DC-OUT-007"} else 1)
