"""An S3 bucket as all of ours are: private, encrypted, versioned, by TLS only; nothing old stays for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_object_lock_configuration import (
    S3BucketObjectLockConfigurationA,
    S3BucketObjectLockConfigurationRuleA,
    S3BucketObjectLockConfigurationRuleDefaultRetentionA,
)
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)

from dhakacart_infra import tf
from dhakacart_infra.policies import document, statement
from dhakacart_infra.stacks.base import Stack

ABORT_UPLOADS_DAYS = 2


@dataclass(frozen=True, slots=True)
class Lock:
    """For how many days no version of an object can be deleted: by nobody, or but for a special right."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    days: int


def bucket(
    stack: Stack,
    purpose: str,
    name: str,
    key_arn: str | None,
    *,
    keep: bool,
    old_versions_days: int,
    expiry_days: int | None = None,
    lock: Lock | None = None,
    writers: Sequence[Mapping[str, Any]] = (),
) -> S3Bucket:
    """The bucket and all that belongs to it; resource ids begin with `purpose`.

    `expiry_days` is the age at which objects are deleted, `old_versions_days` how long what was deleted or
    replaced can be had back. With `keep` the bucket cannot be destroyed. Without `key_arn` S3's own key
    encrypts, for services that can use no other; `writers` are what its policy allows such services.
    """
    made = S3Bucket(
        stack,
        f"{purpose}-bucket",
        bucket=name,
        object_lock_enabled=lock is not None,
        lifecycle=tf.TerraformResourceLifecycle(prevent_destroy=keep),
    )
    versioning = S3BucketVersioningA(
        stack,
        f"{purpose}-bucket-versioning",
        bucket=made.id,
        versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
    )
    _closed(stack, purpose, made, writers)
    _encrypted(stack, purpose, made, key_arn)
    S3BucketLifecycleConfiguration(
        stack,
        f"{purpose}-bucket-lifecycle",
        bucket=made.id,
        rule=_rules(old_versions_days, expiry_days),
        depends_on=[versioning],
    )
    if lock is not None:
        _locked(stack, purpose, made, lock, versioning)
    return made


def _closed(stack: Stack, purpose: str, made: S3Bucket, writers: Sequence[Mapping[str, Any]]) -> None:
    """Nothing public, no lists of rights on objects, no connection that can be read on the way."""
    public = S3BucketPublicAccessBlock(
        stack,
        f"{purpose}-bucket-public-access",
        bucket=made.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    S3BucketOwnershipControls(
        stack,
        f"{purpose}-bucket-ownership",
        bucket=made.id,
        rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
    )
    everything = [made.arn, f"{made.arn}/*"]
    S3BucketPolicy(
        stack,
        f"{purpose}-bucket-policy",
        bucket=made.id,
        policy=document(
            statement(
                ["s3:*"],
                everything,
                {"Bool": {"aws:SecureTransport": "false"}},
                effect="Deny",
                sid="TlsOnly",
                principal="*",
            ),
            statement(
                ["s3:*"],
                everything,
                {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
                effect="Deny",
                sid="ModernTlsOnly",
                principal="*",
            ),
            *writers,
        ),
        depends_on=[public],  # S3 takes one of the two at a time
    )


def _encrypted(stack: Stack, purpose: str, made: S3Bucket, key_arn: str | None) -> None:
    S3BucketServerSideEncryptionConfigurationA(
        stack,
        f"{purpose}-bucket-encryption",
        bucket=made.id,
        rule=[
            S3BucketServerSideEncryptionConfigurationRuleA(
                bucket_key_enabled=key_arn is not None,  # one request to KMS for many objects
                apply_server_side_encryption_by_default=(
                    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        sse_algorithm="aws:kms" if key_arn else "AES256", kms_master_key_id=key_arn
                    )
                ),
            )
        ],
    )


def _locked(stack: Stack, purpose: str, made: S3Bucket, lock: Lock, versioning: S3BucketVersioningA) -> None:
    S3BucketObjectLockConfigurationA(
        stack,
        f"{purpose}-bucket-lock",
        bucket=made.id,
        rule=S3BucketObjectLockConfigurationRuleA(
            default_retention=S3BucketObjectLockConfigurationRuleDefaultRetentionA(
                mode=lock.mode, days=lock.days
            )
        ),
        depends_on=[versioning],
    )


def _rules(old_versions_days: int, expiry_days: int | None) -> list[S3BucketLifecycleConfigurationRule]:
    whole = [S3BucketLifecycleConfigurationRuleFilter(prefix="")]
    rules = [
        S3BucketLifecycleConfigurationRule(
            id="leftovers",
            status="Enabled",
            filter=whole,
            noncurrent_version_expiration=[
                S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                    noncurrent_days=old_versions_days
                )
            ],
            abort_incomplete_multipart_upload=[
                S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                    days_after_initiation=ABORT_UPLOADS_DAYS
                )
            ],
        )
    ]
    if expiry_days is not None:
        rules.append(
            S3BucketLifecycleConfigurationRule(
                id="expiry",
                status="Enabled",
                filter=whole,
                expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=expiry_days)],
            )
        )
    return rules
