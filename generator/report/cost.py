"""What an environment costs a month while nobody uses it, at on-demand prices; unknown is never zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from generator.config.base import byte_count
from generator.config.cluster import NODE_DISK_GIB, EksCluster, K3sCluster
from generator.config.environment import Environment
from generator.facts import ec2, prices, rds
from generator.facts.ec2 import HOURS_A_MONTH
from generator.facts.kubernetes import versions
from generator.facts.source import Source

KEYS = 3  # of Terraform's state, of data, of the cluster
OWN_SECRETS = 1  # RDS' administrator; not in `SECRETS`, because nobody fills it
K3S_TOKENS = 2  # by which servers and agents join
ALERTMANAGER_GIB = 1
LOKI_GIB = 10
BASIS = {"linear": "price computed from another size", "inferred": "price of another region"}

BY_USE = (
    ("Data through NAT", "nat-gateway-data"),
    ("Data to the internet", "data-transfer-out"),
    ("Requests through the load balancer", "alb-capacity-unit"),
    ("Requests that the firewall looks at", "waf-requests"),
    ("Each rule of the firewall", "waf-rule"),
    ("Each alarm of CloudWatch", "cloudwatch-alarm"),
    ("Each metric of a node's detailed monitoring", "cloudwatch-metric"),
    ("Logs of network, database and control plane", "cloudwatch-logs"),
    ("Logs, copies and states in S3", "s3-standard"),
    ("Backups of the database", "rds-backup"),
)
"""What follows use, or is too small and too many to count here, by the item of its price."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is paid for as long as it is there.

    `fewest` and `most` are how many there are at the smallest and the biggest that the file allows, in `unit`
    if they are no pieces. `usd` is one of them for a month of 730 hours; None is unknown.
    """

    what: str
    fewest: int
    most: int
    unit: str
    usd: Decimal | None
    note: str = ""
    sources: tuple[Source, ...] = ()

    def cost(self, count: int) -> Decimal | None:
        """So many of it for a month; unknown stays unknown."""
        return None if self.usd is None else self.usd * count


class Total(NamedTuple):
    """What is known together, and what comes on top unknown: the bill is at least `usd`."""

    usd: Decimal
    unknown: tuple[str, ...]


def at_fewest(lines: Iterable[Line]) -> Total:
    """The total of the smallest."""
    return _total((line, line.fewest) for line in lines)


def at_most(lines: Iterable[Line]) -> Total:
    """The total of the biggest."""
    return _total((line, line.most) for line in lines)


def _total(counted: Iterable[tuple[Line, int]]) -> Total:
    there = [(line, line.cost(count)) for line, count in counted if count]
    known = sum((cost for _, cost in there if cost is not None), Decimal(0))
    return Total(known, tuple(line.what for line, cost in there if cost is None))


def costs(environment: Environment) -> tuple[Line, ...]:
    """Everything of an environment that is paid for while it is there."""
    parts = (_cluster(environment), _database(environment), _network(environment), _rest(environment))
    return tuple(line for line in chain(*parts) if line.most)


def _cluster(environment: Environment) -> Iterable[Line]:
    cluster = environment.cluster
    match cluster:
        case EksCluster(nodes=nodes):
            yield _control_plane(environment, cluster.version)
            yield _nodes("Nodes", nodes.type, nodes.min, nodes.max)
            fewest, most = nodes.min, nodes.max
        case K3sCluster(servers=servers, agents=agents):
            yield _nodes("Servers", servers.type, servers.count, servers.count)
            yield _nodes("Agents", agents.type, agents.min, agents.max)
            yield _hourly("Load balancer of the Kubernetes API", "nlb", environment)
            fewest, most = servers.count + agents.min, servers.count + agents.max
    disks = "Disks of nodes"
    yield _monthly(disks, "ebs-gp3", environment, NODE_DISK_GIB * fewest, NODE_DISK_GIB * most, "GiB")
    if cluster.kind == "eks":  # on K3s they are on the nodes' own disks
        yield _monthly("Volumes of monitoring", "ebs-gp3", environment, volumes_gib(environment), unit="GiB")


def _control_plane(environment: Environment, version: str) -> Line:
    ends = versions()[version].eks_standard_end
    extended = prices.price("eks-extended-support", environment.aws.region).usd
    dearer = "unknown" if extended is None else f"${extended * HOURS_A_MONTH:,.2f}"
    note = f"from {ends} on {dearer}: then Kubernetes {version} is in extended support"
    return _hourly("Control plane", "eks-control-plane", environment, note=note if ends else "")


def _nodes(what: str, kind: str, fewest: int, most: int) -> Line:
    instance = ec2.instances()[kind]
    note = BASIS.get(instance.price_basis or "", "")
    return Line(f"{what} {kind}", fewest, most, "", instance.monthly_usd, note, instance.sources)


def volumes_gib(environment: Environment) -> int:
    """GiB that Prometheus, Alertmanager and Loki claim; a test holds it to the values of their charts."""
    prometheus, others = (2, 3) if environment.critical else (1, 1)
    storage = byte_count(environment.monitoring.storage) // 2**30
    return prometheus * storage + others * (ALERTMANAGER_GIB + LOKI_GIB)


def _database(environment: Environment) -> Iterable[Line]:
    said = environment.database
    sides, note = (2, "one of them the standby") if said.multi_az else (1, "")
    found = rds.classes()[said.db_class]
    usd = None if found.hourly_usd is None else found.hourly_usd * HOURS_A_MONTH
    yield Line(f"Database {said.db_class}", sides, sides, "", usd, note, found.sources)
    most = said.most_storage_gib * sides
    yield _monthly(
        "Storage of the database",
        "rds-gp3",
        environment,
        said.storage_gib * sides,
        most,
        "GiB",
        "grows by itself",
    )


def _network(environment: Environment) -> Iterable[Line]:
    network = environment.aws.network
    gateways = 1 if network.nat == "single" else len(network.zones)
    addresses = gateways + len(network.zones)
    yield _hourly("NAT gateways", "nat-gateway", environment, gateways)
    yield _hourly("Load balancer of the shop", "alb", environment)
    note = "of NAT and of the load balancer, which takes more under load"
    yield _hourly("Public addresses", "public-ipv4", environment, addresses, note)
    yield _monthly("Firewall, without its rules", "waf-acl", environment)
    yield _monthly("DNS zone", "hosted-zone", environment)


def _rest(environment: Environment) -> Iterable[Line]:
    tokens = K3S_TOKENS if environment.cluster.kind == "k3s" else 0
    secrets = len(environment.secrets) + OWN_SECRETS + tokens
    yield _monthly(
        "Encryption keys", "kms-key", environment, KEYS, note="a version of each: a rotation adds one"
    )
    yield _monthly("Secrets", "secret", environment, secrets)


def _hourly(what: str, item: str, environment: Environment, count: int = 1, note: str = "") -> Line:
    price = prices.price(item, environment.aws.region)
    month = None if price.usd is None else price.usd * HOURS_A_MONTH
    return Line(what, count, count, "", month, note, price.sources)


def _monthly(
    what: str,
    item: str,
    environment: Environment,
    fewest: int = 1,
    most: int | None = None,
    unit: str = "",
    note: str = "",
) -> Line:
    price = prices.price(item, environment.aws.region)
    return Line(what, fewest, fewest if most is None else most, unit, price.usd, note, price.sources)
