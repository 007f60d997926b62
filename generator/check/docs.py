"""The documentation of the rules, generated from their docstrings."""

from __future__ import annotations

from itertools import groupby

import generator.check.catalogue  # noqa: F401  importing it registers the rules
from generator.check.rule import Rule, rules

SECTIONS = ("Why", "Fix", "Sources")
AREAS = {
    "APP": "Apps and templates",
    "ARGO": "Argo CD",
    "BAK": "Backups",
    "CAP": "Capacity",
    "CFG": "Config files",
    "CHT": "Chart values",
    "CLI": "Command line",
    "EDT": "Scaffolds",
    "HOST": "Hosts",
    "IDN": "Identity in AWS",
    "IMG": "Images",
    "K8S": "Versions",
    "META": "Namespaces, labels, identity",
    "NAME": "Names in AWS",
    "NET": "Network and edge",
    "OUT": "Output",
    "POD": "Pod security",
    "RBAC": "Identity and rights",
    "REL": "Reliability",
    "SCH": "Schema",
    "SEC": "Secrets",
}
SCOPES = {
    "container": "each container of each pod template",
    "pod": "each pod template",
    "object": "each object",
    "environment": "the environment as a whole",
    "other": "the input as a whole",
}
FILE_ONLY = ("Environment",)
"""`kinds` of a rule about the environment file and no object: there is no app whose exemption could count."""
NOTE = "<!-- Generated from the rule's docstring by `generator/check/docs.py`. Change it there. -->"


def pages() -> dict[str, str]:
    """File name in `docs/rules/` → text, of every page and of the list of them."""
    known = rules()
    return {"README.md": _list(known), **{f"{rule.code}.md": _page(rule) for rule in known}}


def _page(rule: Rule) -> str:
    asked, sections = _parts(rule.doc)
    whom = SCOPES[rule.scope]
    if rule.kinds and rule.scope != "environment":
        whom = ", ".join(rule.kinds)
    lines = [
        NOTE,
        "",
        f"# {rule.code}: {rule.title}",
        "",
        f"Severity: **{rule.severity}**. Looks at: {whom}.",
        "",
    ]
    lines += [asked, ""]
    for name, words in sections.items():
        lines += [f"## {name}", "", words, ""]
    if rule.check is not None and rule.kinds != FILE_ONLY:
        lines += ["## Exempt", "", *_exemption(rule), ""]
    return "\n".join(lines).rstrip() + "\n"


def _exemption(rule: Rule) -> list[str]:
    kind = rule.kinds[0] if rule.kinds else "Deployment"
    name = "*" if kind == "Values" else "name"
    return [
        "In the `app.yaml` of the app, with a reason that convinces the next reader:",
        "",
        "```yaml",
        "exemptions:",
        f'  - {{rule: {rule.code}, object: {kind}/{name}, reason: "why it is right here"}}',
        "```",
    ]


def _parts(doc: str) -> tuple[str, dict[str, str]]:
    """What is asked, and the sections after it, each on as many lines as its paragraphs."""
    asked: list[str] = []
    sections: dict[str, str] = {}
    for paragraph in doc.split("\n\n"):
        words = " ".join(paragraph.split())
        name, _, rest = words.partition(": ")
        if name in SECTIONS:
            sections[name] = rest if name == "Sources" else rest[:1].upper() + rest[1:]
        elif sections:
            last = list(sections)[-1]
            sections[last] += f"\n\n{words}"
        else:
            asked.append(words)
    return "\n\n".join(asked), sections


def _list(known: tuple[Rule, ...]) -> str:
    lines = [
        NOTE,
        "",
        "# Rules",
        "",
        "Each problem that `dhakacart validate` prints carries the code of its rule.",
        "",
    ]
    for area, members in groupby(known, key=lambda rule: rule.code.split("-")[1]):
        lines += [f"## {AREAS.get(area, area)}", "", "| Code | Rule | Severity |", "|---|---|---|"]
        lines += [f"| [{rule.code}]({rule.code}.md) | {rule.title} | {rule.severity} |" for rule in members]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
