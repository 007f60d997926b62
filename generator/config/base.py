"""The scalars of an environment file: strict, closed, each with the words of its own error message."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from ipaddress import IPv4Network
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic.alias_generators import to_camel

CPU = re.compile(r"^(?:[1-9]\d*m|\d+(?:\.\d{1,3})?)$")
BYTES = re.compile(r"^[1-9]\d*(?:Ki|Mi|Gi|Ti)$")
DURATION = re.compile(r"^[1-9]\d*[smhdw]$")
HOST = re.compile(r"^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")
DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
NAME = re.compile(r"^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$")
ACCOUNT = re.compile(r"^\d{12}$")
MINOR = re.compile(r"^1\.\d\d$")
TAG = re.compile(r"^(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*\.[a-z]{2,}$")
CHANNEL = re.compile(r"^#[a-z0-9_-]{1,79}$")
REPOSITORY = re.compile(r"^(?:https|ssh|file)://[^\s@]*@?[^\s@]+\.git$")
REVISION = re.compile(r"^(?!HEAD$)[A-Za-z0-9][A-Za-z0-9._/-]*$")
BYTE_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class ContradictionError(ValueError):
    """Two values that cannot both hold. `keys` are theirs, as in the file; the first is to be edited."""

    def __init__(self, message: str, hint: str, *keys: str) -> None:
        super().__init__(message)
        self.hint = hint
        self.keys = keys


class Model(BaseModel):
    """A closed, strict, frozen part of the config. Keys are camelCase in YAML and snake_case in Python."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        defer_build=True,  # parts are built with the whole that they belong to
    )


def millicores(cpu: str) -> int:
    """CPU quantity → thousandths of a core: "500m" → 500, "1.5" → 1500."""
    return int(cpu[:-1]) if cpu.endswith("m") else int(Decimal(cpu) * 1000)


def byte_count(size: str) -> int:
    """Memory or storage quantity → bytes: "512Mi" → 536870912."""
    return int(size[:-2]) * BYTE_UNITS[size[-2:]]


def seconds(duration: str) -> int:
    """Duration → seconds: "14d" → 1209600."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(what)
        return text

    return check


def _number_as_text(value: Any) -> Any:
    """`cpu: 1` and `cpu: 0.5` are what people write; keep Kubernetes' text form."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _positive_cpu(text: str) -> str:
    if not CPU.fullmatch(text) or millicores(text) == 0:
        raise ValueError('a CPU quantity is like 500m, 1 or "1.5", and more than nothing')
    return text


def _network(text: str) -> str:
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        network = None
    if network is None or "/" not in text:
        raise ValueError("a network is four numbers up to 255 and a prefix length, like 10.30.0.0/16")
    if str(network) != text:
        raise ValueError(f"bits are set behind the prefix length: the network is {network}")
    return text


Cpu = Annotated[
    str,
    BeforeValidator(_number_as_text),
    AfterValidator(_positive_cpu),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": CPU.pattern,
            "exclusiveMinimum": 0,
            "examples": ["500m", 1],
        }
    ),
]
Size = Annotated[
    str,
    AfterValidator(_matching(BYTES, "a size is a whole number with Ki, Mi, Gi or Ti, like 512Mi or 100Gi")),
    WithJsonSchema({"type": "string", "pattern": BYTES.pattern, "examples": ["512Mi"]}),
]
Duration = Annotated[
    str,
    AfterValidator(_matching(DURATION, "a duration is a whole number with s, m, h, d or w, like 30d")),
    WithJsonSchema({"type": "string", "pattern": DURATION.pattern, "examples": ["30d"]}),
]
Host = Annotated[
    str,
    AfterValidator(_matching(HOST, "a host is lower-case labels joined by dots, like dhakacart.com.bd")),
    WithJsonSchema({"type": "string", "pattern": HOST.pattern, "examples": ["dhakacart.com.bd"]}),
]
Cidr = Annotated[
    str,
    AfterValidator(_network),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d+\.\d+\.\d+/\d+$", "examples": ["10.30.0.0/16"]}),
]
Digest = Annotated[
    str,
    AfterValidator(_matching(DIGEST, "a digest is sha256: and 64 hexadecimal digits in lower case")),
    WithJsonSchema({"type": "string", "pattern": DIGEST.pattern, "examples": ["sha256:" + 64 * "0"]}),
]
EnvironmentName = Annotated[
    str,
    AfterValidator(
        _matching(NAME, "a name is 1 to 20 lower-case letters, digits and dashes, starting with a letter")
    ),
    WithJsonSchema({"type": "string", "pattern": NAME.pattern, "examples": ["prod"]}),
]
Account = Annotated[
    str,
    AfterValidator(_matching(ACCOUNT, 'an AWS account is 12 digits in quotes, like "111122223333"')),
    WithJsonSchema({"type": "string", "pattern": ACCOUNT.pattern, "examples": ["111122223333"]}),
]
KubernetesMinor = Annotated[
    str,
    AfterValidator(_matching(MINOR, 'a Kubernetes version is a minor version in quotes, like "1.35"')),
    WithJsonSchema({"type": "string", "pattern": MINOR.pattern, "examples": ["1.35"]}),
]
Tag = Annotated[
    str,
    AfterValidator(_matching(TAG, 'a tag names one release, like "1.4.2"; `latest` names none')),
    WithJsonSchema({"type": "string", "pattern": TAG.pattern, "examples": ["1.4.2"]}),
]
Email = Annotated[
    str,
    AfterValidator(_matching(EMAIL, "an e-mail address is like ops@dhakacart.com.bd")),
    WithJsonSchema({"type": "string", "pattern": EMAIL.pattern, "examples": ["ops@dhakacart.com.bd"]}),
]
Channel = Annotated[
    str,
    AfterValidator(
        _matching(CHANNEL, 'a Slack channel is # and lower-case letters, digits, - or _, like "#ops"')
    ),
    WithJsonSchema({"type": "string", "pattern": CHANNEL.pattern, "examples": ["#dhakacart-ops"]}),
]
Repository = Annotated[
    str,
    AfterValidator(_matching(REPOSITORY, "a repository is an https, ssh or file address that ends in .git")),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": REPOSITORY.pattern,
            "examples": ["https://github.com/dhakacart/platform.git"],
        }
    ),
]
Revision = Annotated[
    str,
    AfterValidator(
        _matching(REVISION, "a revision is the name of a branch or tag, like main; HEAD names neither")
    ),
    WithJsonSchema({"type": "string", "pattern": REVISION.pattern, "examples": ["main"]}),
]
