"""Names, labels and annotation keys: what the API server asks of them and no schema says.

Source: apimachinery's `pkg/util/validation` and the name functions of each kind in
`pkg/apis/*/validation` of kubernetes/kubernetes (v1.36).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from generator.check.schema_words import Fault, field_path, shown
from generator.render.model import Body

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")

_LOWER = "lower-case letters, digits and -"
_SUBDOMAINS = (_SUBDOMAIN, 253, f"{_LOWER}, parts joined by dots, letter or digit first and last")
_BY_KIND: dict[str, tuple[re.Pattern[str], int, str]] = {
    "Namespace": (_LABEL, 63, f"{_LOWER}, letter or digit first and last"),
    "Service": (_SERVICE, 63, f"{_LOWER}, a letter first, letter or digit last"),
    "CronJob": (_SUBDOMAIN, 52, f"{_LOWER}; its Jobs append 11 characters"),
    "Job": (_SUBDOMAIN, 63, f"{_LOWER}; it becomes a label of its pods"),
    "StatefulSet": (_LABEL, 63, f"{_LOWER}; it becomes the host name of its pods"),
}
_RBAC = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
ANNOTATIONS_LIMIT = 256 * 1024  # bytes of all keys and values of one object


def metadata_faults(body: Body) -> Iterator[Fault]:
    """Every name, label and annotation key of an object that the API server would refuse."""
    kind, metadata = body["kind"], body["metadata"]
    if wrong := _name_fault(kind, metadata["name"]):
        yield Fault(f"metadata.name: {wrong[0]}", wrong[1])
    namespace = metadata.get("namespace")
    if isinstance(namespace, str) and (wrong := _name_fault("Namespace", namespace)):
        yield Fault(f"metadata.namespace: {wrong[0]}", wrong[1])
    yield from _labels(metadata.get("labels"), ("metadata", "labels"))
    yield from _annotations(metadata.get("annotations"), ("metadata", "annotations"))
    template = _template_metadata(body)
    if template:
        yield from _labels(template.get("labels"), ("spec", "template", "metadata", "labels"))
        yield from _annotations(template.get("annotations"), ("spec", "template", "metadata", "annotations"))


def _template_metadata(body: Body) -> dict[str, Any] | None:
    """`spec.template.metadata`, where that is a map: of a Deployment, a Job, an ExternalSecret's … pods."""
    here: Any = body
    for step in ("spec", "template", "metadata"):
        here = here.get(step)
        if not isinstance(here, dict):
            return None
    return {**here}


@cache
def _name_fault(kind: str, name: str) -> Fault | None:
    if kind in _RBAC:  # any path segment
        if name in (".", "..") or not name or "/" in name or "%" in name:
            return Fault(f"{shown(name)} is no name of a {kind}", "leave out / and %")
        return None
    pattern, longest, form = _BY_KIND.get(kind, _SUBDOMAINS)
    if len(name) > longest:
        return Fault(f"{shown(name)} has {len(name)} characters, a {kind} may have {longest}", "shorten it")
    if not pattern.fullmatch(name):
        return Fault(f"{shown(name)} is no name of a {kind}", f"use {form}")
    return None


def _labels(labels: Any, path: tuple[str, ...]) -> Iterator[Fault]:
    if isinstance(labels, dict):
        for key, value in labels.items():
            if wrong := _label_fault(
                key, value if isinstance(value, str) else ""
            ):  # the schema names the rest
                yield Fault(f"{field_path((*path, key))}: {wrong[0]}", wrong[1])


def _annotations(annotations: Any, path: tuple[str, ...]) -> Iterator[Fault]:
    if isinstance(annotations, dict):
        for key in annotations:
            if wrong := _key_fault(key.lower()):  # the API server, too, lets capitals pass in these
                yield Fault(f"{field_path((*path, key))}: {wrong[0]}", wrong[1])
        size = sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items())
        if size > ANNOTATIONS_LIMIT:
            yield Fault(f"{field_path(path)}: {size} bytes in all, {ANNOTATIONS_LIMIT} are allowed")


@cache
def _label_fault(key: str, value: str) -> Fault | None:
    if wrong := _key_fault(key):
        return wrong
    if len(value) > 63:
        return Fault(
            f"the value {shown(value)} has {len(value)} characters, a label may have 63", "shorten it"
        )
    if value and not _QUALIFIED.fullmatch(value):
        return Fault(
            f"{shown(value)} is no value of a label",
            "use letters, digits, -, _ and dots, letter or digit first and last; free text: annotations",
        )
    return None


@cache
def _key_fault(key: str) -> Fault | None:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix)):
        return Fault("the part of the key before / is no domain name", "write it like app.kubernetes.io/name")
    if len(name) > 63:
        return Fault(f"the key has {len(name)} characters after its prefix, 63 are allowed", "shorten it")
    if not _QUALIFIED.fullmatch(name):
        return Fault(
            "the key is not well-formed", "use letters, digits, -, _ and dots, letter or digit first and last"
        )
    return None
