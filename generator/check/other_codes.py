"""Codes that are reported outside the checks, with the words of their documentation pages.

Templates, apps, output, scaffolds and the command line report them; here they are only documented.
"""

from __future__ import annotations

from generator.check.rule import register

register(
    "DC-APP-001",
    "A template is missing",
    """
    Every template that another one imports exists below `apps/`.

    Fix: create it, or correct the name.
    """,
)
register(
    "DC-APP-002",
    "A template breaks Jinja's syntax",
    """
    Tags are closed and expressions complete.

    Fix: correct the line that the message names; `dhakacart render --watch` tells when it is right.
    """,
)
register(
    "DC-APP-003",
    "A template names what does not exist",
    """
    Every name in a template exists: in `env` (the environment's config), `names` (what manifests
    and infrastructure share) or `app` (its app.yaml).

    Why: an undefined name that renders as nothing gives an object that is valid and wrong.

    Fix: correct the line that the message names; `dhakacart render --watch` tells when it is right.
    """,
)
register(
    "DC-APP-004",
    "A template renders broken YAML",
    """
    What a template renders is YAML 1.2: no duplicate keys, no tabs, one mapping a document. The
    message names the template's line and the text that it rendered.

    Fix: correct the line that the message names; `dhakacart render --watch` tells when it is right.
    """,
)
register(
    "DC-APP-005",
    "A template renders what is no Kubernetes object",
    """
    Every document has `apiVersion`, `kind` and `metadata.name`, all text.

    Fix: correct the line that the message names; `dhakacart render --watch` tells when it is right.
    """,
)
register(
    "DC-APP-010",
    "The apps cannot be read",
    """
    The folder `apps/` exists and is readable.

    Fix: run from the checkout, or name it with `--root`.
    """,
)
register(
    "DC-APP-011",
    "An app depends on one that does not exist",
    """
    Each name in `dependsOn` is a folder of `apps/`.

    Fix: write the name that the hint suggests.
    """,
)
register(
    "DC-APP-012",
    "Apps depend on each other in a circle",
    """
    Dependencies have a beginning, so that Argo CD can sync one app after the other.

    Fix: remove one `dependsOn` of the chain that the message writes out.
    """,
)
register(
    "DC-APP-020",
    "A chart is not in the facts",
    """
    Each `chart` of an app.yaml has its repository and version in
    `generator/facts/data/charts.json`.

    Fix: add it there, with its date and source.
    """,
)
register(
    "DC-APP-021",
    "It is not known which kinds a chart makes",
    """
    Each chart in use is in `generator/argocd/chart_kinds.json`.

    Why: AppProjects allow exactly what is made, and a chart's objects are not rendered here.

    Fix: add the kinds that the chart's templates make.
    """,
)
register(
    "DC-OUT-001",
    "Two objects would be one file",
    """
    Every object has a file of its own, also where the file system ignores case.

    Fix: rename one of the two that the message names.
    """,
)
register(
    "DC-OUT-002",
    "An object is rendered twice",
    """
    Two apps, or two templates of one, never make the same object.

    Why: Argo CD would let the two fight over it.

    Fix: remove one of the two that the message names.
    """,
)
register(
    "DC-OUT-003",
    "A rendered file was edited by hand",
    """
    Files below `clusters/` that rendering owns are as it wrote them.

    Why: the next render would undo the edit in silence.

    Fix: make the edit in the source that the file's first line names and drop it here with `git
    checkout`, or overwrite it with `--force`.
    """,
)
register(
    "DC-OUT-004",
    "Something else is in the way of a rendered file",
    """
    What rendering does not own is never overwritten.

    Fix: move it elsewhere, or delete it.
    """,
)
register(
    "DC-OUT-005",
    "The record of rendered files is damaged",
    """
    `.rendered.json` lists the files that rendering owns.

    Fix: restore it from Git, or delete it: files that are as they would be rendered are then taken
    for owned.
    """,
)
register(
    "DC-OUT-006",
    "The system refused to read or write",
    """
    There is room on the disk and permission to write.

    Fix: as the message says. The tree is as it was before.
    """,
)
register(
    "DC-OUT-007",
    "Another run is writing",
    """
    One render at a time writes to a folder.

    Fix: wait for the other one and run again.
    """,
)
register(
    "DC-OUT-008",
    "A value has no form in YAML",
    """
    Numbers are finite and fit 64 bits, keys are text.

    Fix: write the value in another way, in the template that the message names.
    """,
)
register(
    "DC-EDT-001",
    "A name for something new is none",
    """
    Names are 1 to 20 lower-case letters, digits and dashes, and not one that Kubernetes or Argo CD
    has taken.

    Fix: choose another name.
    """,
)
register(
    "DC-EDT-002",
    "Something new exists already",
    """
    Scaffolds write new files only.

    Fix: edit what is there, or choose another name.
    """,
)
register(
    "DC-EDT-003",
    "There is no such environment to start from",
    """
    `--from` names a file of `environments/`.

    Fix: write one of the names that the hint lists.
    """,
)
register(
    "DC-EDT-004",
    "There is no such chart to start from",
    """
    `--chart` names a chart of the facts.

    Fix: `dhakacart facts charts` lists them.
    """,
)
register(
    "DC-EDT-005",
    "There is no such app to start from",
    """
    `--like` names one of the scaffolds.

    Fix: `dhakacart new-app --help` lists them.
    """,
)
register(
    "DC-CLI-001",
    "This is no checkout",
    """
    The command runs in a folder with `environments` and `apps`, or below it.

    Fix: go there, or name it with `--root`.
    """,
)
register(
    "DC-CLI-002",
    "There is no such value",
    """
    `explain` takes a path as it is written in the file, with dots.

    Fix: write what the hint suggests.
    """,
)
