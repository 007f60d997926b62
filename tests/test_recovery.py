"""docs/disaster-recovery.md promises what the environments are configured for."""

from __future__ import annotations

from pathlib import Path

from generator.config.load import load_environments

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docs" / "disaster-recovery.md").read_text(encoding="utf-8")
ROWS = {row.split("|")[1].strip(): row for row in PAGE.splitlines() if row.startswith("| ")}


def days(attribute: str) -> str:
    """Of dev, staging and prod, as the page writes them."""
    loaded = load_environments(REPOSITORY / "environments", REPOSITORY)
    assert [each.environment.name for each in loaded] == ["dev", "staging", "prod"]
    return " · ".join(str(getattr(each.environment.database.backups, attribute)) for each in loaded)


def test_how_far_back_a_mistake_can_be_undone() -> None:
    assert f"back to {days('retention_days')} days" in ROWS["rows, by a mistake"]


def test_how_long_copies_outlive_the_instance() -> None:
    assert f"back to {days('copy_days')} days" in ROWS["the database instance"]


def test_how_often_the_drill_is_due() -> None:
    loaded = {
        each.environment.name: each.environment for each in load_environments(REPOSITORY / "environments")
    }
    drills = {name: each.database.backups.restore_drill for name, each in loaded.items()}
    assert drills == {"dev": "never", "staging": "monthly", "prod": "weekly"}
    assert "monthly in staging, weekly in production" in PAGE
