"""`dhakacart explain`."""

from __future__ import annotations

import difflib
import re
from typing import Any

import click
from pydantic import BaseModel

from generator.argocd import argocd_objects
from generator.cli.common import complete_environment, counted, format_option, pass_console
from generator.cli.console import Console
from generator.config.document import Path
from generator.problem import Place, Problem, ProblemsError
from generator.render.reach import reaches
from generator.render.trace import field_key
from generator.workflow import render_all, templates_of


@click.command()
@click.argument("environment", shell_complete=complete_environment)
@click.argument("path")
@format_option("text", "json")
@pass_console
def explain(console: Console, environment: str, path: str, output: Any) -> int:
    """Say what a value is, where it comes from, and which objects it reaches.

    PATH is written as in the file, with dots: shop.backend.replicas.max

    \b
    Examples:
      dhakacart explain prod shop.backend.replicas.max
      dhakacart explain dev database                    a whole part
      dhakacart explain prod domain --format json
    """
    console.format = output
    repository = console.repository
    (rendered,) = render_all(repository, [environment])
    keys = parse_path(path)
    value = value_at(rendered.environment, keys, path)
    origin = str(rendered.config.origin(*keys))
    reached = reaches(rendered, templates_of(repository), argocd_objects, keys)
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    if output == "json":
        objects = [{"source": reach.source, "objects": list(reach.objects)} for reach in reached]
        console.result({"path": path, "value": plain, "origin": origin, "reaches": objects})
        return 0
    click.echo(f"{path} = {plain}")
    click.echo(f"  from {origin}")
    click.echo(
        f"  reaches {counted(sum(len(reach.objects) for reach in reached), 'object')}:"
        if reached
        else "  reaches no object"
    )
    for reach in reached:
        click.echo(f"    {reach.source}")
        for name in reach.objects:
            click.echo(f"      {name}")
    return 0


def parse_path(text: str) -> Path:
    """`shop.payments[0]` → ("shop", "payments", 0)."""
    return tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", text))


def value_at(model: BaseModel, path: Path, shown: str) -> Any:
    """The value at `path`; ProblemsError with the nearest name where there is none."""
    value: Any = model
    for step in path:
        value = _step(value, step, shown)
    return value


def _step(value: Any, step: str | int, shown: str) -> Any:
    if isinstance(value, BaseModel):
        kind = type(value)
        fields = {field_key(kind, name): name for name in kind.model_fields}
        if step in fields:
            return getattr(value, fields[str(step)])
        near = difflib.get_close_matches(str(step), fields, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(fields)}"
    elif isinstance(value, tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    else:
        hint = f"the value above it is {value!r}"
    raise ProblemsError([Problem("DC-CLI-002", f"`{shown}`: there is no `{step}`", hint, Place("explain"))])
