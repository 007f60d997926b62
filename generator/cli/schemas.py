"""`dhakacart fetch-schemas`."""

from __future__ import annotations

import click

from generator.check.crd_fetch import fetch_crds
from generator.cli.common import counted, pass_console
from generator.cli.console import Console


@click.command("fetch-schemas")
@pass_console
def fetch_schemas(console: Console) -> int:
    """Fetch the CustomResourceDefinitions of the pinned charts into .cache, each held to its checksum.

    Nothing is fetched that is there already, or where CRD_MANIFESTS names a folder of your own.

    \b
    Examples:
      dhakacart fetch-schemas
      CRD_MANIFESTS=~/crds dhakacart validate
    """
    fetched = fetch_crds(console.repository.cache, console.say)
    if fetched:
        console.say(f"{counted(fetched, 'definition')} in {console.repository.cache.name}/crd-manifests")
    return 0
