"""Checkouts of any size: the real apps and services beside them, eight objects each."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from generator.config.load import load_environment

OBJECTS_PER_SERVICE = 8
SERVICES_PER_APP = 125
SERVICE = (Path(__file__).parent / "service.yaml").read_text(encoding="utf-8")
APP = """description: Synthetic services of the benchmark
owner: bench
project: shop
namespace: shop
dependsOn: [foundation, edge]
"""
# The edge's own policy names the pods that it may reach; these are more of them.
EDGE = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: bench
  namespace: edge
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: shop}
      ports:
        - {protocol: TCP, port: 8000}
"""
CHART = "apiVersion: v2\nname: bench\nversion: 1.0.0\n"


def service_text(name: str, host: str) -> str:
    """The eight objects of one service; `name` may be a template's expression."""
    return SERVICE.replace("@NAME@", name).replace("@HOST@", host)


def make_checkout(real: Path, folder: Path, objects: int) -> Path:
    """A checkout with `environments/prod.yaml`, the real apps, and about `objects` synthetic objects."""
    shutil.copytree(real / "apps", folder / "apps")
    shutil.copytree(
        real / ".cache" / "crd-schemas", folder / ".cache" / "crd-schemas"
    )  # derived once a release
    shutil.copytree(real / ".cache" / "kubernetes-schemas", folder / ".cache" / "kubernetes-schemas")
    (folder / "environments").mkdir()
    file = folder / "environments" / "prod.yaml"
    file.write_text(
        _larger((real / "environments" / "prod.yaml").read_text(encoding="utf-8")), encoding="utf-8"
    )
    services = objects // OBJECTS_PER_SERVICE
    text = service_text("{{ name }}", "{{ env.domain }}")
    (folder / "apps" / "edge" / "bench.yaml.j2").write_text(EDGE, encoding="utf-8")
    for index, first in enumerate(range(0, services, SERVICES_PER_APP)):
        app = folder / "apps" / f"bench-{index:03}"
        app.mkdir()
        last = min(first + SERVICES_PER_APP, services)
        (app / "app.yaml").write_text(APP, encoding="utf-8")
        head = f"{{% for number in range({first}, {last}) %}}\n{{% set name = 'svc-%05d' % number %}}\n---\n"
        (app / "services.yaml.j2").write_text(f"{head}{text}{{% endfor %}}\n", encoding="utf-8")
    return folder


def _larger(environment: str) -> str:
    """With nodes that have room for all of it: what is measured passes every check."""
    found, count = re.subn(
        r"(type: )\S+(\n +min: \d+\n +max: )\d+", r"\1m7g.2xlarge\g<2>100", environment, count=1
    )
    if count != 1:
        raise ValueError("environments/prod.yaml has no node group of type, min and max")
    return found


def make_chart(real: Path, folder: Path, objects: int) -> Path:
    """A Helm chart that renders the same objects with one range loop."""
    host = load_environment(real / "environments" / "prod.yaml", real).environment.domain
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(CHART, encoding="utf-8")
    (folder / "values.yaml").write_text(f"services: {objects // OBJECTS_PER_SERVICE}\n", encoding="utf-8")
    body = service_text("{{ $name }}", host)
    head = '{{- range until (int .Values.services) }}\n{{- $name := printf "svc-%05d" . }}\n---\n'
    (folder / "templates" / "services.yaml").write_text(f"{head}{body}{{{{- end }}}}\n", encoding="utf-8")
    return folder


def make_kustomization(rendered: Path, folder: Path) -> Path:
    """A kustomization over the synthetic objects of a rendered tree."""
    folder.mkdir(parents=True)
    files = sorted(rendered.glob("manifests/bench-*/*.yaml"))
    for file in files:
        shutil.copy(file, folder / f"{file.parent.name}-{file.name}")
    names = "".join(f"  - {file.parent.name}-{file.name}\n" for file in files)
    text = f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{names}"
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    return folder
