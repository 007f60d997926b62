"""The build: the same pages for the same sources, whole, and small enough for a slow phone."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

import web.build
from web.build import WEB, BuildError, build, main

BUDGET = 60 * 1024
"""Bytes of all scripts and styles of the shop together, compressed."""
BUDGET_OF_STAFF = 40 * 1024
"""The same of the staff's pages, with what they share with the shop."""

PAGES = ["index", "product", "cart", "checkout", "waiting", "order", "404"]
PAGES_OF_STAFF = ["index", "order", "products", "product", "stock", "staff"]
SHOP = [f"{language}/{page}.html" for language in ("bn", "en") for page in PAGES]
STAFF = [f"admin/{language}/{page}.html" for language in ("bn", "en") for page in PAGES_OF_STAFF]
EVERY_PAGE = SHOP + STAFF
FOLDERS = ("src", "admin")


class Page(HTMLParser):
    """Tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *names: str) -> list[dict[str, str]]:
        """Attributes of the tags with these names."""
        return [attributes for tag, attributes in self.tags if tag in names]


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_sources_give_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    build(tmp_path / "again")
    assert _contents(tmp_path / "again") == _contents(dist)


def test_what_was_there_before_is_gone(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old.html").write_text("old")
    assert main(["--output", str(tmp_path / "dist")]) == 0
    assert not (tmp_path / "dist" / "old.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def _assets(dist: Path, pages: list[str]) -> set[Path]:
    """Scripts and styles of pages; what a script imports is named in its page, too."""
    texts = [(dist / page).read_text("utf-8") for page in pages]
    return {dist / address for text in texts for address in re.findall(r'"/(assets/[^"]+)"', text)}


@pytest.mark.parametrize(("pages", "budget"), [(SHOP, BUDGET), (STAFF, BUDGET_OF_STAFF)], ids=FOLDERS)
def test_all_scripts_and_styles_fit_their_budget(dist: Path, pages: list[str], budget: int) -> None:
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in _assets(dist, pages))
    assert 0 < size < budget


def test_every_script_and_style_is_in_a_budget(dist: Path) -> None:
    built = {path for path in (dist / "assets").iterdir() if path.suffix in (".js", ".css")}
    assert built == _assets(dist, EVERY_PAGE)


def test_compressed_twins_hold_the_same(dist: Path) -> None:
    twins = list(dist.rglob("*.gz"))
    assert len(twins) > 30
    for twin in twins:
        assert gzip.decompress(twin.read_bytes()) == twin.with_name(twin.name[:-3]).read_bytes()


def _said(folder: str, language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((WEB / folder / "texts" / f"{language}.json").read_text("utf-8"))
    return texts


def test_both_languages_say_everything() -> None:
    for folder in FOLDERS:
        texts = [_said(folder, language) for language in ("bn", "en")]
        assert texts[0].keys() == texts[1].keys()
        assert all(value.strip() for said in texts for value in said.values())
        for key in texts[0]:
            names = [sorted(re.findall(r"\{(\w+)\}", said[key])) for said in texts]
            assert names[0] == names[1], key


@pytest.mark.parametrize("folder", FOLDERS)
def test_bangla_is_bangla(folder: str) -> None:
    said = _said(folder, "bn")
    latin = {key for key, text in said.items() if not re.search(r"[\u0980-\u09ff]", text)}
    assert latin <= {"shell.other_language", "home.results", "state.countdown"}
    assert not any(re.search("[0-9]", re.sub(r"\{\w+\}", "", text)) for text in said.values())


@pytest.mark.parametrize("folder", FOLDERS)
def test_scripts_ask_for_texts_that_exist(folder: str) -> None:
    said = _said(folder, "en")
    for script in (WEB / folder / "scripts").glob("*.js"):
        for key in re.findall(r"""\bt\("([\w.]+)\"""", script.read_text("utf-8")):
            assert key in said or key.startswith("error."), f"{script.name}: {key}"


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_is_whole(dist: Path, name: str) -> None:
    text = (dist / name).read_text("utf-8")
    page = Page(text)
    assert page.all("html")[0]["lang"] == name.split("/")[-2]
    assert "{{" not in text
    assert len(page.all("main")) == 1
    # A product's h1 is its name; staff see either their page's or that of the sign-in.
    assert len(page.all("h1")) == (2 if name in STAFF else 0 if name.endswith("product.html") else 1)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.all("a")[0]["href"] == "#main"
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.tags}


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_nothing_inline_and_nothing_from_elsewhere(dist: Path, name: str) -> None:
    page = Page((dist / name).read_text("utf-8"))
    assert not page.all("style")
    assert all(attributes.get("src", "").startswith("/assets/") for attributes in page.all("script"))
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [each for each in attributes if each.startswith("on")]
    for attributes in page.all("link", "img", "script"):
        address = attributes.get("href") or attributes.get("src") or ""
        assert address.startswith("/")
        if attributes.get("rel") != "alternate":
            assert (dist / address.lstrip("/")).is_file(), address


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_field_has_a_label_and_every_reference_a_target(dist: Path, name: str) -> None:
    page = Page((dist / name).read_text("utf-8"))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    labelled = {attributes["for"] for attributes in page.all("label") if "for" in attributes}
    for attributes in page.all("input", "select", "textarea"):
        assert attributes.get("type") in ("radio", "checkbox") or attributes["id"] in labelled
    for _, attributes in page.tags:
        for reference in ("aria-labelledby", "aria-describedby", "for"):
            assert set(attributes.get(reference, "").split()) <= ids
    for attributes in page.all("nav"):
        assert attributes["aria-label"]


def test_scripts_make_no_markup_out_of_text() -> None:
    for script in [each for folder in FOLDERS for each in (WEB / folder / "scripts").glob("*.js")]:
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script.read_text()
        )


def test_imports_lead_to_hashed_names(dist: Path) -> None:
    for script in (dist / "assets").glob("*.js"):
        for address in re.findall(r"""^import .*?"([^"]+)";""", script.read_text("utf-8"), re.MULTILINE):
            assert re.fullmatch(r"/assets/[\w-]+\.[0-9a-f]{10}\.js", address)
            assert (dist / address.lstrip("/")).is_file()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources, to be spoilt."""
    shutil.copytree(WEB / "src", tmp_path / "web/src")
    monkeypatch.setattr(web.build, "WEB", tmp_path / "web")
    return tmp_path / "web/src"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("pages/new.html", "<p>no head</p>", "pages/new.html: begins without"),
        ("pages/new.html", "<!-- script: home -->", "has no `title: KEY`"),
        ("pages/new.html", "<!-- title: no.such -->", "no text `no.such`"),
        ("pages/new.html", "<!-- title: home.title -->{{ no.such }}", "no text `no.such`"),
        ("pages/new.html", "<!-- title: home.title -->{{ @styles/no.css }}", "no.css: there is no such file"),
        ("scripts/dom.js", 'import { t } from "./words.js";\nimport { h } from "./dom.js";', "in a circle"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_replaced(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, content: str, said: str
) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/kept").touch()
    (sources / file).write_text(content)
    with pytest.raises(BuildError, match=re.escape(said)):
        build(tmp_path / "dist")
    assert main(["--output", str(tmp_path / "dist")]) == 1
    assert said in capsys.readouterr().err
    assert (tmp_path / "dist/kept").exists()


def test_a_changed_script_gets_another_name_and_so_does_what_imports_it(
    sources: Path, dist: Path, tmp_path: Path
) -> None:
    (sources / "scripts/api.js").write_text(
        (sources / "scripts/api.js").read_text() + "export const more = 1;\n"
    )
    build(tmp_path / "dist")
    before, after = (
        {path.name for path in (each / "assets").iterdir()} for each in (dist, tmp_path / "dist")
    )
    changed = {name.split(".")[0] for name in after - before}
    assert {"api", "home", "checkout"} <= changed
    assert not changed & {"words", "shop", "dom"}
