"""Where traffic enters: the load balancer's target, TLS, and limits for a single client."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from generator.config.base import Email, Model


class RateLimit(Model):
    """What one client address may ask of the edge."""

    requests_per_second: int = Field(default=50, ge=1, le=10_000, description="Storefront and catalogue")
    checkouts_per_minute: int = Field(default=30, ge=1, le=10_000, description="Login and checkout")


class Certificates(Model):
    """Let's Encrypt by DNS-01."""

    issuer: Literal["letsencrypt-staging", "letsencrypt-production"] = Field(
        description="The staging authority is not trusted by browsers and has no strict limits"
    )
    email: Email = Field(description="Where expiry warnings go")


class NodePorts(Model):
    """Fixed ports on every node: the load balancer's target group points at them."""

    http: int = Field(default=30080, ge=30000, le=32767, description="Plain HTTP: only redirects")
    https: int = Field(default=30443, ge=30000, le=32767, description="TLS up to the cluster's edge")

    @model_validator(mode="after")
    def _distinct(self) -> NodePorts:
        if self.http == self.https:
            raise ValueError(f"http and https are both {self.http}: they must differ")
        return self


class Edge(Model):
    """The way in."""

    certificates: Certificates
    node_ports: NodePorts = NodePorts()
    rate_limit: RateLimit = RateLimit()
