"""`docs/cost.md`: the costs of every environment as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from generator.config.environment import Environment
from generator.facts import prices
from generator.facts.source import Source
from generator.report.cost import BY_USE, Line, Total, at_fewest, at_most, costs

INTRODUCTION = """\
<!-- Generated from environments/ and generator/facts/ by `generator/report/`. `make docs` writes it. -->

# Cost by environment

What each environment costs a month while it stands there and nobody uses it: what its file asks for, at the
list prices of its region, on demand, for 730 hours, without tax, discount or free tier. **Minimum** is with
the fewest nodes and the storage to begin with, **maximum** with the most that the file allows, all month.

A price that nobody has found is *unknown*. It is left out of the sum and named beside it: the bill is at
least the sum, as far as prices that are marked as computed or another region's hold."""

USE = """\
## What follows use

In no sum above: how much there will be of it is not in the file. Prices of {region}."""

SOURCES = """\
## Sources

Of prices, and of sizes of instances. `dhakacart facts prices`, `dhakacart facts ec2` and
`dhakacart facts rds` show each price with its basis. Nobody has compared these sums with a bill of AWS."""


def page(environments: Sequence[Environment]) -> str:
    """The page, for environments in their order."""
    lined = {environment.name: costs(environment) for environment in environments}
    summary = [
        "| environment | at least, at the minimum | at least, at the maximum | and what is unknown |",
        "|---|--:|--:|---|",
        *(_summary(name, lines) for name, lines in lined.items()),
    ]
    parts = [INTRODUCTION, "\n".join(summary)]
    parts += [_section(environment, lined[environment.name]) for environment in environments]
    regions = sorted({environment.aws.region for environment in environments})
    parts += [_use(region) for region in regions]
    parts.append(_sources([*(line for lines in lined.values() for line in lines)], regions))
    return "\n\n".join(parts) + "\n"


def _summary(name: str, lines: tuple[Line, ...]) -> str:
    small, big = at_fewest(lines), at_most(lines)
    return f"| **{name}** | {_usd(small.usd)} | {_usd(big.usd)} | {_unknown(big) or 'nothing'} |"


def _section(environment: Environment, lines: tuple[Line, ...]) -> str:
    head = [
        f"## {environment.name}",
        "",
        "| what | how many | one, a month | minimum | maximum | |",
        "|---|--:|--:|--:|--:|---|",
    ]
    body = [
        f"| {line.what} | {_count(line)} | {_usd(line.usd)} | {_usd(line.cost(line.fewest))} "
        f"| {_usd(line.cost(line.most))} | {line.note} |"
        for line in lines
    ]
    small, big = at_fewest(lines), at_most(lines)
    return "\n".join([*head, *body, "", _words(small, big)])


def _words(small: Total, big: Total) -> str:
    words = f"At least **{_usd(small.usd)}** a month at the minimum, **{_usd(big.usd)}** at the maximum"
    return f"{words}, plus what is unknown: {_unknown(big)}." if big.unknown else f"{words}."


def _unknown(total: Total) -> str:
    return ", ".join(f"{what[0].lower()}{what[1:]}" for what in total.unknown)


def _use(region: str) -> str:
    rows = []
    for what, item in BY_USE:
        price = prices.price(item, region)
        rows.append(f"| {what} | {_usd(price.usd)} | {price.unit} | {price.note} |")
    return "\n".join(
        [USE.format(region=region), "", "| what | price | for a | |", "|---|--:|---|---|", *rows]
    )


def _sources(lines: Iterable[Line], regions: Iterable[str]) -> str:
    used = [source for line in lines if line.usd is not None for source in line.sources]
    used += [
        source for region in regions for _, item in BY_USE for source in prices.price(item, region).sources
    ]
    told = sorted({_source(source) for source in used})
    return "\n".join([SOURCES, "", *told])


def _source(source: Source) -> str:
    return f"- {source.text} ({source.date})"


def _count(line: Line) -> str:
    count = f"{line.fewest}" if line.fewest == line.most else f"{line.fewest} to {line.most}"
    return f"{count} {line.unit}".rstrip()


def _usd(usd: Decimal | None) -> str:
    if usd is None:
        return "unknown"
    return f"${usd:,.2f}" if usd >= 1 or usd == usd.quantize(Decimal("0.01")) else f"${usd.normalize():f}"
