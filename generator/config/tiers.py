"""What an environment's tier decides when its file does not say: plain data, merged below the file."""

from __future__ import annotations

from typing import Any

_LETSENCRYPT = {"email": "ops@dhakacart.com.bd"}

TIER_DEFAULTS: dict[str, dict[str, Any]] = {
    "development": {
        "aws": {"network": {"nat": "single"}},
        "database": {
            "multiAz": False,
            "backups": {"retention": "1d", "lock": "1d", "copies": "7d", "restoreDrill": "never"},
        },
        "edge": {
            "certificates": {"issuer": "letsencrypt-staging", **_LETSENCRYPT},
            "proxies": {
                "replicas": {"min": 1, "max": 2},
                "resources": {"cpu": "100m", "memory": "256Mi"},
            },
        },
        "monitoring": {"retention": "3d", "storage": "10Gi", "logs": {"retention": "3d"}},
    },
    "staging": {
        "aws": {"network": {"nat": "single"}},
        "database": {
            "multiAz": True,
            "backups": {"retention": "7d", "lock": "7d", "copies": "14d", "restoreDrill": "monthly"},
        },
        "edge": {"certificates": {"issuer": "letsencrypt-staging", **_LETSENCRYPT}},
        "monitoring": {"retention": "7d", "storage": "20Gi", "logs": {"retention": "7d"}},
    },
    "production": {
        "aws": {"network": {"nat": "per-zone"}},
        "database": {
            "multiAz": True,
            "backups": {"retention": "14d", "lock": "14d", "copies": "35d", "restoreDrill": "weekly"},
        },
        "edge": {
            "certificates": {"issuer": "letsencrypt-production", **_LETSENCRYPT},
            "proxies": {
                "replicas": {"min": 3, "max": 6},
                "resources": {"cpu": "1", "memory": "512Mi"},
            },
        },
        "monitoring": {"retention": "30d", "storage": "50Gi", "logs": {"retention": "30d"}},
    },
}
