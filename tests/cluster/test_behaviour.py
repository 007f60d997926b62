"""How the environments behave: spread, room, load, a lost zone, drained nodes, preemption, releases.

Production's tree runs in one test bed for all tests (`behaviour_world`); each leaves it as it found it. Time
is scaled: a pod counts as available after a second (five), and see `programs.py` and `behaviour_load.py`.
"""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster import behaviour_platform as platform
from cluster.admission_plane import objects, quantity
from cluster.api import Object
from cluster.bed import ROOT, Bed, crd_manifests
from cluster.behaviour_load import FASTER, SYNC, Rehearsal, beyond
from cluster.behaviour_watch import DEPLOYMENTS, POD, PODS, Event, Watch, fewest_serving, matches, serves
from cluster.behaviour_world import AUTOSCALERS, BUDGETS, REMINDED, STATEFULSETS, Scaled, World
from cluster.environment import names
from cluster.nodes import ZONE

PARTS = frozenset({"controllers", "scheduler", "kwok", "metrics"})
SILENT = 60.0  # seconds until everything of a silent zone runs elsewhere
IN_PARTS = 3.0  # seconds between a zone's first nodes and its last; a lease is renewed more often
ENOUGH_NODES = 4  # of a zone, to be lost in part: three do not make one
DRAIN = 150.0  # seconds; 6 are usual, and a budget may be wrong for two minutes (`behaviour_platform.STOP`)
FOREVER = "1h"
NEVER = "DoNotSchedule"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
ENOUGH = {"alertmanager": 2, "argocd-application-controller": 1, "loki": 2, "prometheus": 1}
"""Pods that a StatefulSet can do without no more: a majority where they vote, else one."""
BATCH, SHOP, FILL = "dhakacart-batch", "dhakacart-shop", "fill"
ROUNDS = itertools.count(1)
UPGRADE = 2
"""Nodes that EKS adds to each zone, at most, while it upgrades a node group."""


@contextmanager
def running(environment: str, folder: Path, assets: Path, parts: frozenset[str]) -> Iterator[World]:
    """An environment at its floor. Of the custom resources only Argo CD's are there: no other is used."""
    some = folder / "crds"
    some.mkdir(parents=True)
    (some / "argoproj.io").symlink_to(crd_manifests() / "argoproj.io")
    with Bed(environment, folder / "bed", parts=parts, nodes=False, assets=assets, crds=some) as bed:
        try:
            world = World(bed)
            world.start()
            yield world
        finally:
            bed.api.close()


@pytest.fixture(scope="module")
def prod(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Rehearsal]]:
    """Production at its floor, and the rehearsal of a load beside it."""
    with running("prod", tmp_path_factory.mktemp("behaviour"), assets, PARTS) as world:
        rehearsal = Rehearsal(world)
        rehearsal.begin()
        yield world, rehearsal
        rehearsal.end()


@pytest.fixture
def world(prod: tuple[World, Rehearsal]) -> Iterator[World]:
    """Production at its floor, before and after a test."""
    world, _ = prod
    yield world
    world.bed.api.delete("v1/namespaces", FILL)
    for node in world.workers():
        world.bed.nodes.uncordon(node["metadata"]["name"])
    world.let_go()
    world.settle("production is calm again")


# --- the stand-ins


@pytest.mark.parametrize("environment", names(ROOT))
def test_every_request_of_the_charts_is_taken_up(environment: str) -> None:
    assert platform.unread(ROOT, environment) == []
    assert {part.chart for part in platform.PARTS} >= set(platform.charts(ROOT, environment))


@pytest.mark.parametrize("environment", names(ROOT))
def test_volumes_of_one_workload_are_never_all_in_one_zone(environment: str) -> None:
    """A volume stays in its zone. Prometheus' second, Alertmanager's third would be lost with the first."""
    for body in platform.stand_ins(ROOT, environment):
        if body["spec"].get("volumeClaimTemplates") and body["spec"]["replicas"] > 1:
            assert kept_apart(body["spec"]["template"]["spec"]), body["metadata"]["name"]


def kept_apart(pod: Object) -> bool:
    """Whether the scheduler may not put two of a workload's pods into a zone while another has none."""
    spread = pod.get("topologySpreadConstraints", [])
    anti = pod.get("affinity", {}).get("podAntiAffinity", {})
    terms = anti.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    return any(rule["topologyKey"] == ZONE and rule["whenUnsatisfiable"] == NEVER for rule in spread) or any(
        term["topologyKey"] == ZONE for term in terms
    )


# --- room, of the smaller environments


@pytest.mark.parametrize("environment", sorted(set(names(ROOT)) - {"prod"}))
def test_the_maximum_fits(environment: str, assets: Path, tmp_path: Path) -> None:
    """Before production is there: two test beds at once would take twice the memory."""
    with running(environment, tmp_path, assets, PARTS - {"metrics"}) as world:
        fill_to_the_maximum(world)


def test_a_pod_that_kwok_passed_over_is_named_to_it_again(world: World) -> None:
    api, node = world.bed.api, world.bed.nodes.ready()[0]

    def found() -> Object:
        return api.get(PODS, "forgotten", "default")

    world.bed.nodes.fail(node)
    try:
        api.create(PODS, {"metadata": {"name": "forgotten"}, "spec": {"nodeName": node, **POD}}, "default")
        world.wait(
            lambda: REMINDED in found()["metadata"].get("annotations", {}), "it is named", growing=False
        )
    finally:
        world.bed.nodes.recover(node)
    world.wait(lambda: serves(found()), "it runs", growing=False)
    api.delete(PODS, "forgotten", "default")


# --- spread


def test_pods_are_spread_over_zones(world: World) -> None:
    assert len(world.scaled()) == 3
    for of in world.scaled():
        assert_spread(world, of)


def assert_spread(world: World, of: Scaled) -> None:
    """As many pods in each zone, give or take what the workload's own rule says."""
    [skew] = [
        rule["maxSkew"]
        for rule in of.spread
        if rule["topologyKey"] == ZONE and rule["whenUnsatisfiable"] == NEVER
    ]
    zones = world.zones(of)
    assert skew == 1
    assert sum(zones.values()) >= of.minimum
    assert max(zones.values()) - min(zones.values()) <= skew, f"{of.what}: {zones}"


# --- releases


def test_a_release_takes_nothing_away_and_is_spread_again(world: World) -> None:
    before = {of.what: {pod["metadata"]["uid"] for pod in world.pods(of)} for of in world.scaled()}
    with Watch(world.bed, PODS) as pods, Watch(world.bed, DEPLOYMENTS) as deployments:
        for of in world.scaled():
            world.release(of, {"bed/start-after": "2s"})
        world.settle("a release with slow pods is through")
    for of in world.scaled():
        assert not before[of.what] & {pod["metadata"]["uid"] for pod in world.pods(of)}, (
            "no pod is an old one"
        )
        assert fewest_serving(pods, of.namespace, of.labels) >= of.minimum, of.what
        assert fewest_available(deployments, of) >= of.minimum, of.what
        assert_spread(world, of)
    assert pushed_out(pods) & {SHOP} == set(), "a release pushes no pod of the shop out"


def fewest_available(deployments: Watch, of: Scaled) -> int:
    """The fewest available replicas that a Deployment's status ever gave."""
    seen = [
        event.body["status"].get("availableReplicas", 0)
        for event, _ in deployments.histories(of.namespace)
        if event.body["metadata"]["name"] == of.name
    ]
    return min(seen, default=-1)


def test_a_release_that_never_gets_ready_takes_nothing_away(world: World) -> None:
    with Watch(world.bed, PODS) as pods:
        for of in world.scaled():
            world.release(of, {"bed/crash": "true"})
        world.bed.wait_until(
            lambda: all(crashing(world, of) for of in world.scaled()), "a new pod of each crashes"
        )
    for of in world.scaled():
        assert fewest_serving(pods, of.namespace, of.labels) >= of.minimum, of.what
        world.release(of, {"bed/crash": None})


def crashing(world: World, of: Scaled) -> bool:
    """Whether a pod of a workload is in a crash loop."""
    containers = [
        each for pod in world.pods(of) for each in pod.get("status", {}).get("containerStatuses", [])
    ]
    return any(each["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff" for each in containers)


def test_the_watch_would_have_seen_a_pod_missing(world: World) -> None:
    of = world.scaled()[0]
    [lost, *_] = world.pods(of)
    with Watch(world.bed, PODS) as pods:
        world.bed.api.delete(PODS, lost["metadata"]["name"], of.namespace)
        world.settle("the pod is replaced")
    assert fewest_serving(pods, of.namespace, of.labels) == of.minimum - 1


# --- nodes drained


def test_every_node_can_be_replaced_within_the_budgets(world: World) -> None:
    api, nodes = world.bed.api, world.bed.nodes
    budgets = api.list(BUDGETS)
    covered = [budget["spec"]["selector"]["matchLabels"] for budget in budgets]
    assert all(of.labels in covered for of in world.scaled())
    old = [node["metadata"] for node in world.workers()]
    with Watch(world.bed, PODS) as pods:
        for node in old:
            fresh = nodes.add(zone=node["labels"][ZONE])  # as a node group's upgrade does it
            wait_for_node(world, fresh)
            drain(world, node["name"])
            world.remove(node["name"])
            world.settle(f"all that was on {node['name']} runs elsewhere")
    assert [broken for budget in budgets for broken in breaches(budget, pods)] == []
    assert not {node["name"] for node in old} & set(nodes.names())
    assert pushed_out(pods) & {SHOP} == set(), "no pod of the shop makes room for one that had to go"


def drain(world: World, node: str) -> None:
    """`kubectl drain`, while the cluster autoscaler looks after those that have to go."""
    with ThreadPoolExecutor(1) as pool:
        drained = pool.submit(world.bed.nodes.drain, node, timeout=DRAIN)
        world.wait(drained.done, f"node {node} is drained", timeout=DRAIN + 30)
        if error := drained.exception():
            error.add_note(world.describe())
            raise error


def wait_for_node(world: World, name: str) -> None:
    """Until it is ready."""
    world.bed.wait_until(lambda: name in world.bed.nodes.ready(), f"node {name} is ready")


def breaches(budget: Object, pods: Watch) -> Iterator[str]:
    """Moments with fewer healthy pods than a budget asks for."""
    metadata, wanted = budget["metadata"], budget["status"]["desiredHealthy"]
    labels = budget["spec"]["selector"]["matchLabels"]
    assert wanted >= 1, f"{metadata['name']} protects nothing"
    for event, state in pods.histories(metadata["namespace"]):
        healthy = sum(matches(pod, labels) and serves(pod) for pod in state.values())
        if healthy < wanted:
            yield f"{metadata['name']}: {healthy} of {wanted} when {event.body['metadata']['name']} changed"


# --- room


def test_the_maximum_of_production_fits(world: World) -> None:
    fill_to_the_maximum(world)


def fill_to_the_maximum(world: World) -> None:
    """All autoscalers at their maximum; each release in turn with all that it adds; an upgrade's nodes."""
    world.hold_at_maximum()
    world.settle("the maximum fits onto the environment's nodes")
    for of in world.scaled():
        assert sum(world.zones(of).values()) == of.maximum
        assert_spread(world, of)
    with migration(world):
        for of in world.scaled():
            world.release(of, {"bed/start-after": FOREVER})
            wait_for_pods(world, of, of.maximum + surge(world, of))
            world.release(of, {"bed/start-after": None})
            wait_for_pods(world, of, of.maximum)
    if world.bed.environment.eks:
        world.bed.nodes.make_maximum()
        added = [world.bed.nodes.add(zone=zone) for zone in world.bed.environment.zones * UPGRADE]
        world.settle("every node has its agents, also those that an upgrade adds")
        for node in added:
            world.remove(node)


def wait_for_pods(world: World, of: Scaled, count: int) -> None:
    """Until a workload has so many pods, each with a place, and nobody looks for one."""
    world.wait(
        lambda: len(world.placed(of)) == count and not world.homeless(),
        f"{count} pods of {of.what} have a place",
    )


@contextmanager
def migration(world: World) -> Iterator[None]:
    """A release's migration of the database takes its time."""
    jobs = "batch/v1/jobs"
    [job] = [body for body in objects(world.name) if body["kind"] == "Job"]
    template = copy.deepcopy(job["spec"]["template"])
    template["metadata"]["annotations"] = {"bed/run-for": FOREVER}
    world.bed.api.create(jobs, {"metadata": {"name": "migrate"}, "spec": {"template": template}}, "shop")
    world.wait(
        lambda: world.bed.api.get(jobs, "migrate", "shop").get("status", {}).get("ready") == 1,
        "the migration runs at full load",
    )
    yield
    world.bed.api.delete(jobs, "migrate", "shop")


def surge(world: World, of: Scaled) -> int:
    """Pods beyond the replicas in a release, at the maximum."""
    deployment = world.bed.api.get(DEPLOYMENTS, of.name, of.namespace)
    more = deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
    return more if isinstance(more, int) else math.ceil(of.maximum * int(more.removesuffix("%")) / 100)


# --- priorities


def test_the_shop_takes_the_room_of_lower_priorities_only(world: World) -> None:
    api = world.bed.api
    world.bed.nodes.make_maximum()
    world.settle("all nodes are there")
    fill(world)
    with Watch(world.bed, PODS) as pods:
        rise(world)
        waiting = api.list(PODS, FILL)
        api.create(PODS, lone("pushy", "dhakacart-platform", "3", most_of_the_shop(world)), FILL)
        api.create(PODS, lone("modest", BATCH, "3", most_of_the_shop(world)), FILL)
        world.bed.wait_until(
            lambda: {"pushy", "modest"} <= {pod["metadata"]["name"] for pod in world.homeless()},
            "pods of lower priority find no place on a node of the shop",
        )
    assert any("nodeName" not in pod["spec"] for pod in waiting), "the cluster was full"
    assert pushed_out(pods) == {BATCH}, "the lowest go first, and nobody else had to"
    for of in world.scaled():
        assert sum(world.zones(of).values()) == of.maximum, of.what


def rise(world: World) -> None:
    """The load grows, and autoscalers follow: at most twice as many pods at once, as they are declared.

    Of more pods at once some would push monitoring out although work that can wait is left: to keep the zones
    even, the scheduler counts a pod that waits for its victims to end only on the very node that it looks at.
    So every node that such a pod is promised looks too full for another, and others are cleared.
    """
    while any(of.minimum < of.maximum for of in world.scaled()):
        for of in world.scaled():
            world.hold(of, min(2 * of.minimum, of.maximum))
        world.settle("the shop has what it asks for in a full cluster", apart_from=FILL)


def fill(world: World) -> None:
    """Work that can wait takes every place that is left."""
    pod = lone("fill", BATCH, "500m", {})
    cores = sum(quantity(node["status"]["allocatable"]["cpu"]) for node in world.workers())
    spec = {
        "replicas": 2 * math.ceil(cores),  # more than there would be room for on empty nodes
        "selector": {"matchLabels": {"app": FILL}},
        "template": {"metadata": {"labels": {"app": FILL}}, "spec": pod["spec"]},
    }
    world.bed.api.create("v1/namespaces", {"metadata": {"name": FILL}})
    world.bed.api.create(DEPLOYMENTS, {"metadata": {"name": FILL}, "spec": spec}, FILL)

    def full() -> bool:
        pods = world.bed.api.list(PODS, FILL)
        waiting = [pod for pod in world.homeless() if pod["metadata"]["namespace"] == FILL]
        placed = [pod for pod in pods if pod["spec"].get("nodeName")]
        return len(pods) == spec["replicas"] and len(placed) + len(waiting) == len(pods) and bool(waiting)

    world.bed.wait_until(full, lambda: f"the cluster is full: {world.describe()}")


def lone(name: str, priority: str, cpu: str, selector: dict[str, str]) -> Object:
    """A pod of a priority class that asks for so much."""
    container = {"name": "work", "image": "docker.io/bed/work:1", "resources": {"requests": {"cpu": cpu}}}
    spec = {
        "priorityClassName": priority,
        "nodeSelector": selector,
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
    }
    return {"metadata": {"name": name}, "spec": spec}


def most_of_the_shop(world: World) -> dict[str, str]:
    """A node selector for the node that has most of the API's pods."""
    [backend] = [of for of in world.scaled() if of.name == "shop-backend"]
    nodes = [pod["spec"]["nodeName"] for pod in world.pods(backend)]
    return {platform.HOSTNAME: max(nodes, key=nodes.count)}


def pushed_out(pods: Watch) -> set[str]:
    """Priority classes of the pods that had to make room for another."""
    return {event.body["spec"]["priorityClassName"] for event in pods.events if preempted(event)}


def preempted(event: Event) -> bool:
    """Whether a pod has to make room for another."""
    conditions = event.body.get("status", {}).get("conditions", [])
    return any(each.get("reason") == "PreemptionByScheduler" for each in conditions)


# --- a zone lost


def test_a_lost_zone_costs_no_more_than_its_pods(world: World) -> None:
    bed = world.bed
    zone = bed.environment.zones[-1]
    while len(world.workers(zone)) < ENOUGH_NODES:
        bed.nodes.add(zone=zone)
    respread(world)
    gone = {node["metadata"]["name"] for node in world.workers(zone)}
    in_zone = {of.what: world.zones(of)[zone] for of in world.scaled()}
    assert set(in_zone.values()) == {1}
    world.lost.add(zone)

    def serves_elsewhere(pod: Object) -> bool:
        node: str = pod["spec"].get("nodeName", "")
        return serves(pod) and node not in gone

    with Watch(bed, PODS) as pods:
        # Most of it first. Of a zone that is lost in part nothing is evicted, until all of it is lost.
        first, *others = sorted(gone)
        bed.nodes.fail(*others)
        time.sleep(IN_PARTS)
        bed.nodes.fail(first)
        bed.wait_until(lambda: not gone & set(bed.nodes.ready()), "the zone's silence is noticed", SILENT)
        world.settle("every Deployment is whole in the other zones", SILENT, resources=[DEPLOYMENTS])
    for of in world.scaled():
        fewest = fewest_serving(pods, of.namespace, of.labels, serves_elsewhere)
        assert fewest >= of.minimum - in_zone[of.what], of.what
        assert sum(serves_elsewhere(pod) for pod in world.pods(of)) >= of.minimum, of.what
    # A StatefulSet's pod is not made anew before it is certain that the old one is gone. The cloud says so by
    # deleting the machine, an operator by this taint, which is quicker here.
    bed.kubectl("taint", "nodes", *gone, OUT_OF_SERVICE)
    bed.wait_until(
        lambda: all(stateful_pods(world, body) for body in bed.api.list(STATEFULSETS)),
        lambda: f"StatefulSets are whole but for what waits for the zone's volumes: {world.describe()}",
        SILENT,
    )
    serving = {body["metadata"]["name"]: serving_of(world, body) for body in bed.api.list(STATEFULSETS)}
    assert serving.keys() == ENOUGH.keys()
    assert {name for name, count in serving.items() if count < ENOUGH[name]} == set(), serving
    assert {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in world.stranded()} <= {
        "prometheus", "alertmanager", "loki"
    }  # fmt: skip
    world.lost.clear()
    for name in gone:
        bed.nodes.remove(name)
        bed.nodes.add(zone=zone)
    world.settle("the zone is back with new machines")
    respread(world)


def respread(world: World) -> None:
    """A release: nothing else spreads what scaling down or a lost zone has left uneven."""
    for of in world.scaled():
        world.release(of, {"bed/round": str(next(ROUNDS))})
    world.settle("a release is through")
    for of in world.scaled():
        assert_spread(world, of)


def stateful_pods(world: World, body: Object) -> bool:
    """Whether a StatefulSet's pods all serve, or wait for a volume in a lost zone."""
    stranded = [pod for pod in world.stranded() if matches(pod, body["spec"]["selector"]["matchLabels"])]
    replicas: int = body["spec"]["replicas"]
    return serving_of(world, body) + len(stranded) == replicas


def serving_of(world: World, body: Object) -> int:
    """Pods of a StatefulSet that serve."""
    pods = world.bed.api.list(PODS, body["metadata"]["namespace"])
    return sum(serves(pod) and matches(pod, body["spec"]["selector"]["matchLabels"]) for pod in pods)


# --- load


DOUBLE = {
    "selectPolicy": "Max",
    "policies": [
        {"type": "Percent", "value": 100, "periodSeconds": 15},
        {"type": "Pods", "value": 2, "periodSeconds": 15},
    ],
}
ONE = {"selectPolicy": "Min", "policies": [{"type": "Pods", "value": 1, "periodSeconds": 2}]}


@pytest.mark.parametrize(
    ("rules", "steps", "allowed"),
    [
        (DOUBLE, [(0, 3), (2, 6), (17, 10)], True),
        (DOUBLE, [(0, 1), (2, 3)], True),
        (DOUBLE, [(0, 3), (2, 7)], False),
        (DOUBLE, [(0, 3), (2, 6), (9, 10)], False),
        (ONE, [(0, 5), (10, 4), (12, 3)], True),
        (ONE, [(0, 5), (10, 4), (11, 3)], False),
        (ONE, [(0, 5), (10, 3)], False),
    ],
)
def test_a_step_too_far_is_seen(rules: Object, steps: list[tuple[float, int]], allowed: bool) -> None:
    assert (beyond(rules, steps) == []) is allowed


def test_the_shop_follows_the_load_as_declared(prod: tuple[World, Rehearsal]) -> None:
    world, rehearsal = prod
    courses = {course.name: course for course in rehearsal.courses()}
    declared = {body["metadata"]["name"]: body["spec"] for body in world.bed.api.list(AUTOSCALERS, "shop")}
    assert courses.keys() == declared.keys() == {"shop-backend", "shop-frontend"}
    for name, course in courses.items():
        spec = declared[name]
        floor, most, rules = spec["minReplicas"], spec["maxReplicas"], spec["behavior"]
        assert course.autoscaler["behavior"]["scaleUp"] == rules["scaleUp"], "as fast as declared"
        assert (course.up[0][1], course.up[-1][1]) == (floor, most), name
        assert max(count for _, count in course.up + course.down) == most, "never more than the maximum"
        assert beyond(rules["scaleUp"], course.up) == [], name
        scaled = course.autoscaler["behavior"]["scaleDown"]
        window = rules["scaleDown"]["stabilizationWindowSeconds"] / FASTER
        assert scaled["stabilizationWindowSeconds"] == window
        assert course.down[-1][1] == floor, name
        assert beyond(scaled, course.down) == [], name
        assert course.down[1][0] - course.idle >= window - SYNC - 0.5, "it waits before it takes pods away"
