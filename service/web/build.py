"""Builds the shop's pages: `python web/build.py` turns `src/` and `admin/` into `dist/`.

A page is written once and comes out in each language. Styles and scripts get the hash of their content into
their name, so that a browser may keep them for ever; all text gets a compressed twin for `gzip_static`.
The same sources give the same bytes. README.md says how a page is made.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import html
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

WEB = Path(__file__).resolve().parent
MESSAGES = WEB.parent / "shop" / "texts" / "messages.json"
LANGUAGES = ("bn", "en")
COMPRESSED = {".html", ".css", ".js", ".svg", ".json", ".txt"}

_IMPORT = re.compile(r"""^((?:import|export)\b[^"';]*?\bfrom\s*|import\s*)(["'])(\.[^"']+)\2""", re.MULTILINE)
_STYLE_IMPORT = re.compile(r"""^@import "(\.[^"]+)";""", re.MULTILINE)
_HEAD = re.compile(r"\A<!--(.*?)-->\s*", re.DOTALL)
_TAG = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_REPEATED = re.compile(r"> ?([\w-]+)(?:\*(\d+))?")


class BuildError(Exception):
    """A source can not be built; the text says which, and what to write instead."""


@dataclass
class Assets:
    """Styles and scripts under their hashed names, each built once."""

    output: Path
    _names: dict[Path, str] = field(default_factory=dict)
    _open: list[Path] = field(default_factory=list)

    def url(self, source: Path) -> str:
        """The address of a style or a script, which is written if it was not yet."""
        source = source.resolve()
        if source not in self._names:
            if not source.is_file():
                raise BuildError(f"{_shown(source)}: there is no such file")
            if source in self._open:
                raise BuildError(f"{_shown(source)}: imports itself in a circle")
            self._open.append(source)
            text = source.read_text(encoding="utf-8")
            content = self._script(source, text) if source.suffix == ".js" else _style(_joined(source))
            self._open.remove(source)
            self._names[source] = self.write(source.stem, source.suffix, content)
        return self._names[source]

    def write(self, stem: str, suffix: str, content: str) -> str:
        """Write generated content under its hash; its address."""
        data = content.encode()
        name = f"{stem}.{hashlib.sha256(data).hexdigest()[:10]}{suffix}"
        _write(self.output / "assets" / name, data)
        return f"/assets/{name}"

    def modules(self, source: Path) -> list[str]:
        """Addresses of a script and all that it imports, so that the browser fetches them at once."""
        found: dict[Path, None] = {}
        wanted = [source.resolve()]
        while wanted:
            each = wanted.pop()
            if each not in found:
                found[each] = None
                wanted += _imports(each, each.read_text(encoding="utf-8"))
        return [self.url(each) for each in found]

    def _script(self, source: Path, text: str) -> str:
        def hashed(match: re.Match[str]) -> str:
            return f'{match[1]}"{self.url((source.parent / match[3]).resolve())}"'

        return _IMPORT.sub(hashed, _stripped(text))


@dataclass(frozen=True)
class Site:
    """A folder of pages, and where below `dist/` they come out."""

    source: Path
    prefix: str

    def build(self, output: Path, assets: Assets) -> None:
        """Write every page in every language, and what is copied as it is."""
        for language in LANGUAGES:
            texts = self.texts(language)
            script = assets.write(
                f"texts{'-' + self.prefix.strip('/') if self.prefix else ''}-{language}",
                ".js",
                f"globalThis.TEXTS=Object.freeze({json.dumps(texts, ensure_ascii=False, sort_keys=True)});\n",
            )
            for page in sorted((self.source / "pages").glob("*.html")):
                content = self._page(page, language, texts, assets, script)
                _write(output / self.prefix.lstrip("/") / language / page.name, content.encode())
        for file in _files(self.source / "static"):
            _write(output / file.relative_to(self.source / "static"), file.read_bytes())

    def texts(self, language: str) -> dict[str, str]:
        """What pages say: own texts, and the messages of the API's codes as `error.CODE`."""
        own: dict[str, str] = json.loads(
            (self.source / "texts" / f"{language}.json").read_text(encoding="utf-8")
        )
        messages = json.loads(MESSAGES.read_text(encoding="utf-8"))
        return {f"error.{code}": said[language] for code, said in messages.items()} | own

    def _page(
        self, page: Path, language: str, texts: Mapping[str, str], assets: Assets, text_script: str
    ) -> str:
        body = page.read_text(encoding="utf-8")
        match = _HEAD.match(body)
        if match is None:
            raise BuildError(f"{_shown(page)}: begins without <!-- title: KEY; script: NAME -->")
        head = dict(part.strip().split(": ", 1) for part in match[1].strip().split(";") if part.strip())
        if "title" not in head:
            raise BuildError(f"{_shown(page)}: its first line has no `title: KEY`")
        layout = (self.source / "layout.html").read_text(encoding="utf-8")
        scripts = assets.modules(self.source / "scripts" / f"{head['script']}.js") if "script" in head else []
        other = next(each for each in LANGUAGES if each != language)
        values = {
            "lang": language,
            "other": other,
            "path": f"{self.prefix}/{language}/",
            "page": page.name,
            "name": page.stem,
            "other_url": f"{self.prefix}/{other}/{'' if page.stem == 'index' else page.name}",
            "title": html.escape(self._text(texts, head["title"], page)),
            "modules": "\n".join(
                [f'<link rel="modulepreload" href="{url}">' for url in scripts]
                + [f'<script src="{text_script}" defer></script>' for _ in scripts[:1]]
                + [f'<script type="module" src="{url}"></script>' for url in scripts[:1]]
            ),
            "body": body[match.end() :].strip(),
        }
        return self._fill(layout, values, texts, assets, page)

    def _fill(
        self,
        template: str,
        values: Mapping[str, str],
        texts: Mapping[str, str],
        assets: Assets,
        page: Path,
    ) -> str:
        def one(match: re.Match[str]) -> str:
            tag = match[1]
            if repeated := _REPEATED.fullmatch(tag):
                part = (self.source / "partials" / f"{repeated[1]}.html").read_text(encoding="utf-8").strip()
                filled = self._fill(part, values, texts, assets, page)
                return "\n".join([filled] * int(repeated[2] or 1))
            if tag == "$body":
                return self._fill(values["body"], values, texts, assets, page)
            if tag.startswith("$"):
                return values[tag[1:]]
            if tag.startswith("@"):
                return assets.url(self.source / tag[1:])
            return html.escape(self._text(texts, tag, page))

        return _TAG.sub(one, template)

    def _text(self, texts: Mapping[str, str], key: str, page: Path) -> str:
        if key not in texts:
            raise BuildError(f"{_shown(page)}: no text `{key}` in {_shown(self.source / 'texts')}")
        return texts[key]


def build(output: Path) -> None:
    """Build all pages into `output`, which is replaced as a whole. BuildError leaves it as it was."""
    staging = output.with_name(output.name + ".new")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        assets = Assets(staging)
        for site in (Site(WEB / "src", ""), Site(WEB / "admin", "/admin")):
            if (site.source / "layout.html").is_file():
                site.build(staging, assets)
        for image in sorted((WEB / "images").glob("*.svg")):
            _write(staging / "images" / image.relative_to(WEB / "images"), image.read_bytes())
        # For a server that knows but one page for what is missing.
        _write(staging / "404.html", (staging / LANGUAGES[0] / "404.html").read_bytes())
        shutil.rmtree(output, ignore_errors=True)
        staging.rename(output)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if path.suffix in COMPRESSED:
        small = gzip.compress(data, 9, mtime=0)
        if len(small) < len(data):
            path.with_name(path.name + ".gz").write_bytes(small)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))


def _imports(source: Path, text: str) -> list[Path]:
    return [(source.parent / match[3]).resolve() for match in _IMPORT.finditer(text)]


def _joined(style: Path) -> str:
    """A stylesheet with those in it that it imports: one request in place of several."""
    text = style.read_text(encoding="utf-8")
    return _STYLE_IMPORT.sub(lambda match: _joined((style.parent / match[1]).resolve()), text)


def _stripped(script: str) -> str:
    """Without comments that have their line to themselves, and without indentation."""
    without = re.sub(r"^\s*/\*\*?.*?\*/\s*$", "", script, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in without.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


def _style(text: str) -> str:
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([{};,]) ?", r"\1", text).replace(";}", "}").strip() + "\n"


def _shown(path: Path) -> str:
    return str(path.relative_to(WEB)) if path.is_relative_to(WEB) else str(path)


def _changed() -> float:
    folders = (WEB / "src", WEB / "admin", WEB / "images", MESSAGES.parent)
    return max((file.stat().st_mtime for folder in folders for file in _files(folder)), default=0.0)


def main(arguments: list[str] | None = None) -> int:
    """The command line; its exit status."""
    parser = argparse.ArgumentParser(description="Builds the shop's pages.")
    parser.add_argument("--output", type=Path, default=WEB / "dist", help="folder, replaced (web/dist)")
    parser.add_argument("--watch", action="store_true", help="build again whenever a source changes")
    options = parser.parse_args(arguments)
    seen = 0.0
    while True:
        if (latest := _changed()) != seen:
            seen = latest
            try:
                build(options.output)
                print(f"built {options.output}", flush=True)  # noqa: T201 -- a command says so
            except BuildError as error:
                print(f"build: {error}", file=sys.stderr, flush=True)  # noqa: T201 -- the same
                if not options.watch:
                    return 1
        if not options.watch:
            return 0
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
