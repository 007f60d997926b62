"""A small environment for the rules to look at: `fixtures/base`, and patches of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from generator.config.document import Document
from generator.config.document import Path as Keys
from generator.config.load import LoadedEnvironment, load_environment
from generator.problem import Place
from generator.render.app import App
from generator.render.conventions import apply
from generator.render.model import Body, Obj, Rendered

FIXTURES = Path(__file__).parent / "fixtures"
APP_OF_NAMESPACE = {
    "": "foundation",
    "cert-manager": "cert-manager",
    "cluster-services": "cluster-autoscaler",
    "edge": "edge",
    "external-secrets": "external-secrets",
    "shop": "shop-backend",
}
APP_OF_POLICY = {"loki": "loki"}  # in a namespace of several apps
Key = tuple[str, str, str]


@dataclass
class World:
    """The parts of a Rendered, while they are being patched. `twice` are objects that share an identity."""

    environment: Body
    apps: dict[str, Body]
    objects: dict[Key, Body]
    values: dict[str, Body] = field(default_factory=dict)
    twice: list[Body] = field(default_factory=list)


def documents(path: Path) -> list[Body]:
    """The YAML documents of a file."""
    return [body for body in yaml.safe_load_all(path.read_text(encoding="utf-8")) if body]


def base() -> World:
    """`fixtures/base`, to be changed at will."""
    return deepcopy(_base())


@cache
def _base() -> World:
    folder = FIXTURES / "base"
    (environment,) = documents(folder / "environment.yaml")
    (apps,) = documents(folder / "apps.yaml")
    (values,) = documents(folder / "values.yaml")
    world = World(environment, apps, {}, values)
    for body in documents(folder / "objects.yaml"):
        world.objects[_key(body)] = _conventional(body, world)
    return world


def patched(world: World, patches: list[Body]) -> World:
    """`world` with `patches` merged in (see fixtures/README.md)."""
    for patch in patches:
        kind, name = patch["kind"], patch.get("metadata", {}).get("name", "")
        rest = {key: value for key, value in patch.items() if key not in ("kind", "metadata")}
        if kind == "Environment":
            world.environment = merge(world.environment, rest)
        elif kind == "App":
            world.apps[name] = merge(world.apps.get(name, {}), rest)
        elif kind == "Values":
            world.values[name] = merge(world.values.get(name, {}), rest)
        else:
            _patch_object(world, patch)
    return world


def _patch_object(world: World, patch: Body) -> None:
    key = _key(patch)
    known = world.objects.get(key)
    if patch.get("$patch") == "delete":
        del world.objects[key]
    elif patch.pop("$patch", "") == "twice":
        world.twice.append(_conventional(patch, world))
    elif known is None:
        world.objects[key] = _conventional(patch, world)
    else:
        world.objects[key] = merge(known, patch)


def merge(old: Any, new: Any) -> Any:
    """A strategic merge: maps key by key, lists of named things by name, None removes."""
    if isinstance(old, dict) and isinstance(new, dict):
        merged = {key: value for key, value in old.items() if key not in new or new[key] is not None}
        for key, value in new.items():
            if value is not None:
                merged[key] = merge(merged.get(key), value)
        return merged
    if _named(old) and _named(new):
        entries = {item["name"]: item for item in old}
        for item in new:
            if item.get("$patch") == "delete":
                del entries[item["name"]]
            else:
                entries[item["name"]] = merge(entries.get(item["name"], {}), item)
        return list(entries.values())
    return new


def _named(value: Any) -> bool:
    return (
        bool(value)
        and isinstance(value, list)
        and all(isinstance(item, dict) and "name" in item for item in value)
    )


def rendered(world: World) -> Rendered:
    """`world` as the renderer would hand it on."""
    argocd = ("Application", "AppProject")
    bodies = [*world.objects.values(), *world.twice]
    return Rendered(
        config=_loaded(yaml.safe_dump(world.environment, sort_keys=False), world.environment["name"]),
        apps=tuple(_app(name, spec) for name, spec in world.apps.items()),
        objects=tuple(_obj(body) for body in bodies if body["kind"] not in argocd),
        values=world.values,
        argocd=tuple(_obj(body) for body in bodies if body["kind"] in argocd),
    )


@cache
def _loaded(text: str, name: str) -> LoadedEnvironment:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return load_environment(path, Path(folder))


def _app(name: str, spec: Body) -> App:
    file = f"apps/{name}/app.yaml"
    places: dict[Keys, Place] = {
        ("exemptions", position, key): Place(file, 10 + position, 5)
        for position in range(len(spec.get("exemptions", ())))
        for key in ("rule", "object")
    }
    return App.model_validate(
        {"description": "For the tests of rules", "owner": "platform", **spec}
        | {"name": name, "folder": Path("apps") / name, "document": Document(file, (), {}, places, places)}
    )


def _conventional(body: Body, world: World) -> Body:
    name = _app_name(body)
    if body["kind"] == "CustomResourceDefinition":
        return body
    return apply(body, name, _app(name, world.apps.get(name, {"project": "platform", "namespace": "argocd"})))


def _obj(body: Body) -> Obj:
    name = _app_name(body)
    return Obj(name, f"apps/{name}/{body['kind'].lower()}.yaml.j2", body)


def _app_name(body: Body) -> str:
    metadata = body["metadata"]
    if body["kind"] == "NetworkPolicy" and metadata["name"] in APP_OF_POLICY:
        return APP_OF_POLICY[metadata["name"]]
    return APP_OF_NAMESPACE.get(metadata.get("namespace", ""), "foundation")


def _key(body: Body) -> Key:
    metadata = body["metadata"]
    return body["kind"], metadata.get("namespace", ""), metadata["name"]
