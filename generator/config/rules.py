"""What must hold between the values of one environment file, and between the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from itertools import combinations

from generator.config import codes
from generator.config.document import Document, Path
from generator.config.environment import Environment
from generator.problem import Problem

_VPC: Path = ("aws", "network", "cidr")


def within(environment: Environment, document: Document) -> list[Problem]:
    """What is wrong inside one environment that no single value shows."""
    problems: list[Problem] = []
    for (name, network, path), (other, second, at) in combinations(_ranges(environment), 2):
        if network.overlaps(second):
            # A default is not written: the other one is the line to edit.
            written = [document.values[one] for one in (at, path) if one in document.values]
            where, also = (written or [document.place(at)])[0], tuple(written[1:])
            message = f"{network} of {name} and {second} of {other} overlap"
            unwritten = "" if len(written) > 1 else f", here or in `{'.'.join(map(str, at))}`"
            hint = f"give each a range of its own{unwritten}"
            problems.append(Problem(codes.RANGES_OVERLAP, message, hint, where, also=also))
    return problems


def across(loaded: Sequence[tuple[Environment, Document]]) -> list[Problem]:
    """What is wrong between environments. Each pair is reported once, at the later file, with both lines."""
    problems = []
    for (first, document), (second, other) in combinations(loaded, 2):
        if IPv4Network(first.aws.network.cidr).overlaps(IPv4Network(second.aws.network.cidr)):
            message = f"{second.aws.network.cidr} overlaps {first.aws.network.cidr} of {first.name}"
            hint = "networks that may be joined one day need addresses of their own"
            where, also = other.place(_VPC), (document.place(_VPC),)
            problems.append(Problem(codes.RANGES_OVERLAP, message, hint, where, also=also))
        if first.domain == second.domain:
            message = f"{second.domain} is the domain of {first.name} too"
            where, also = other.place(("domain",)), (document.place(("domain",)),)
            problems.append(
                Problem(codes.DOMAIN_TWICE, message, "give each its own host name", where, also=also)
            )
    return problems


def _ranges(environment: Environment) -> Iterator[tuple[str, IPv4Network, Path]]:
    """The address ranges of one environment, with a name for people and where they are written."""
    cluster = environment.cluster
    yield "the VPC", IPv4Network(environment.aws.network.cidr), _VPC
    if cluster.kind == "k3s":
        yield "the pods", IPv4Network(cluster.pod_cidr), ("cluster", "podCidr")
    yield "the Services", IPv4Network(cluster.service_cidr), ("cluster", "serviceCidr")
