"""Images: which, from where, and whether they exist."""

from __future__ import annotations

from generator.check.index import SHOP_WORKLOADS, Index
from generator.check.rule import Finding, Findings, container_rule, environment_rule
from generator.check.shape import text
from generator.check.view import Container
from generator.config.base import DIGEST
from generator.config.names import REGISTRY
from generator.problem import Place

UNPUBLISHED = "sha256:" + "0" * 64


@container_rule("DC-IMG-001", "Images are named by digest")
def by_digest(container: Container, _index: Index) -> Findings:
    """`image` must end in `@sha256:` and 64 hexadecimal digits; a tag may stand before it, for people.

    Why: a tag is a name that can be moved: two pods of one Deployment may run different programs.

    Fix: `registry/name:1.4.2@sha256:…`, as the publishing workflow prints it.

    Sources: CKV_K8S_43, CKV_K8S_14; KSV-0013; kube-linter latest-tag.
    """
    image = text(container.body.get("image"))
    if not DIGEST.fullmatch(image.partition("@")[2]):
        yield Finding(
            f"container {container.name} runs {image or 'no image'}, not a digest", "add `@sha256:…`"
        )


@container_rule("DC-IMG-002", "Images come from our registry")
def trusted_registry(container: Container, _index: Index) -> Findings:
    """`image` must start with the project's registry.

    Why: only what our workflow built, scanned and signed may run; a public image can be taken over or taken
    down.

    Fix: publish the image there first. Images of Helm charts are set in the charts' values and checked
    there.

    Sources: KSV-0125; C-0078.
    """
    image = text(container.body.get("image"))
    if not image.startswith(f"{REGISTRY}/"):
        yield Finding(
            f"container {container.name} runs {image or 'no image'}", f"publish it to {REGISTRY}/ first"
        )


@container_rule("DC-IMG-003", "Nodes may pull the images that they lack")
def never_pulled(container: Container, _index: Index) -> Findings:
    """`imagePullPolicy` must not be `Never`.

    Why: a new node has no image, so the pods that autoscaling brings it never start.

    Fix: `imagePullPolicy: IfNotPresent`, which is right for a digest.

    Sources: the previous repository had two of them; CKV_K8S_15 is its neighbour.
    """
    if container.body.get("imagePullPolicy") == "Never":
        yield Finding(
            f"container {container.name} is never pulled, so it starts on no new node",
            "write `imagePullPolicy: IfNotPresent`",
        )


@environment_rule("DC-IMG-004", "Images have been published", severity="warning")
def unpublished(index: Index) -> Findings:
    """The digest must not be all zeros, which stands for "not published yet".

    Why: no registry has such an image, so its pods wait for ever with ImagePullBackOff.

    Fix: let the workflow publish the image, and write its digest into the environment file.

    Sources: the convention of this repository's environment files.
    """
    seen: set[str] = set()
    for pod in index.pods:
        for container in pod.containers:
            image = text(container.body.get("image"))
            if image.endswith(UNPUBLISHED) and image not in seen:
                seen.add(image)
                yield Finding(
                    f"the image {image.partition('@')[0]} was not published yet: its digest is all zeros",
                    "publish it, and write the digest that the workflow prints",
                    where=_digest_place(index, pod.obj.app, image),
                    obj=pod.obj,
                )


def _digest_place(index: Index, app: str, image: str) -> Place | None:
    """The line of the environment file with this image's digest, if it came from there."""
    name = image.partition("@")[0].partition(":")[0].rpartition("/")[2]
    shop = index.environment.shop
    digests = {"backend": shop.backend.image.digest, "frontend": shop.frontend.image.digest}
    workloads = [workload for workload, digest in digests.items() if image.endswith(digest)]
    named = [workload for workload in workloads if workload in name or SHOP_WORKLOADS.get(app) == workload]
    for workload in named or workloads:
        return index.rendered.config.place("shop", workload, "image", "digest")
    return None
