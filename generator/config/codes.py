"""The codes of problems in config files: what each means and what to do about it."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One kind of mistake: `title` is one line, `explanation` one paragraph of Markdown."""

    title: str
    explanation: str


CANNOT_READ = "DC-CFG-001"
UNKNOWN_KEY = "DC-CFG-002"
MISSING_KEY = "DC-CFG-003"
WRONG_TYPE = "DC-CFG-004"
WRONG_VALUE = "DC-CFG-005"
DUPLICATE_KEY = "DC-CFG-006"
BROKEN_YAML = "DC-CFG-007"
YAML_FEATURE = "DC-CFG-008"
NOT_A_MAPPING = "DC-CFG-009"
FILE_NAME = "DC-CFG-010"
CONTRADICTION = "DC-CFG-011"
RANGES_OVERLAP = "DC-CFG-012"
DOMAIN_TWICE = "DC-CFG-013"
NO_SUCH_ENVIRONMENT = "DC-CFG-014"

CODES: dict[str, Code] = {
    CANNOT_READ: Code(
        "The file cannot be read",
        "It is missing, a folder, not readable by this user, larger than 1 MiB, or not UTF-8 text. "
        "Config files are plain UTF-8 without a byte order mark.",
    ),
    UNKNOWN_KEY: Code(
        "A key that means nothing here",
        "Config files are closed: a key that is not part of the format is an error, because a "
        "misspelt key would otherwise silently leave the default in force. Correct the spelling, move "
        "the key to where it belongs, or remove it.",
    ),
    MISSING_KEY: Code(
        "A key that must be there is not",
        "Neither the file nor the defaults of its tier give this value, and nobody may guess it. Add "
        "the key to the mapping that the message points at.",
    ),
    WRONG_TYPE: Code(
        "A value of the wrong type",
        'Values are not converted: `5` is a number, `"5"` is text, `yes` is text, `true` is a '
        "boolean. Text that looks like a number (a version, an account) is written in quotes.",
    ),
    WRONG_VALUE: Code(
        "A value that is not allowed",
        "The type is right and the value is not: out of bounds, not one of the choices, or not of the "
        "form that it must have, like an address range with host bits set.",
    ),
    DUPLICATE_KEY: Code(
        "A key is written twice in one mapping",
        "YAML readers disagree about which of the two counts, so neither is taken. Keep one.",
    ),
    BROKEN_YAML: Code(
        "The file is not valid YAML",
        "Indentation is made of spaces, and the keys of one mapping start in the same column. Text "
        "with `: ` or ` #` in it, or starting with one of `@ * & ! % { [`, is written in quotes.",
    ),
    YAML_FEATURE: Code(
        "A feature of YAML that config files do not use",
        "Anchors, aliases, merge keys, tags, keys that are not text and several documents in one file "
        "make a file harder to review than the lines they save. Write the value out.",
    ),
    NOT_A_MAPPING: Code(
        "The file does not hold a mapping",
        "A config file is one mapping of keys to values. This one is empty, a list or a single value.",
    ),
    FILE_NAME: Code(
        "`name` is not the name of the file",
        "`environments/prod.yaml` says `name: prod`: the name goes into cloud resources and folders, "
        "and a copied file whose name was not changed would take over another environment's.",
    ),
    CONTRADICTION: Code(
        "Two values that cannot both hold",
        "Each of the values is allowed, together they are not, like a minimum above its maximum.",
    ),
    RANGES_OVERLAP: Code(
        "Two address ranges overlap",
        "Networks that may ever be joined, and the pods and Services inside of one, need ranges of "
        "their own: an address in both is routed to only one of them.",
    ),
    DOMAIN_TWICE: Code(
        "Two environments have the same domain",
        "One host name leads to one environment. Give each its own.",
    ),
    NO_SUCH_ENVIRONMENT: Code(
        "There is no environment of that name",
        "An environment is a file `<name>.yaml` in the folder of environments.",
    ),
}
