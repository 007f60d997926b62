"""The AWS account and network that an environment lives in."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, field_validator

from generator.config.base import Account, Cidr, Model

Zone = Literal["a", "b", "c"]

KEPT_BY_AWS = (
    5  # of every subnet: the first four addresses and the last (Amazon VPC user guide, "Subnet sizing")
)


class Network(Model):
    """One VPC. Every tier's subnets follow from `cidr` and `zones`; nothing is written twice."""

    cidr: Cidr = Field(
        description="The VPC's address range, /16 to /20, disjoint from every other environment"
    )
    zones: Annotated[tuple[Zone, ...], Field(strict=False, min_length=1, max_length=3)] = Field(
        default=("a", "b", "c"),
        description="Availability zones of the region, by letter",
        json_schema_extra={"uniqueItems": True},
    )
    nat: Literal["single", "per-zone"] = Field(
        description="One NAT gateway in all, or one a zone (survives a zone's loss)"
    )

    @field_validator("cidr")
    @classmethod
    def _roomy(cls, cidr: str) -> str:
        if not 16 <= IPv4Network(cidr).prefixlen <= 20:
            raise ValueError("a VPC range is /16 to /20: room for three tiers in three zones")
        return cidr

    @field_validator("zones")
    @classmethod
    def _distinct(cls, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
        if len(set(zones)) != len(zones):
            raise ValueError("a zone is named once")
        return zones

    @property
    def private_subnets(self) -> dict[Zone, str]:
        """Zone → subnet of the nodes and their pods: an eighth of the VPC each."""
        return self._subnets(3, 0)

    @property
    def private_addresses(self) -> int:
        """Addresses of each private subnet, without the five that AWS keeps."""
        return (
            min(IPv4Network(subnet).num_addresses for subnet in self.private_subnets.values()) - KEPT_BY_AWS
        )

    @property
    def public_subnets(self) -> dict[Zone, str]:
        """Zone → subnet of the load balancer and NAT: a 64th of the VPC each."""
        return self._subnets(6, 48)

    @property
    def data_subnets(self) -> dict[Zone, str]:
        """Zone → subnet of the database, without a default route: a 64th of the VPC each."""
        return self._subnets(6, 56)

    def _subnets(self, new_bits: int, first: int) -> dict[Zone, str]:
        subnets = list(IPv4Network(self.cidr).subnets(prefixlen_diff=new_bits))
        return {zone: str(subnets[first + "abc".index(zone)]) for zone in self.zones}


class Aws(Model):
    """Where in AWS the environment runs."""

    account: Account = Field(description="The account's 12 digits, quoted")
    region: Literal["ap-southeast-1"] = Field(
        default="ap-southeast-1", description="Singapore: nearest to Dhaka"
    )
    network: Network = Field(description="The VPC")
