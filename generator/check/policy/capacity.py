"""Capacity: what full load asks of the database, the nodes and the network, against what these have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from generator.check.demand import Requests, uncounted
from generator.check.index import Index
from generator.check.rule import Finding, Findings, environment_rule, pod_rule
from generator.check.shape import dig, maps, text
from generator.check.view import Pod
from generator.config.cluster import Pool
from generator.config.database import RESERVED_CONNECTIONS
from generator.config.document import Path
from generator.facts.ec2 import Allocatable
from generator.facts.rds import classes
from generator.problem import Place

CLIENT_JOBS = {"migration": "shop-migrate"}
"""Client of the database → what its rendered object is called, where the two differ."""

MOST_NODES = 100  # what an environment file may say at most
TOLD = 6  # workloads that a sum names; what is more is told together


class Measure(NamedTuple):
    """What nodes have and pods take; `keys` of a workload in the environment file decide how much."""

    name: str
    unit: str
    taken: Callable[[Requests], int]
    given: Callable[[Allocatable], int]
    keys: tuple[str, ...]


CPU = Measure("CPU", "m", lambda one: one.millicores, lambda room: room.millicores, ("resources", "cpu"))
MEMORY = Measure(
    "memory", "Mi", lambda one: one.memory_mib, lambda room: room.memory_mib, ("resources", "memory")
)
PODS = Measure("pods", "", lambda _: 1, lambda room: room.pods, ())


@environment_rule(
    "DC-CAP-001", "The database has a connection for everyone who connects", kinds=("Environment",)
)
def connections(index: Index) -> Findings:
    """The connections of all pods of the API at full load, while a release rolls out, of the migration, of
    the exporter, and some for people must fit into what the instance class gives.

    A pod of the API has its pool, and one connection each for the order writer and the listener. A class
    gives PostgreSQL's default of RDS, less a tenth and what only superusers may take. Pods that are ending
    are not counted, though they keep theirs for some seconds: a new pod that finds none meanwhile is not
    ready yet, and the old ones go on serving (DC-REL-016).

    Why: PostgreSQL refuses the first connection too many, in the busiest minute of the sale.

    Fix: a bigger `database.class`, a smaller `poolSize`, or fewer `replicas.max`.

    Sources: AWS Prescriptive Guidance, RDS for PostgreSQL (`dhakacart facts rds`);
    docs/service-contract.md, SHOP_DATABASE_POOL_SIZE.
    """
    environment = index.environment
    needed, usable = environment.database_connections, environment.database.usable_connections
    if needed <= usable:
        return
    clients = [
        f"{client.pods} {client.name} pods × {client.each}"
        if client.pods > 1
        else f"{client.name} {client.each}"
        for client in environment.database_clients
    ]
    where, also = index.lines(
        ("database", "class"), ("shop", "backend", "replicas", "max"), ("shop", "backend", "poolSize")
    )
    yield Finding(
        f"database connections: {' + '.join(clients)} + for people {RESERVED_CONNECTIONS} = {needed}, "
        f"and {environment.database.db_class} plans with {usable}",
        f"{_class_for(needed)}a smaller `poolSize`, or fewer `replicas.max`",
        where=where,
        also=also,
    )


def _class_for(connections: int) -> str:
    """The smallest class that plans with so many, as the beginning of a hint."""
    enough = [one for one in classes().values() if one.usable_connections >= connections]
    smallest = min(enough, key=lambda one: (one.usable_connections, one.name), default=None)
    return f"write `class: {smallest.name}` ({smallest.usable_connections}), or " if smallest else "take "


@pod_rule("DC-CAP-002", "Everyone who connects to the database is counted")
def counted_clients(pod: Pod, index: Index) -> Findings:
    """A pod that mounts credentials of the database must be one that `Environment.database_clients` counts,
    with the entry of Secrets Manager that it is counted with.

    Why: DC-CAP-001 proves nothing about connections that it does not know of.

    Fix: add the workload to `database_clients` in generator/config/environment.py, with a role and an entry
    of its own in `SECRETS`.

    Sources: the contract between manifests and infrastructure in this repository.
    """
    environment = index.environment
    counted = {
        (CLIENT_JOBS.get(client.name, client.name), client.secret) for client in environment.database_clients
    }
    mounted = set(_mounted_entries(pod, index))
    for name in environment.secrets:
        path = environment.names.secret(name)
        if name.endswith("-database") and path in mounted and (pod.obj.name, name) not in counted:
            yield Finding(
                f"it connects with {path}, and nobody counts its connections",
                "add it to `database_clients` in generator/config/environment.py",
            )


def _mounted_entries(pod: Pod, index: Index) -> Iterator[str]:
    """The entries of Secrets Manager that reach a pod through the Secrets it mounts."""
    for volume in maps(pod.spec.get("volumes")):
        names = [dig(volume, "secret", "secretName")]
        names += [dig(source, "secret", "name") for source in maps(dig(volume, "projected", "sources"))]
        for name in map(text, names):
            yield from index.entries.get((pod.namespace, name), ())


@environment_rule("DC-CAP-003", "All pods at full load fit on the nodes", kinds=("Environment",))
def room(index: Index) -> Findings:
    """The CPU, the memory and the places that all pods take at the autoscalers' maximum, while a release of
    each workload rolls out, must not be more than the nodes have at theirs.

    Counted are the rendered workloads, Envoy's proxies, the charts' workloads by the requests in their
    values, and what EKS or K3s runs. Agents that run on every node are taken off each node first; what the
    kubelet and the system keep is off already. EKS gives a node as many pods as its network interfaces have
    addresses, K3s 110.

    Why: pods beyond that stay Pending, and the autoscaler's maximum is a promise that nobody keeps.

    Fix: more nodes, bigger ones, or fewer or smaller pods.

    Sources: `dhakacart facts ec2`, `workloads` and `addons`.
    """
    yield from _lacking(index, lambda pool: pool.most, "at full load", rollout=True)


@environment_rule("DC-CAP-004", "All pods at full load fit without one zone", kinds=("Environment",))
def room_without_a_zone(index: Index) -> Findings:
    """In staging and production CPU, memory and places of the nodes that remain when the zone with most of
    them is lost must be enough for all pods at the autoscalers' maximum. Releases can wait that long.

    Why: a zone may be lost in the middle of a sale, and the others may have no more nodes to give.

    Fix: more nodes, bigger ones, or fewer or smaller pods.

    Sources: `dhakacart facts ec2`, `workloads` and `addons`; as DC-CAP-003, which comes first.
    """
    if index.environment.critical and not any(room(index)):
        zones = len(index.environment.aws.network.zones)
        yield from _lacking(index, lambda pool: pool.after_loss(zones), "without one zone", rollout=False)


def _lacking(index: Index, nodes: Callable[[Pool], int], when: str, *, rollout: bool) -> Findings:
    """What the pods need more than `nodes` of each pool have."""
    pools = index.environment.cluster.pools
    for measure in (CPU, MEMORY, PODS):
        agents = sum(measure.taken(agent.requests) for agent in index.demand.agents)
        left = {pool.key: max(measure.given(pool.room) - agents, 0) for pool in pools}
        given = sum(nodes(pool) * left[pool.key] for pool in pools)
        needed, sum_ = _needed(index, measure, rollout=rollout)
        if needed > given:
            unit = measure.unit
            supply = " + ".join(
                f"{nodes(pool)} {pool.type} × ({measure.given(pool.room)}{unit} - {agents}{unit} of agents)"
                for pool in pools
            )
            more = _more(pools[-1], nodes, left[pools[-1].key], needed - given)
            where, also = _lines(index, measure)
            yield Finding(
                f"{measure.name} {when}: {sum_} = {needed}{unit}, and {supply} = {given}{unit}",
                f"{more}bigger nodes, or fewer or smaller pods",
                where=where,
                also=also,
            )


def _more(pool: Pool, nodes: Callable[[Pool], int], each: int, lacking: int) -> str:
    """How many nodes of a pool would be enough, as the beginning of a hint; nothing if that is too many."""
    for most in range(pool.most + 1, MOST_NODES + 1):
        if (nodes(pool._replace(most=most)) - nodes(pool)) * each >= lacking:
            return f"write `cluster.{pool.key}.max: {most}`, or take "
    return "take "


def _needed(index: Index, measure: Measure, *, rollout: bool) -> tuple[int, str]:
    """What all pods take of a measure, and how that adds up: the largest one by one, the others together."""
    loads = [
        (load.pods + (load.surge if rollout else 0), measure.taken(load.requests), load)
        for load in index.demand.loads
    ]
    ours = sorted((one for one in loads if one[2].obj is not None), key=lambda one: -one[0] * one[1])
    told = [id(load) for _, _, load in ours[:TOLD]]
    parts = [
        f"{count} {load.name}" + (f" × {each}{measure.unit}" if measure.unit else "")
        for count, each, load in loads
        if id(load) in told
    ]
    more = [(count, each) for count, each, _ in ours[TOLD:]]
    charts = [(count, each) for count, each, load in loads if load.obj is None]
    if more:
        parts.append(
            f"{_together(more, measure)[0]} of {len(more)} more workloads{_together(more, measure)[1]}"
        )
    pods, amount = _together(charts, measure)
    parts.append(f"{pods} of charts and cluster{amount}")
    return sum(count * each for count, each, _ in loads), " + ".join(parts)


def _together(some: list[tuple[int, int]], measure: Measure) -> tuple[int, str]:
    """How many pods these are, and what they take, where a pod is not itself the measure."""
    amount = sum(count * each for count, each in some)
    return sum(count for count, _ in some), f" {amount}{measure.unit}" if measure.unit else ""


def _lines(index: Index, measure: Measure) -> tuple[Place, tuple[Place, ...]]:
    """The line of the nodes' number, and those that add to it or to what pods take."""
    pools = index.environment.cluster.pools
    numbers: list[Path] = [
        ("cluster", pool.key, "count" if pool.key == "servers" else "max") for pool in reversed(pools)
    ]
    types: list[Path] = [("cluster", pool.key, "type") for pool in pools]
    homes: tuple[Path, ...] = (("shop", "backend"), ("shop", "frontend"), ("edge", "proxies"))
    keys = [("replicas", "max"), *([measure.keys] if measure.keys else [])]
    where, also = index.lines(*numbers, *types, *((*home, *key) for home in homes for key in keys))
    return where, also


@environment_rule("DC-CAP-005", "Every pod fits on an empty node", kinds=("Deployment",))
def largest(index: Index) -> Findings:
    """There must be a type of node that has, beside the agents of every node, the CPU and the memory that
    one pod requests.

    Why: a sum over all nodes hides it, and the pod stays Pending however many nodes there are.

    Fix: a bigger instance type, or smaller requests.

    Sources: `dhakacart facts ec2`.
    """
    agents = index.demand.on_each_node
    rooms = [
        Requests(pool.room.millicores - agents.millicores, pool.room.memory_mib - agents.memory_mib)
        for pool in index.environment.cluster.pools
        if pool.most
    ]
    types = [("cluster", pool.key, "type") for pool in index.environment.cluster.pools]
    for load in index.demand.loads:
        if not any(_fits(load.requests, one) for one in rooms):
            biggest = max(rooms, key=lambda one: (one.millicores, one.memory_mib), default=Requests())
            requested = index.config_place(load.name, "resources")
            where, also = index.lines(*types)
            yield Finding(
                f"one pod of {load.name} requests {load.requests.millicores}m and "
                f"{load.requests.memory_mib}Mi, and an empty node has {biggest.millicores}m and "
                f"{biggest.memory_mib}Mi beside its agents",
                "take a bigger instance type, or request less",
                where=requested or where,
                obj=load.obj,
                app=load.app,
                also=(where, *also) if requested else also,
            )


def _fits(one: Requests, into: Requests) -> bool:
    return one.millicores <= into.millicores and one.memory_mib <= into.memory_mib


@environment_rule("DC-CAP-006", "Every zone has addresses for its nodes and pods", kinds=("Environment",))
def addresses(index: Index) -> Findings:
    """The private subnet of a zone must have an address for everything in it when another zone is lost and
    its nodes come here, in the middle of an upgrade of the nodes.

    On EKS a node holds all addresses that its network interfaces can have, for its pods, and EKS itself
    takes up to four. On K3s a node has one; its pods have a /24 of `podCidr`, which must have one for each
    node and for one more that replaces another.

    Why: a node or pod without an address does not start, and a subnet can not be made bigger.

    Fix: a bigger `aws.network.cidr` (or `podCidr`) before the network is made, fewer nodes, or a type with
    fewer network interfaces.

    Sources: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html; K3s, `--cluster-cidr`.
    """
    environment = index.environment
    network, cluster = environment.aws.network, environment.cluster
    zones = len(network.zones)
    key = "nodes" if cluster.kind == "eks" else "agents"
    maximum: Path = ("cluster", key, "max")
    needed = cluster.addresses_in_a_zone(zones)
    if needed > network.private_addresses:
        what = f"{cluster.nodes_in_a_zone(zones)} nodes" + (
            " with their pods" if cluster.kind == "eks" else ""
        )
        where, also = index.lines(("aws", "network", "cidr"), maximum, ("cluster", key, "type"))
        yield Finding(
            f"addresses of a zone: {what} take {needed}, and a private subnet of {network.cidr} has "
            f"{network.private_addresses}",
            "take a bigger range, or allow fewer nodes",
            where=where,
            also=also,
        )
    if cluster.kind == "k3s" and cluster.max_nodes + 1 > cluster.pod_ranges:
        where, also = index.lines(("cluster", "podCidr"), maximum, ("cluster", "servers", "count"))
        yield Finding(
            f"{cluster.pod_cidr} has a /24 of pods' addresses for {cluster.pod_ranges} nodes, and there may "
            f"be {cluster.max_nodes}, and one that replaces another",
            "take a bigger `podCidr`, or allow fewer nodes",
            where=where,
            also=also,
        )


@environment_rule("DC-CAP-007", "Every request of a chart is counted", kinds=("Values",))
def uncounted_requests(index: Index) -> Findings:
    """Requests in the values of a chart must belong to a workload that the facts have.

    Why: DC-CAP-003 and its like prove nothing about pods that they do not know of.

    Fix: add the workload, with the path of its requests and of its replicas, to
    generator/facts/data/workloads.json.

    Sources: `dhakacart facts workloads`.
    """
    for app in index.apps.values():
        for path in uncounted(index.rendered.values.get(app.name, {}), app.chart or ""):
            yield Finding(
                f"{path} of the chart requests something, and no sum has it",
                "add the workload to generator/facts/data/workloads.json",
                where=Place(f"apps/{app.name}/values.yaml.j2"),
                app=app.name,
            )
