"""Names that the config accepts."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from generator.facts import DatabaseClass, InstanceType, ec2, rds

INSTANCE: TypeAdapter[str] = TypeAdapter(InstanceType)
DATABASE: TypeAdapter[str] = TypeAdapter(DatabaseClass)


@pytest.mark.parametrize("name", ec2.instances())
def test_known_types(name: str) -> None:
    assert INSTANCE.validate_python(name) == name


@pytest.mark.parametrize("name", rds.classes())
def test_known_classes(name: str) -> None:
    assert DATABASE.validate_python(name) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m7g.lrge", "unknown instance type 'm7g.lrge': did you mean m7g.large?"),
        ("M7G.Large", "unknown instance type 'M7G.Large': did you mean m7g.large?"),
        ("t3.smal", "unknown instance type 't3.smal': did you mean t3.small?"),
        ("potato", "unknown instance type 'potato': `dhakacart facts ec2` lists what is known"),
        ("", "unknown instance type '': `dhakacart facts ec2` lists what is known"),
    ],
)
def test_an_unknown_type_names_the_nearest(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        INSTANCE.validate_python(text)
    assert [str(error["ctx"]["error"]) for error in caught.value.errors()] == [message]


def test_an_unknown_class_names_the_nearest() -> None:
    message = "unknown database class 'm7g.large': did you mean db.m7g.large?"
    with pytest.raises(ValidationError, match=re.escape(message)):
        DATABASE.validate_python("m7g.large")


def test_editors_are_offered_the_known_names() -> None:
    assert INSTANCE.json_schema() == {"type": "string", "enum": sorted(ec2.instances())}
    assert DATABASE.json_schema() == {"type": "string", "enum": sorted(rds.classes())}


def test_importing_the_config_reads_no_facts() -> None:
    code = "import generator.config.environment; from generator.facts import ec2, rds; "
    code += "print(*(one.cache_info().currsize for one in (ec2.data, ec2.instances, rds.data, rds.classes)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "0", "0", "0"]
