"""The codes that the schema checks report, with the words of their documentation pages."""

from __future__ import annotations

from generator.check.rule import register

MISMATCH = register(
    "DC-SCH-001",
    "An object does not match the schema of its kind",
    """
    Every built-in object matches the strict JSON Schema of the environment's Kubernetes version, every custom
    resource the one derived from its CustomResourceDefinition. Unknown fields are errors.

    Why: Kubernetes drops a field that it does not know unless asked to be strict, and Argo CD then reports
    success. A ClusterRole with `spec` grants nothing; a NetworkPolicy with `to` under `ingress` lets
    everybody in.

    Fix: correct the field that the message names, in the template that it names.

    Sources: the Kubernetes API of that version (PyPI package kubernetes-validate), the CRDs of the
    pinned charts.
    """,
).code

UNKNOWN_KIND = register(
    "DC-SCH-002",
    "No schema is known for an object",
    """
    Each object's `apiVersion` and `kind` are of the environment's Kubernetes version or of a known
    CustomResourceDefinition.

    Why: an API that was removed, misspelt or never installed is refused by the cluster, late.

    Fix: write the apiVersion that the hint names. For a new operator, add its CustomResourceDefinitions to
    `generator/check/crd-checksums.json` (docs/schemas.md).
    """,
).code

NO_CRDS = register(
    "DC-SCH-003",
    "CustomResourceDefinitions are missing or cannot be read",
    """
    Custom resources are checked against their CustomResourceDefinitions, which are not part of this
    repository.

    Why: a custom resource that nobody checked fails in the cluster, where the operator drops or refuses it.

    Fix: `make schemas` fetches them, or name a folder of `<group>/<plural>.yaml` in CRD_MANIFESTS.
    """,
).code

NAME = register(
    "DC-SCH-004",
    "A name, label or annotation key is not well-formed",
    """
    Names follow the rules of their kind; label keys and values and annotation keys are qualified names of at
    most 63 characters, with a domain name before the slash.

    Why: schemas do not say so, but the API server refuses the object.

    Fix: shorten or rename it. Free text belongs into annotations.

    Sources: kubernetes.io, "Object Names and IDs" and "Labels and Selectors".
    """,
).code

KUBECONFORM = register(
    "DC-SCH-005",
    "kubeconform refuses an object",
    """
    kubeconform, where it is on the PATH, reads the same schemas with other code and agrees.

    Why: two independent readers of one schema catch the mistakes of either.

    Fix: correct the field that the message names. If only kubeconform complains, this program has
    a fault.
    """,
).code

NO_VERSION = register(
    "DC-SCH-006",
    "There are no schemas of this Kubernetes version",
    """
    `cluster.version` is a version whose schemas the pinned package kubernetes-validate carries.

    Why: without schemas nothing would be checked.

    Fix: write one of the versions that the hint lists, or raise the package's version.
    """,
).code

FETCH = register(
    "DC-SCH-007",
    "A CustomResourceDefinition could not be fetched, or is not the one expected",
    """
    `make schemas` fetches the CustomResourceDefinitions of the pinned versions and compares checksums.

    Why: what is fetched decides what passes; a changed file must not slip in.

    Fix: try again when online, or name a folder in CRD_MANIFESTS. A wrong checksum means that upstream
    changed a released file: look at why before you accept it.
    """,
).code
