"""What is there before any other stack: the state's bucket, and the roles that workflows plan and apply with.

A person with administrator's rights applies it, once an account and whenever it changes; no workflow can,
for its role may not touch its own rights. The bucket that its state belongs in is its own, so the first time
goes in two steps, in the stack's folder. With this file beside cdk.tf.json, as backend_override.tf.json,

    {"terraform": {"backend": {"local": {}}}}

`terraform init` and `terraform apply` keep the state in the folder. Then remove that file, and
`terraform init -migrate-state` moves the state into the bucket; delete terraform.tfstate* afterwards.

An account holds one environment: it can have GitHub's identity provider only once.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment

from dhakacart_infra import tf
from dhakacart_infra.constructs import deployers
from dhakacart_infra.constructs.bucket import bucket
from dhakacart_infra.constructs.key import key
from dhakacart_infra.policies import document
from dhakacart_infra.stacks.base import Stack
from generator.config.infrastructure import Infrastructure

GITHUB = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
OLD_STATES_DAYS = 90
PLAN_SECONDS = 3600
APPLY_SECONDS = 2 * 3600
"""A Multi-AZ database and an upgrade of EKS take more than an hour together."""


class Bootstrap(Stack):
    """The state's bucket, GitHub's identity provider, the two roles, the boundary of all others."""

    bounded = False

    def __init__(self, scope: tf.Construct, infrastructure: Infrastructure) -> None:
        super().__init__(scope, infrastructure, "bootstrap")
        self._key = key(
            self, "state", self.names.state_key, "Terraform's state of this environment", keep=True
        )
        bucket(
            self,
            "state",
            self.names.state_bucket,
            self._key.arn,
            keep=True,
            old_versions_days=OLD_STATES_DAYS,
        )
        self._boundary = IamPolicy(
            self,
            "boundary",
            name=self.names.boundary,
            description="The most that a role made by a deployment can do",
            policy=deployers.boundary_policy(infrastructure),
        )
        if infrastructure.token_subject:  # else workflows run elsewhere, and people apply
            self._workflows()

    def _workflows(self) -> None:
        of = self.infrastructure
        self._provider = IamOpenidConnectProvider(
            self, "github", url=f"https://{GITHUB}", client_id_list=[AUDIENCE], tags=self.named("github")
        )
        plan = self._role("plan", "pull_request", PLAN_SECONDS)
        self._may(plan, "plan", "settings", deployers.plan_policy(of))
        self._may(plan, "plan", "state", deployers.state_policy(of, self._key.arn, write=False))
        apply = self._role("apply", f"environment:{of.name}", APPLY_SECONDS)
        self._may(apply, "apply", "services", deployers.apply_policy(of))
        self._may(apply, "apply", "identity", deployers.apply_identity_policy(of))
        self._may(apply, "apply", "state", deployers.state_policy(of, self._key.arn, write=True))
        own = [
            plan.arn,
            apply.arn,
            *(
                f"arn:aws:iam::{of.aws.account}:policy/{self.names.own(policies)}"
                for policies in ("plan-*", "apply-*")
            ),
            self._boundary.arn,
            self._provider.arn,
        ]
        self._may(apply, "apply", "limits", deployers.apply_limits(of, own, self._key.arn))

    def _role(self, name: str, subject: str, seconds: int) -> IamRole:
        """A role for this repository's workflows in one situation, and for nobody else: no pattern in it."""
        trust = {
            "Effect": "Allow",
            "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Principal": {"Federated": self._provider.arn},
            "Condition": {
                "StringEquals": {
                    f"{GITHUB}:aud": AUDIENCE,
                    f"{GITHUB}:sub": f"{self.infrastructure.token_subject}:{subject}",
                }
            },
        }
        role = IamRole(
            self,
            f"{name}-role",
            name=self.names.role(name),
            description=f"Workflows of {self.infrastructure.repository}: {name}",
            assume_role_policy=document(trust),
            max_session_duration=seconds,
        )
        tf.TerraformOutput(self, f"{name}_role_arn", value=role.arn, static_id=True)
        return role

    def _may(self, role: IamRole, name: str, what: str, policy: str) -> None:
        made = IamPolicy(self, f"{name}-{what}", name=self.names.own(f"{name}-{what}"), policy=policy)
        IamRolePolicyAttachment(self, f"{name}-{what}-of-role", role=role.name, policy_arn=made.arn)
