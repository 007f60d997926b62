"""What every stack has: its provider, its state, its tags."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags

from dhakacart_infra import tf
from generator.config.infrastructure import Infrastructure

TERRAFORM = ">= 1.10"
"""The first that locks state in S3 by itself."""


class Stack(tf.TerraformStack):
    """A lifecycle of one environment. `lifecycle` names its state, its folder and its tag.

    `bounded` says whether its roles get the permissions boundary, without which workflows can make none.
    """

    bounded = True

    def __init__(self, scope: tf.Construct, infrastructure: Infrastructure, lifecycle: str) -> None:
        super().__init__(scope, f"{infrastructure.name}-{lifecycle}")
        self.infrastructure = infrastructure
        self.names = infrastructure.names
        self.zones = infrastructure.aws.network.zones
        self.tags = {
            "Project": "dhakacart",
            "Environment": infrastructure.name,
            "Stack": lifecycle,
            "ManagedBy": "terraform",
            "Repository": infrastructure.repository,
        }
        AwsProvider(
            self,
            "aws",
            region=infrastructure.aws.region,
            allowed_account_ids=[infrastructure.aws.account],
            default_tags=[AwsProviderDefaultTags(tags=self.tags)],
        )
        tf.S3Backend(
            self,
            bucket=self.names.state_bucket,
            key=f"{lifecycle}.tfstate",
            region=infrastructure.aws.region,
        )  # not `encrypt`: that asks for AES256, and without it the bucket's own KMS key is used
        self.add_override("terraform.backend.s3.use_lockfile", True)
        self.add_override("terraform.required_version", TERRAFORM)
        # Exactly the version of the bindings; "aws" alone would be taken for the same source.
        self.add_override(
            "terraform.required_providers.aws", {"source": "hashicorp/aws", "version": tf.VERSION}
        )

    def bind_roles(self) -> None:
        """Give every role the permissions boundary; to be called when the stack is complete."""
        for construct in self.node.find_all() if self.bounded else ():
            if isinstance(construct, IamRole):
                construct.permissions_boundary = self.names.boundary_arn

    def zone_name(self, zone: str) -> str:
        """The full name of a zone given by its letter."""
        return f"{self.infrastructure.aws.region}{zone}"

    def named(self, name: str) -> dict[str, str]:
        """The tag that AWS' console shows."""
        return {"Name": f"{self.names.cluster}-{name}"}
