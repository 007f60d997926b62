"""Every file of facts: dated, sourced, in one order, and quick to read."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from generator.facts.source import DATA, day, read_facts, release
from generator.facts.tables import TABLES, as_json, as_text, table

FILES = sorted(path.stem for path in DATA.glob("*.json"))
KEYS = {
    "addons": ("cluster", "name"),
    "charts": ("name",),
    "components": ("component", "version"),
    "ec2": ("name",),
    "kubernetes": ("version",),
    "prices": ("item", "region"),
    "rds": ("name",),
    "workloads": ("chart", "name"),
}
DATE = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")


def test_these_are_the_files() -> None:
    assert set(FILES) == set(KEYS) == set(TABLES)


@pytest.mark.parametrize("name", FILES)
class TestEachFile:
    def test_every_row_names_sources_with_a_date(self, name: str) -> None:
        file = read_facts(name)
        assert file.rows
        for row in file.rows:
            assert row["sources"], row
            for source in file.sources_of(row):
                assert source.text
                assert DATE.fullmatch(source.date)
                assert source.date <= file.date.isoformat()

    def test_every_source_is_used(self, name: str) -> None:
        file = read_facts(name)
        assert {source for row in file.rows for source in row["sources"]} == set(file.sources)

    def test_rows_are_unique_and_in_order(self, name: str) -> None:
        keys = [tuple(str(row[key]) for key in KEYS[name]) for row in read_facts(name).rows]
        assert keys == sorted(set(keys))

    def test_is_written_so_that_a_change_is_a_small_diff(self, name: str) -> None:
        text = (DATA / f"{name}.json").read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def test_says_nothing_about_a_machine(self, name: str) -> None:
        assert not re.search(r"/(work|root|tmp|home)\b|localhost", (DATA / f"{name}.json").read_text("utf-8"))

    def test_is_a_table_for_people_and_programs(self, name: str) -> None:
        shown = table(name)
        assert len(shown.rows) == len(read_facts(name).rows)
        assert shown.sources
        assert all(len(row) == len(shown.columns) for row in shown.rows)
        plain = json.loads(json.dumps(as_json(shown)))
        assert list(plain["rows"][0]) == list(shown.columns)
        assert date.fromisoformat(plain["date"]) == shown.date


def test_what_is_unknown_says_so() -> None:
    columns = table("rds").columns.index("hourly_usd")
    shown = {row[0]: as_text(row[columns]) for row in table("rds").rows}
    assert (shown["db.m7g.large"], shown["db.t4g.medium"]) == ("unknown", "0.102")
    plain = {row["class"]: row["hourly_usd"] for row in as_json(table("rds"))["rows"]}
    assert plain["db.m7g.large"] is None


def test_cells_of_each_type() -> None:
    rows = {row["version"]: row for row in as_json(table("kubernetes"))["rows"]}
    assert rows["1.35"]["eks_standard_end"] == "2027-03-27"
    prices = {row["type"]: row["hourly_usd"] for row in as_json(table("ec2"))["rows"]}
    assert prices["m7g.large"] == 0.102
    components = as_json(table("components"))["rows"]
    spans = {(row["component"], row["release"]): row["kubernetes"] for row in components}
    assert spans["argo-cd", "3.4"] == "1.32–1.35"
    assert spans["cluster-autoscaler", "all"] == "same minor version"
    assert spans["loki", "all"] is None


def test_a_table_that_does_not_exist() -> None:
    with pytest.raises(KeyError):
        table("gcp")


@pytest.mark.parametrize(("text", "value"), [("2027-03-27", date(2027, 3, 27)), (None, None)])
def test_day(text: str | None, value: date | None) -> None:
    assert day(text) == value


def test_releases_compare_as_numbers() -> None:
    assert release("v3.4.4") == (3, 4, 4)
    assert release("1.9") < release("1.10")
    with pytest.raises(ValueError, match="invalid literal"):
        release("latest")
