"""A KMS key: rotated every year, used by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey

from dhakacart_infra import tf
from dhakacart_infra.policies import document, statement
from dhakacart_infra.stacks.base import Stack

USE = ("kms:Decrypt", "kms:GenerateDataKey*")


def key(
    stack: Stack, name: str, alias: str, description: str, *users: Mapping[str, Any], keep: bool
) -> KmsKey:
    """The key and its alias. Its policy leaves it to IAM who may use it; `users` are statements beside that.

    With `keep` it cannot be destroyed: nobody could ever read again what it encrypts.
    """
    account = statement(
        ["kms:*"], ["*"], sid="Account", principal={"AWS": f"arn:aws:iam::{stack.names.account}:root"}
    )
    made = KmsKey(
        stack,
        f"{name}-key",
        description=description,
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=document(account, *users),
        lifecycle=tf.TerraformResourceLifecycle(prevent_destroy=keep),
        tags=stack.named(f"{name}-key"),
    )
    KmsAlias(stack, f"{name}-key-alias", name=alias, target_key_id=made.key_id)
    return made
