"""The YAML writer: what every reader reads back is what was meant."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from types import MappingProxyType
from typing import Any

import pytest
import ryaml
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.output.emit import UnwritableError, to_yaml

# Strings that one YAML reader or another takes for something else, or stumbles over.
TRICKY = (
    # YAML 1.1 booleans and null, in all their cases
    *("y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"),
    *("true", "True", "TRUE", "false", "False", "FALSE", "null", "Null", "NULL", "~", "", "yEs", "nULL"),
    # numbers: exponents, octal old and new, hexadecimal, binary, separators, sexagesimal, infinities
    *(
        "0",
        "00",
        "08",
        "010",
        "0o7",
        "0o17",
        "0x1F",
        "0b101",
        "1_000",
        "1e3",
        "1E5",
        "1e+3",
        "12e03",
        "685e-2",
    ),
    *("+1", "-1", "1.", ".5", "1.0", "-0.0", "+.inf", "-.inf", ".inf", ".Inf", ".nan", ".NaN", "inf", "nan"),
    *("1:30", "190:20:30", "20:30.15", "1,000", "0.", "1e", "e3", "12345678901234567890", "1d", "1f"),
    # dates, versions, quantities, digests
    *(
        "2026-11-22",
        "2026-11-22T10:00:00Z",
        "2001-12-14 21:59:43.10 -5",
        "1.10",
        "1.4.2",
        "100m",
        "512Mi",
        "1E",
    ),
    *(
        "30s",
        "5m",
        "1h",
        "15d",
        "0644",
        "sha256:" + "0" * 64,
        "ghcr.io/dhakacart/backend:1.4.2",
        "10.30.0.0/16",
    ),
    # indicators
    *("=", "<<", "-", "--", "---", "...", "- a", "-a", "?", "? a", ":", ": a", "a: b", "a:", "a:b", "a :b"),
    *(
        "#",
        "# a",
        "a # b",
        "a#b",
        "&a",
        "*a",
        "!a",
        "!!str a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "|-",
        "[a]",
        "{a: b}",
    ),
    *(
        "a, b",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
        "'a'",
        '"a"',
        "a'b",
        'a"b',
        "\\",
        "\\n",
        "a\\b",
        "$(A)",
        "{{ a }}",
    ),
    # white space and lines
    *(
        " ",
        "  ",
        " a",
        "a ",
        "\t",
        "\ta",
        "a\t",
        "a\tb",
        "\n",
        "\n\n",
        "a\n",
        "a\n\n",
        "a\n\n\n",
        "\na",
        "\n a",
    ),
    *(
        "a\nb",
        "a\nb\n",
        " a\nb",
        "a\n b",
        "a\n\nb",
        "a\n \nb",
        "a \nb",
        "a\nb ",
        "a\r\nb",
        "a\r",
        "a\tb\nc",
        "\ta\nb",
    ),
    *("a\n# b\n", "# a\nb: c\n", "---\na\n", "a\n---\nb\n...\n", "key: |\n  x\n", "a\n\t", "a\n\n ", "|\na"),
    # characters: control, line breaks of Unicode, invisible, right to left, beyond 16 bits, Bangla
    *(
        "\x00",
        "\x07",
        "\x1b[0m",
        "\x7f",
        "\x80",
        "\x85",
        "a\x85b",
        "\xa0",
        "\xad",
        "\u2028",
        "a\u2029b",
        "\ufeff",
    ),
    *(
        "\ufeffa\nb",
        "\u200b",
        "\u202eabc",
        "\ufffd",
        "\ufffe",
        "\uffff",
        "😀",
        "\U0001ffff",
        "\U000e0041",
        "é",
        "e\u0301",
    ),
    *("ঢাকা", "ক্\u200dষ", "র\u200cয", "ঢাকা\nকার্ট\n", "日本", "\u0660", "١", "a" * 5000, "word " * 500),
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
INT64 = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | INT64 | st.floats(allow_nan=False, allow_infinity=False) | TEXT
NEAR_YAML = st.text("01_:.-+~eEoxyYnN#&*!|>%@`'\"[]{},=<? \n\t\\", max_size=12)
VALUES = st.recursive(
    SCALARS | NEAR_YAML | st.sampled_from(TRICKY),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | NEAR_YAML, inner, max_size=4),
    max_leaves=12,
)


def exact(value: Any) -> str:
    """Tells 1 from 1.0 and from true, which `==` does not."""
    return json.dumps(value, sort_keys=True)


@given(st.dictionaries(TEXT | NEAR_YAML, VALUES, max_size=5))
def test_readers_of_both_yaml_versions_read_back_what_was_written(value: dict[str, Any]) -> None:
    text = to_yaml(value)
    assert exact(yaml.load(text, Loader=yaml.CSafeLoader)) == exact(value)  # YAML 1.1
    assert exact(ryaml.loads(text)) == exact(value)  # YAML 1.2


@pytest.mark.parametrize("text", TRICKY)
def test_a_tricky_string_stays_itself_as_value_item_and_key(text: str) -> None:
    key = text[:200]
    value = {"value": text, "items": [text, [text]], "key": {key: {key: text}}, "last": "x"}
    written = to_yaml(value)
    assert yaml.load(written, Loader=yaml.CSafeLoader) == value
    assert ryaml.loads(written) == value


def kubectl(body: dict[str, Any]) -> dict[str, Any]:
    """An object's spec after kubectl's own parser has read it. No server is asked."""
    program = shutil.which("kubectl")
    if not program:
        assert os.environ.get("CI") != "true", (
            "CI holds the writer to kubectl's parser: put kubectl on the PATH"
        )
        pytest.skip("kubectl is not on the PATH")
    text = to_yaml({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": body})
    command = [program, "label", "--local", "-f", "-", "x=y", "-o", "json"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()[:2000]
    spec: dict[str, Any] = json.loads(done.stdout)["spec"]
    return spec


def test_kubectl_reads_every_tricky_string_as_it_is() -> None:
    assert len(set(TRICKY)) >= 76
    spec = {
        "values": dict(enumerate_keys(TRICKY)),
        "items": list(TRICKY),
        "keys": {text[:200]: "x" for text in TRICKY},
    }
    assert kubectl(spec) == spec


def test_kubectl_reads_random_strings_as_they_are() -> None:
    chance = random.Random(6)
    alphabet = "0123456789eExXoObB_.:+-~<>=!&*?|%@`'\"#,[]{}\\  \n\n\tyYnN/"
    alphabet += "\x00\x1f\x7f\x85\xa0\u2028\ufeffé😀কা\u200d"
    texts = ["".join(chance.choices(alphabet, k=chance.randint(0, 12))) for _ in range(5000)]
    spec = {"values": dict(enumerate_keys(texts)), "nested": [[text, {"a": text}] for text in texts]}
    assert kubectl(spec) == spec


def test_kubectl_reads_numbers_exactly() -> None:
    integers = [0, -1, 8080, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
    floats = [0.5, -0.25, 1.0, 1e16, 1e-7, 1.5e300, 0.1 + 0.2]
    spec = {"integers": integers, "floats": floats, "others": [True, False, None, {}, []]}
    assert kubectl(spec) == spec


def enumerate_keys(texts: Any) -> list[tuple[str, str]]:
    return [(f"k{number}", text) for number, text in enumerate(texts)]


def test_the_look() -> None:
    value = {
        "spec": {
            "replicas": 3,
            "args": ["serve", "--port=8000", ["nested", "list"], []],
            "containers": [{"name": "web", "env": [{"name": "FEATURE_X", "value": "on"}]}, {}],
            "script": "#!/bin/sh\n\necho 'done'\n",
            "note": "one\ntwo",
            "tail": "kept\n\n",
            "ratio": 0.5,
            "big": 1e16,
            "nothing": None,
        },
        "data": {"on": "1e3", "app.kubernetes.io/name": "ঢাকা"},
        "metadata": {"labels": {"b": "x", "a": "z"}, "uid": "x", "name": "web", "namespace": "shop"},
        "kind": "Deployment",
        "apiVersion": "apps/v1",
    }
    assert to_yaml(value) == (
        "apiVersion: apps/v1\n"
        "kind: Deployment\n"
        "metadata:\n"
        "  name: web\n"
        "  namespace: shop\n"
        "  labels:\n"
        "    b: x\n"
        "    a: z\n"
        "  uid: x\n"
        "spec:\n"
        "  replicas: 3\n"
        "  args:\n"
        "    - serve\n"
        '    - "--port=8000"\n'
        "    - - nested\n"
        "      - list\n"
        "    - []\n"
        "  containers:\n"
        "    - name: web\n"
        "      env:\n"
        "        - name: FEATURE_X\n"
        '          value: "on"\n'
        "    - {}\n"
        "  script: |\n"
        "    #!/bin/sh\n"
        "\n"
        "    echo 'done'\n"
        "  note: |-\n"
        "    one\n"
        "    two\n"
        "  tail: |+\n"
        "    kept\n"
        "\n"
        "  ratio: 0.5\n"
        "  big: 1.0e+16\n"
        "  nothing: null\n"
        "data:\n"
        '  "on": "1e3"\n'
        '  app.kubernetes.io/name: "ঢাকা"\n'
    )


def test_what_a_reviewer_could_not_see_is_written_as_an_escape() -> None:
    text = to_yaml({"a": "x\u202ey\u200b\xa0\U000e0041", "b": "এ\u200dক"})
    assert text == 'a: "x\\u202ey\\u200b\\u00a0\\U000e0041"\nb: "এ\u200dক"\n'


def test_shared_values_are_written_out_without_anchors() -> None:
    labels = {"app": "web"}
    assert to_yaml({"a": labels, "b": labels}) == "a:\n  app: web\nb:\n  app: web\n"


def test_the_value_is_left_as_it_was() -> None:
    value = {"kind": "A", "metadata": {"labels": {}, "name": "a"}, "apiVersion": "v1"}
    before = json.dumps(value)
    to_yaml(value)
    assert json.dumps(value) == before


def test_tuples_and_read_only_mappings_are_lists_and_mappings() -> None:
    frozen = MappingProxyType({"metadata": MappingProxyType({"name": "a"}), "spec": ({"b": ()}, ("c",))})
    assert to_yaml(frozen) == to_yaml({"metadata": {"name": "a"}, "spec": [{"b": []}, ["c"]]})


def test_an_empty_root_is_an_empty_mapping() -> None:
    assert ryaml.loads(to_yaml({})) == {}


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"spec": {"ports": [1, {"port": {80}}]}}, "spec.ports[1].port", "set has no place in YAML"),
        ({"spec": [[b"x"]]}, "spec[0][0]", "bytes has no place in YAML"),
        ({"a": float("nan")}, "a", "nan is no number"),
        ({"a": [float("-inf")]}, "a[0]", "-inf is no number"),
        ({"a": 2**63}, "a", "beyond 64 bits"),
        ({"a": -(2**63) - 1}, "a", "beyond 64 bits"),
        ({"a": "\ud800"}, "a", "surrogate"),
        ({"a": {"k" * 1001: 1}}, "a." + "k" * 1001, "more than 1,000 characters"),
        ({"a": {True: 1}}, "a[True]", "a key but no string"),
        ({"a": {8080: "x"}}, "a[8080]", "8080 is a key but no string"),
    ],
)
def test_what_no_reader_would_give_back_is_refused_with_its_path(value: Any, path: str, reason: str) -> None:
    with pytest.raises(UnwritableError, match=reason) as caught:
        to_yaml(value)
    assert caught.value.path == path
    assert isinstance(caught.value, TypeError)
