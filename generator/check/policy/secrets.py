"""Secrets: none in Git, and each one that is referred to has a source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.check.index import Index, remote_references
from generator.check.rule import Finding, Findings, container_rule, environment_rule, object_rule
from generator.check.shape import dig, mapping, maps, string_map, text, texts
from generator.check.view import Container
from generator.config.environment import PAYMENTS
from generator.problem import Place
from generator.render.model import Obj

NAME = re.compile(
    r"(?:^|[_.-])(?:password|passwd|passphrase|secret|token|credentials?"
    r"|(?:api|access|auth|private|secret|signing|session|ticket|encryption|ssh)[_.-]?key)$",
    re.IGNORECASE,
)
VALUES_NAME = re.compile(r"(?:password|passwd|passphrase|token)$", re.IGNORECASE)
LINE = re.compile(
    r"^[ \t]*[\"']?(?:export[ \t]+)?[\w.-]*"
    r"(?:password|passwd|secret_?key|access_?key|api_?key|auth_?token|client_?secret)"
    r"[\"']?[ \t]*[:=][ \t]*[\"']?(?![$/{<\s\"']|env\(|sys\.env\(|true\b|false\b|null\b)\S",
    re.IGNORECASE | re.MULTILINE,
)
LINE_HINTS = ("passw", "key", "token", "secret")
# A part that is always there, looked for first because that is fast; the shape; what it is.
SHAPES = (
    ("AKIA", re.compile(r"\bAKIA[0-9A-Z]{16}\b"), "an AWS access key"),
    ("ASIA", re.compile(r"\bASIA[0-9A-Z]{16}\b"), "an AWS session key"),
    ("PRIVATE KEY-----", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    ("eyJ", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"), "a JSON web token"),
    ("xox", re.compile(r"\bxox[abeoprs]-[\w-]{10,}"), "a Slack token"),
    ("hooks.slack.com/", re.compile(r"hooks\.slack\.com/services/T\w+/B\w+/\w+"), "a Slack webhook"),
    ("gh", re.compile(r"\bgh[oprsu]_[A-Za-z0-9]{36}\b"), "a GitHub token"),
    ("://", re.compile(r"://[^\s:/@$]+:[^\s:/@$]+@"), "an address with a password"),
)
STORES = {"SecretStore": True, "ClusterSecretStore": False}


def _shape(value: str) -> str:
    """What secret `value` holds, by its look; empty if none."""
    return next((what for hint, shape, what in SHAPES if hint in value and shape.search(value)), "")


def _secret_line(value: str) -> str:
    """The first line of a config file that sets a password or key to a literal; empty if none."""
    lower = value.lower()
    if not any(hint in lower for hint in LINE_HINTS):
        return ""
    found = LINE.search(value)
    return re.split("[:=]", found.group(), maxsplit=1)[0].strip(" \t\"'") if found else ""


def _is_literal(value: str) -> bool:
    """Whether `value` may be a secret itself, not a path, a reference or a switch."""
    return bool(value) and value.lower() not in ("true", "false") and not value.startswith(("/", "$"))


@object_rule("DC-SEC-001", "No Secret is in Git", kinds=("Secret",))
def secret_object(_obj: Obj, _index: Index) -> Findings:
    """No object of kind Secret may be rendered.

    Why: base64 is no encryption, and Git never forgets.

    Fix: put the value into AWS Secrets Manager and render an ExternalSecret.

    Sources: KSV-0109; C-0012; the previous repository had three, with AWS keys among them.
    """
    yield Finding(
        "a Secret would be committed to Git",
        "put the value into AWS Secrets Manager, render an ExternalSecret",
    )


@container_rule("DC-SEC-002", "No secret is written into a container")
def literal_in_container(container: Container, _index: Index) -> Findings:
    """No environment variable with a secret's name (`…_PASSWORD`, `…_TOKEN`, `…_API_KEY`) may have a
    literal value, and no variable or argument may look like a key, token or private key.

    Why: everyone who may read the Deployment, or the Git repository, has it.

    Fix: mount the Secret, and give its path in a variable named `…_FILE`.

    Sources: KSV-0109; C-0012; polaris sensitiveContainerEnvVar.
    """
    for variable in maps(container.body.get("env")):
        name, value = text(variable.get("name")), text(variable.get("value"))
        what = _shape(value) or ("a secret" if _is_literal(value) and NAME.search(name) else "")
        if what:
            yield Finding(
                f"variable {name} of container {container.name} holds {what}",
                f"mount it, and set {name}_FILE to the path",
            )
    for key in ("command", "args"):
        for argument in texts(container.body.get(key)):
            if what := _shape(argument):
                yield Finding(f"{key} of container {container.name} hold {what}", "mount it as a file")


@object_rule("DC-SEC-003", "No secret is in a ConfigMap", kinds=("ConfigMap",))
def literal_in_config_map(obj: Obj, _index: Index) -> Findings:
    """No entry of a ConfigMap may have a secret's name, hold a line that sets one, or look like one.

    Why: ConfigMaps are readable by nearly everyone, and this one is in Git.

    Fix: an ExternalSecret; config files refer to it by path or variable (`password_file`, `$SLACK_TOKEN`).

    Sources: KSV-01010; C-0012.
    """
    for name, value in string_map(obj.body.get("data")).items():
        what = _shape(value) or ("a secret" if NAME.search(name) and _is_literal(value) else "")
        if what:
            yield Finding(f"entry {name} holds {what}", "use an ExternalSecret, and refer to it by path")
        elif line := _secret_line(value):
            yield Finding(f"entry {name} sets `{line}` to a literal", "refer to a file or variable instead")


@container_rule("DC-SEC-004", "Secrets reach programs as files")
def secret_in_variable(container: Container, _index: Index) -> Findings:
    """`env` and `envFrom` must not take values from a Secret.

    Why: variables are inherited by child processes, shown by debuggers and crash reports, and never change
    while the pod lives; a mounted file follows a rotation.

    Fix: mount the Secret as a volume, and give its path in a variable named `…_FILE`.

    Sources: CKV_K8S_35.
    """
    names = [
        text(item.get("name"))
        for item in maps(container.body.get("env"))
        if dig(item, "valueFrom", "secretKeyRef")
    ]
    if any(item.get("secretRef") for item in maps(container.body.get("envFrom"))):
        names.append("envFrom")
    if names:
        yield Finding(
            f"container {container.name} takes {', '.join(names)} from a Secret as variables",
            "mount the Secret as files",
        )


@object_rule("DC-SEC-005", "Every ExternalSecret names a store that exists", kinds=("ExternalSecret",))
def missing_store(obj: Obj, index: Index) -> Findings:
    """`spec.secretStoreRef` must name a rendered ClusterSecretStore, or a SecretStore of the same namespace.

    Why: otherwise the Secret is never written, and the pods that mount it never start.

    Fix: correct the name, or add the store to the app `secrets`.

    Sources: https://external-secrets.io/latest/api/externalsecret/
    """
    reference = mapping(dig(obj.body, "spec", "secretStoreRef"))
    kind, name = text(reference.get("kind")) or "SecretStore", text(reference.get("name"))
    namespace = obj.namespace if STORES.get(kind) else ""
    if index.get(kind, namespace, name) is None:
        yield Finding(f"there is no {kind} {name or 'named'}", "correct `secretStoreRef`, or add the store")


@object_rule("DC-SEC-006", "Every ExternalSecret reads an entry that exists", kinds=("ExternalSecret",))
def unknown_entry(obj: Obj, index: Index) -> Findings:
    """`remoteRef.key` must be a name that `generator/config/names.py` gives and this environment needs, with
    a `property` that it lists.

    Why: the infrastructure makes exactly those entries in AWS Secrets Manager, and the operator may read no
    others.

    Fix: write `names.secret("…")` in the template, and add new names or properties to `SECRETS`.

    Sources: the contract between manifests and infrastructure in this repository.
    """
    names = index.environment.names
    known = {names.secret(name): keys for name, keys in index.environment.secrets.items()}
    for reference in remote_references(obj):
        key, entry = text(reference.get("key")), reference.get("property")
        if key not in known:
            yield Finding(
                f"it reads {key or 'nothing'}, which is not an entry of this environment",
                f"known are: {', '.join(sorted(known))}",
            )
        elif entry is not None and entry not in known[key]:
            yield Finding(f"{key} has no property {entry}", f"it has: {', '.join(known[key])}")


@environment_rule("DC-SEC-008", "Every secret that is kept is read", kinds=("Environment",))
def orphaned_entry(index: Index) -> Findings:
    """Each key of each entry that the environment has (`Environment.secrets`) must be read by a rendered
    ExternalSecret. A provider's key is there only if `shop.payments` has the provider.

    Why: a secret that nobody reads is one that leaks unnoticed and is never rotated, and somebody had to
    make it up before the cluster could start.

    Fix: remove it from `SECRETS` in generator/config/names.py, or read it.

    Sources: the contract between manifests and infrastructure in this repository.
    """
    read = {
        (text(reference.get("key")), text(reference.get("property")))
        for obj in index.of("ExternalSecret")
        for reference in remote_references(obj)
    }
    payments, _ = index.lines(("shop", "payments"))
    for name, keys in index.environment.secrets.items():
        path = index.environment.names.secret(name)
        unread = [key for key in keys if not {(path, key), (path, "")} & read]
        if unread:
            yield Finding(
                f"nobody reads {', '.join(unread)} of {path}",
                "remove it from `SECRETS` in generator/config/names.py, or read it with an ExternalSecret",
                where=payments if name == PAYMENTS else Place("generator/config/names.py"),
            )


@object_rule("DC-SEC-009", "Only the operator reads secrets in AWS", kinds=tuple(STORES))
def foreign_store(obj: Obj, index: Index) -> Findings:
    """A store must be a ClusterSecretStore of Secrets Manager in the environment's region, without `auth`
    and `role`: then External Secrets reads as itself, with the one role that may (`read-secrets` in
    generator/config/workloads.py).

    Why: any other identity is a second way to the secrets, and keys for it would be a secret themselves.

    Fix: `provider: {aws: {service: SecretsManager, region: {{ env.aws.region }}}}` and no more.

    Sources: https://external-secrets.io/latest/provider/aws-secrets-manager/
    """
    aws = mapping(dig(obj.body, "spec", "provider", "aws"))
    region = index.environment.aws.region
    if obj.kind == "SecretStore":
        yield Finding("it is of one namespace", "use the ClusterSecretStore")
    if aws.get("service") != "SecretsManager" or aws.get("region") != region:
        yield Finding(
            "it does not read this environment's secrets", f"write service SecretsManager, region {region}"
        )
    for key in ("auth", "role"):
        if key in aws:
            yield Finding(f"`{key}` lets it read as somebody else", f"remove `{key}`")


@object_rule("DC-SEC-010", "The store serves the namespaces that read secrets", kinds=("ClusterSecretStore",))
def served_namespaces(obj: Obj, index: Index) -> Findings:
    """`conditions` of a ClusterSecretStore must list the namespaces that have an ExternalSecret of it, and no
    others.

    Why: without conditions whoever may write in any namespace reads every secret of the environment; a
    namespace that is not listed gets none, and its pods never start.

    Fix: correct `conditions: [{namespaces: […]}]`.

    Sources: https://external-secrets.io/latest/api/clustersecretstore/
    """
    conditions = maps(dig(obj.body, "spec", "conditions"))
    listed = {name for condition in conditions for name in texts(condition.get("namespaces"))}
    reading = {
        one.namespace
        for one in index.of("ExternalSecret")
        if dig(one.body, "spec", "secretStoreRef", "kind") == obj.kind
        and dig(one.body, "spec", "secretStoreRef", "name") == obj.name
    }
    if not conditions:
        yield Finding("it serves every namespace", f"list {', '.join(sorted(reading))} in `conditions`")
        return
    for name in sorted(reading - listed):
        yield Finding(f"an ExternalSecret of {name} uses it, which it does not serve", f"list {name}")
    for name in sorted(listed - reading):
        yield Finding(f"it serves {name}, where no ExternalSecret uses it", f"remove {name}")


@environment_rule("DC-SEC-007", "No secret is in a chart's values", kinds=("Values",))
def literal_in_values(index: Index) -> Findings:
    """No Helm value may be called a password or token and be a literal, or look like a key or token.

    Why: values are committed, and a chart writes them into a Secret or a Deployment that anyone can render.

    Fix: every chart used here takes the name of an existing Secret instead (`admin.existingSecret`,
    `existingSecretName`).

    Sources: the previous repository set Grafana's password to admin.
    """
    for app, values in index.rendered.values.items():
        for path, value in _leaves(values, ""):
            name = path.rpartition(".")[2]
            what = _shape(value) or ("a secret" if VALUES_NAME.search(name) and _is_literal(value) else "")
            if what:
                yield Finding(
                    f"value {path} of the chart holds {what}",
                    "name an existing Secret instead",
                    where=Place(f"apps/{app}/values.yaml.j2"),
                    app=app,
                )


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(dotted path, text) of every string below `value`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _leaves(item, f"{path}[{position}]")
