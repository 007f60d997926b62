"""Every stack of every environment, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dhakacart_infra import tf
from dhakacart_infra.inputs import ORDER
from dhakacart_infra.stacks.base import Stack
from dhakacart_infra.stacks.bootstrap import Bootstrap
from dhakacart_infra.stacks.cluster import make_cluster
from dhakacart_infra.stacks.data import Data
from dhakacart_infra.stacks.edge import Edge, Nodes
from dhakacart_infra.stacks.identity import Identity
from dhakacart_infra.stacks.network import Network
from generator.config.infrastructure import Infrastructure


def build(app: tf.App, infrastructure: Infrastructure) -> None:
    """All stacks of one environment."""
    Bootstrap(app, infrastructure)
    network = Network(app, infrastructure)
    data = Data(app, infrastructure, network.outputs)
    cluster = make_cluster(app, infrastructure, network.outputs, data.outputs)
    Identity(app, infrastructure, data.outputs, cluster.outputs)
    nodes = Nodes(cluster.outputs.node_security_group_id, cluster.outputs.autoscaling_group_names)
    Edge(app, infrastructure, network.outputs, nodes, data.outputs.alarm_topic_arn)


def synthesize(all_of: Iterable[Infrastructure], folder: Path) -> dict[tuple[str, str], bytes]:
    """(environment, lifecycle) → its cdk.tf.json. `folder` is scratch: what jsii writes goes there."""
    app = tf.App(outdir=str(folder))
    chosen = list(all_of)
    for each in chosen:
        build(app, each)
    for stack in app.node.children:
        if isinstance(stack, Stack):
            stack.bind_roles()
    app.synth()
    return {
        (each.name, lifecycle): (folder / "stacks" / f"{each.name}-{lifecycle}" / "cdk.tf.json").read_bytes()
        for each in chosen
        for lifecycle in ORDER
    }
