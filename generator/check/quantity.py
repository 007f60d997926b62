"""Kubernetes' quantities as whole numbers; what is none counts as nothing: the schema check reports it."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

_QUANTITY = re.compile(r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+))([a-zA-Z]*)$")
_UNITS = {
    "": Decimal(1),
    **{name: Decimal(1000) ** power for power, name in enumerate("kMGTPE", start=1)},
    **{f"{name}i": Decimal(1024) ** power for power, name in enumerate("KMGTPE", start=1)},
    **{name: Decimal(1) / Decimal(1000) ** power for power, name in enumerate("mun", start=1)},
}


def millicores(cpu: Any) -> int:
    """CPU in thousandths of a core, rounded up: "500m" → 500, 1.5 → 1500."""
    return math.ceil(_number(cpu) * 1000)


def mebibytes(memory: Any) -> int:
    """Memory in MiB, rounded up: "1Gi" → 1024, "1M" → 1."""
    return math.ceil(_number(memory) / 2**20)


def _number(quantity: Any) -> Decimal:
    found = _QUANTITY.match(str(quantity)) if isinstance(quantity, str | int | float) else None
    if found is None or found[2] not in _UNITS:
        return Decimal(0)
    return Decimal(found[1]) * _UNITS[found[2]]
