"""What manifests and infrastructure promise each other of hosts, names and backups."""

from __future__ import annotations

from itertools import pairwise

from generator.check.index import ROUTES, Index
from generator.check.rule import Finding, Findings, environment_rule, object_rule
from generator.check.shape import dig, maps, text, texts
from generator.problem import Place
from generator.render.model import Obj


@object_rule("DC-HOST-001", "Hosts are the environment's own", kinds=ROUTES)
def own_hosts(obj: Obj, index: Index) -> Findings:
    """Every host name of a route must be one of `Environment.hosts`. (Wildcards are DC-NET-015.)

    Why: DNS records and the load balancer's certificate are made from `hosts`. Any other name leads
    nowhere, or to another environment.

    Fix: `{{ env.domain }}`, or add the name to `hosts` in generator/config/environment.py.

    Sources: the contract between manifests and infrastructure in this repository.
    """
    for name in index.routes[obj.kind, obj.namespace, obj.name].hosts:
        if "*" not in name and name not in index.environment.hosts:
            yield Finding(
                f"{name} is no host of {index.environment.name}: {', '.join(index.environment.hosts)}",
                "write `{{ env.domain }}`",
                also=(_domain(index),),
            )


@environment_rule("DC-HOST-002", "Every host is served, with a certificate", kinds=("Certificate",))
def served_hosts(index: Index) -> Findings:
    """For each of `Environment.hosts` there must be a route with a backend, and a Certificate that a Gateway
    uses must have it; such a Certificate must have no other names. (A Gateway without a Certificate is
    DC-NET-013, a route for any host DC-NET-015.)

    Why: the DNS record and the load balancer's certificate lead customers here. Without a route they see
    404, without the name the load balancer's connection fails; a name of somebody else's zone can not be
    proven, and then the whole certificate is not renewed.

    Fix: `{{ env.domain }}` in the route's `hostnames` and the Certificate's `dnsNames`.

    Sources: the contract between manifests and infrastructure in this repository.
    """
    routed = {name for route in index.routes.values() if route.backends for name in route.hosts or ["*"]}
    vague = any("*" in name for name in routed)
    certificates = _certificates(index)
    for host in index.environment.hosts:
        if certificates and not any(host in texts(dig(one.body, "spec", "dnsNames")) for one in certificates):
            yield Finding(f"no certificate of a Gateway has {host}", "add it to `dnsNames`", _domain(index))
        if host not in routed and not vague:
            yield Finding(f"no route leads {host} to a Service", "add it to `hostnames`", _domain(index))
    for one in certificates:
        for name in texts(dig(one.body, "spec", "dnsNames")):
            if name not in index.environment.hosts:
                yield Finding(
                    f"it is for {name} too, no host of {index.environment.name}", "remove it", obj=one
                )


def _certificates(index: Index) -> list[Obj]:
    """The Certificates whose Secret a listener of a Gateway uses."""
    used = {
        (text(reference.get("namespace")) or gateway.namespace, text(reference.get("name")))
        for gateway in index.of("Gateway")
        for listener in maps(dig(gateway.body, "spec", "listeners"))
        for reference in maps(dig(listener, "tls", "certificateRefs"))
    }
    return [
        one
        for one in index.of("Certificate")
        if (one.namespace, text(dig(one.body, "spec", "secretName"))) in used
    ]


@object_rule("DC-HOST-003", "Who issues certificates may prove the hosts", kinds=("ClusterIssuer",))
def provable_hosts(obj: Obj, index: Index) -> Findings:
    """A solver of a ClusterIssuer that selects `dnsZones` must have one that each of `Environment.hosts` is
    in, and the region of Route 53 must be the environment's.

    Why: infrastructure makes one zone, for `domain`, and lets cert-manager change that one alone. A
    challenge in any other zone is never answered, and the certificate runs out.

    Fix: `dnsZones: [{{ env.domain }}]`, `region: {{ env.aws.region }}`.

    Sources: https://cert-manager.io/docs/configuration/acme/dns01/
    """
    environment = index.environment
    for solver in maps(dig(obj.body, "spec", "acme", "solvers")):
        zones = texts(dig(solver, "selector", "dnsZones"))
        for host in environment.hosts:
            if zones and not any(host == zone or host.endswith(f".{zone}") for zone in zones):
                yield Finding(
                    f"its zones, {', '.join(zones)}, do not have {host}",
                    "write `dnsZones: [{{ env.domain }}]`",
                    also=(_domain(index),),
                )
        region = dig(solver, "dns01", "route53", "region")
        if region not in (None, environment.aws.region):
            yield Finding(f"it asks Route 53 in {region}", "write `region: {{ env.aws.region }}`")


def _domain(index: Index) -> Place:
    return index.rendered.config.place("domain")


@environment_rule("DC-NAME-001", "Names are as long as AWS allows", kinds=("Environment",))
def lengths(index: Index) -> Findings:
    """Each name that infrastructure makes from the environment's name must be within AWS' bounds: 63
    characters for an RDS instance, 32 for a load balancer and a target group, 64 for an IAM role, 3 to 63
    for an S3 bucket, 100 for a cluster.

    Why: AWS refuses the name only when it is applied, after the half of a stack that came before it.

    Fix: a shorter `name`, of the file too.

    Sources: each service's API reference, named at `Names.limited` in generator/config/names.py.
    """
    environment = index.environment
    for one in environment.names.limited(workload.name for workload in environment.workloads):
        if not one.fewest <= len(one.name) <= one.most:
            yield Finding(
                f"{one.of} would be called {one.name}: {len(one.name)} characters, and AWS takes {one.most}",
                "give the environment, and its file, a shorter name",
                where=index.rendered.config.place("name"),
            )


@environment_rule("DC-BAK-001", "Backups, their lock and their end are in order", kinds=("Environment",))
def backups(index: Index) -> Findings:
    """Of `database.backups`, `lock` must not be shorter than `retention`, `copies` not shorter than `lock`,
    and the lifecycle of the bucket, which follows from `copies`, must end a copy's life after that.

    Why: RDS' own backups go when the instance is deleted, by mistake or by an intruder; what they could
    restore must then be found in copies that nobody can delete. A lifecycle that ends before the lock
    leaves the deletion undone, and pays for it.

    Fix: lengthen what the message names.

    Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
    """
    kept = index.environment.database.backups
    days = (
        ("retention", kept.retention_days),
        ("lock", kept.lock_days),
        ("copies", kept.copy_days),
        ("the bucket's lifecycle", kept.expiry_days),
    )
    for (first, less), (second, more) in pairwise(days):
        if less > more:
            keys = [("database", "backups", key) for key in (second, first)]
            where, also = index.lines(*keys)
            yield Finding(
                f"backups: {first} is {less} days and {second} {more}, and the order is "
                + " ≤ ".join(f"{name} {count}" for name, count in days),
                f"write {less}d or more as `{second}`, or less as `{first}`",
                where=where,
                also=also,
            )
