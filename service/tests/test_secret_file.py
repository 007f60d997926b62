"""A secret that is replaced while the process runs is taken up within a minute, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from shop.secret_file import LOOK, SecretFile


class Clock:
    """A clock that stands still until it is told."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At zero."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds `first`."""
    made = tmp_path / "secret"
    made.write_text("first\n")
    return made


def test_a_new_content_is_taken_up_within_a_minute_and_not_looked_for_before(
    path: Path, clock: Clock
) -> None:
    secret = SecretFile(path, clock)
    assert secret.read() == "first"
    path.write_text("second")
    clock.now = LOOK - 1
    assert secret.read() == "first"
    clock.now = LOOK
    assert secret.read() == "second"


def test_a_new_connection_looks_at_once(path: Path, clock: Clock) -> None:
    secret = SecretFile(path, clock)
    secret.read()
    path.write_text("second")
    assert secret.fresh() == "second"


def test_what_was_replaced_still_verifies_and_the_last_one_signs(path: Path, clock: Clock) -> None:
    secret = SecretFile(path, clock)
    assert secret.keys() == ["first"]
    for number in range(10):
        path.write_text(f"key-{number}")
        clock.now += LOOK
        assert secret.keys()[-1] == f"key-{number}"
        assert secret.keys()[-2] == (f"key-{number - 1}" if number else "first")
    assert len(secret.keys()) == 5, "old keys are forgotten at last"


@pytest.mark.parametrize("gone", ["", "  \n", None, b"\xff\xfe"])
def test_a_file_that_is_gone_for_a_moment_leaves_the_last_in_force(
    path: Path, clock: Clock, gone: str | bytes | None
) -> None:
    secret = SecretFile(path, clock)
    secret.read()
    if gone is None:
        path.unlink()
    elif isinstance(gone, bytes):
        path.write_bytes(gone)
    else:
        path.write_text(gone)
    clock.now = LOOK
    assert secret.read() == "first"
    path.write_text("second")
    clock.now = 2 * LOOK
    assert secret.read() == "second"


def test_a_file_that_never_held_anything_is_an_error_until_it_does(tmp_path: Path, clock: Clock) -> None:
    secret = SecretFile(tmp_path / "none", clock)
    with pytest.raises(ValueError, match="is empty or can not be read"):
        secret.read()
    (tmp_path / "none").write_text("late")
    assert secret.read() == "late"


def test_a_symbolic_link_that_is_swapped_is_followed(tmp_path: Path, clock: Clock) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    secret = SecretFile(link, clock)
    assert secret.read() == "one"
    (tmp_path / "new").symlink_to(tmp_path / "two")
    (tmp_path / "new").rename(link)
    assert secret.fresh() == "two"


def test_it_is_never_shown(path: Path, clock: Clock) -> None:
    secret = SecretFile(path, clock)
    secret.read()
    assert "first" not in f"{secret} {secret!r}"
