"""Where traffic enters: the load balancer's target, TLS, and limits for a single client."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from generator.config.base import ContradictionError, Email, Model
from generator.config.shop import Autoscaling, Replicas, Resources, quota

SHUTDOWN_MANAGER = Resources(cpu="10m", memory="128Mi")  # Envoy Gateway's sidecar of each proxy
FLOOD = 10  # times the limit of the edge itself


class RateLimit(Model):
    """What one client address may ask of the edge."""

    requests_per_second: int = Field(default=200, ge=1, le=10_000, description="Storefront and catalogue")
    checkouts_per_minute: int = Field(default=300, ge=1, le=10_000, description="Login and checkout")

    @property
    def flood(self) -> int:
        """Requests of one address in five minutes for which the load balancer's firewall shuts it out.

        Ten times what the edge lets through: a mobile carrier has thousands of customers behind an address,
        and for them the edge's own limit, which lets the others in as room comes, is the better one.
        """
        return FLOOD * self.requests_per_second * 300


class Certificates(Model):
    """Let's Encrypt by DNS-01."""

    issuer: Literal["letsencrypt-staging", "letsencrypt-production"] = Field(
        description="The staging authority is not trusted by browsers and has no strict limits"
    )
    email: Email = Field(description="Where expiry warnings go, and alarms of AWS itself")


class NodePorts(Model):
    """Fixed ports on every node: the load balancer's target group points at them."""

    http: int = Field(default=30080, ge=30000, le=32767, description="Plain HTTP: only redirects")
    https: int = Field(default=30443, ge=30000, le=32767, description="TLS up to the cluster's edge")

    @model_validator(mode="after")
    def _distinct(self) -> NodePorts:
        if self.http == self.https:
            raise ContradictionError(
                f"`http` and `https` are both {self.http}", "a port serves one of them", "https", "http"
            )
        return self


class Proxies(Model):
    """The Envoy proxies that every request passes."""

    replicas: Replicas = Field(default=Replicas(min=2, max=6), description="How many pods")
    resources: Resources = Field(
        default=Resources(cpu="500m", memory="512Mi"), description="What one pod is given"
    )
    autoscaling: Autoscaling = Field(default_factory=Autoscaling, description="When pods are added")

    @property
    def most_pods(self) -> int:
        """Pods at once at most: all made anew by a rollout, while the old ones drain for a minute."""
        return 2 * self.replicas.max


class Edge(Model):
    """The way in."""

    certificates: Certificates = Field(description="TLS at the cluster's edge")
    node_ports: NodePorts = Field(default_factory=NodePorts, description="Where the load balancer finds it")
    rate_limit: RateLimit = Field(default_factory=RateLimit, description="Limits for one client")
    proxies: Proxies = Field(default_factory=Proxies, description="The Envoy proxies")

    @property
    def health_path(self) -> str:
        """Where the proxies themselves answer the load balancer's health check, whatever the host name."""
        return "/edge-health"

    @property
    def requests_per_second_per_proxy(self) -> int:
        """A client's share of the limit at one proxy: each counts for itself, the load balancer uses all."""
        return math.ceil(self.rate_limit.requests_per_second / self.proxies.replicas.min)

    @property
    def checkouts_per_minute_per_proxy(self) -> int:
        """The same for login and checkout."""
        return math.ceil(self.rate_limit.checkouts_per_minute / self.proxies.replicas.min)

    @property
    def quota(self) -> dict[str, str]:
        """The namespace's quota: every proxy with its sidecar, and the two node ports of their Service."""
        containers = (self.proxies.resources, SHUTDOWN_MANAGER)
        return quota((self.proxies.most_pods, containers)) | {"services.nodeports": "2"}
