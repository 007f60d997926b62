"""Identity in AWS: who has a role, and who else could take it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from generator.check.index import Index
from generator.check.rule import Finding, Findings, environment_rule, object_rule
from generator.check.shape import dig, mapping, maps, text, texts, whole
from generator.config.workloads import INSTANCE_METADATA, Workload, credentials_address
from generator.problem import Place
from generator.render.model import Body, Obj

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
HTTP = 80


@environment_rule("DC-IDN-001", "Who has a role runs under the ServiceAccount it trusts", kinds=("Values",))
def service_accounts(index: Index) -> Findings:
    """For each workload of generator/config/workloads.py that a chart brings, the app must be there, in the
    namespace of the table, and the value that names its ServiceAccount must be the table's.

    Why: infrastructure makes the role for exactly that ServiceAccount. One letter more, and the pod runs
    without rights: no secret is read, no certificate renewed, no node added, and no log line kept.

    Fix: write the name in `apps/<app>/values.yaml.j2` as the table has it, or change both in one edit.

    Sources: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html; the contract between
    manifests and infrastructure in this repository.
    """
    for workload in index.environment.workloads:
        if workload.app:
            yield from _differences(workload, index)


def _differences(workload: Workload, index: Index) -> Findings:
    app = index.apps.get(workload.app)
    role = f"the role {index.environment.names.role(workload.name)}"
    trusted = f"{role} trusts {workload.namespace}/{workload.service_account}"
    if app is None:
        hint = "remove the workload from generator/config/workloads.py, or add the app"
        yield Finding(f"{trusted}, and no app {workload.app} makes it", hint, app=workload.app)
        return
    named = dig(index.rendered.values.get(app.name), *workload.value.split("."))
    if named != workload.service_account:
        yield Finding(
            f"{trusted}, and {workload.value} of the chart is {named or 'not set'}",
            f"write `{workload.service_account}`, or change generator/config/workloads.py",
            where=Place(f"apps/{app.name}/values.yaml.j2"),
            app=app.name,
        )
    if app.namespace != workload.namespace:
        yield Finding(
            f"{trusted}, and the app is in the namespace {app.namespace}",
            "change `namespace` in app.yaml, or generator/config/workloads.py",
            where=app.document.place(("namespace",)),
            app=app.name,
        )


@environment_rule("DC-IDN-002", "Roles are given by the table alone", kinds=("ServiceAccount",))
def annotated_roles(index: Index) -> Findings:
    """No ServiceAccount, rendered or in a chart's values, may have the annotation
    `eks.amazonaws.com/role-arn`.

    Why: who has which role is in generator/config/workloads.py, from which roles and trust are made. A
    role beside it is one that no review of that table sees.

    Fix: remove the annotation, and add the workload to the table.

    Sources: https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
    """
    message = f"it is annotated with {ROLE_ANNOTATION}"
    hint = "remove that, and add the workload to generator/config/workloads.py"
    for obj in index.of("ServiceAccount"):
        if ROLE_ANNOTATION in mapping(dig(obj.body, "metadata", "annotations")):
            yield Finding(message, hint, obj=obj)
    for app, values in index.rendered.values.items():
        for path in _paths_to(ROLE_ANNOTATION, values, ""):
            where = Place(f"apps/{app}/values.yaml.j2")
            yield Finding(f"{path} of the chart has {ROLE_ANNOTATION}", hint, where=where, app=app)


def _paths_to(key: str, value: Any, path: str) -> Iterator[str]:
    """Dotted paths of the maps below `value` that have `key`."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _paths_to(key, item, f"{path}[{position}]")
    for name, item in mapping(value).items():
        if name == key:
            yield path
        yield from _paths_to(key, item, f"{path}.{name}" if path else str(name))


@object_rule("DC-IDN-003", "Who has no role reaches no credentials", kinds=("NetworkPolicy",))
def reachable_credentials(obj: Obj, index: Index) -> Findings:
    """Egress to the address that hands out credentials (169.254.170.23, Pod Identity, on EKS; the
    instance's metadata, 169.254.169.254, on K3s) may be allowed only by apps that have a workload in
    generator/config/workloads.py. On EKS nobody may reach the instance's metadata: it has the node's role.

    Why: on K3s the nodes' profile may do what all workloads together need, and whoever asks gets it.

    Fix: `except: [169.254.0.0/16]` in the rule, or the workload into the table.

    Sources: https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
    """
    cluster = index.environment.cluster.kind
    apps = {workload.app for workload in index.environment.workloads}
    forbidden = {credentials_address(cluster), INSTANCE_METADATA}
    if obj.app in apps:
        forbidden.discard(credentials_address(cluster))
    reached = [address for address in sorted(forbidden) if _reaches(obj, address)]
    if reached:
        yield Finding(
            f"it lets pods ask {' and '.join(reached)} for credentials of AWS",
            "write `except: [169.254.0.0/16]`, or add the workload to generator/config/workloads.py",
        )


@environment_rule("DC-IDN-004", "Who has a role reaches its credentials", kinds=("NetworkPolicy",))
def unreachable_credentials(index: Index) -> Findings:
    """Each app with a workload in generator/config/workloads.py must have a NetworkPolicy, in its namespace,
    that allows TCP to port 80 of the address that hands out credentials.

    Why: every namespace denies by default. Without a way there the program finds no credentials, and
    everything that needs them fails minutes later, far from the cause.

    Fix: `{{ charts.to_aws_identity(env) }}` in its policy.

    Sources: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
    """
    address = credentials_address(index.environment.cluster.kind)
    open_ = {(obj.app, obj.namespace) for obj in index.of("NetworkPolicy") if _reaches(obj, address)}
    for workload in index.environment.workloads:
        app = index.apps.get(workload.app)
        if app and app.namespace == workload.namespace and (app.name, app.namespace) not in open_:
            yield Finding(
                f"{workload.service_account} has a role, and no NetworkPolicy lets it ask {address} for it",
                "write `{{ charts.to_aws_identity(env) }}` as an egress rule",
                where=Place(f"apps/{workload.app}/network-policy.yaml.j2"),
                app=workload.app,
            )


def _reaches(policy: Obj, address: str) -> bool:
    """Whether an egress rule allows HTTP to an address outside of the cluster."""
    return any(
        _leads_to(rule, IPv4Address(address)) and _has_http(rule)
        for rule in maps(dig(policy.body, "spec", "egress"))
    )


def _leads_to(rule: Body, address: IPv4Address) -> bool:
    peers = maps(rule.get("to"))
    blocks = [mapping(peer["ipBlock"]) for peer in peers if "ipBlock" in peer]
    return not peers or any(
        _inside(address, text(block.get("cidr")))
        and not any(_inside(address, gap) for gap in texts(block.get("except")))
        for block in blocks
    )


def _inside(address: IPv4Address, cidr: str) -> bool:
    try:
        return address in IPv4Network(cidr, strict=False)
    except ValueError:
        return False  # IPv6, or no range at all: the schema check says so


def _has_http(rule: Body) -> bool:
    ports = maps(rule.get("ports"))
    return not ports or any(
        port.get("protocol", "TCP") == "TCP"
        and (
            "port" not in port
            or whole(port["port"]) <= HTTP <= whole(port.get("endPort"), whole(port["port"]))
        )
        for port in ports
    )
