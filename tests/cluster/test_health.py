"""Argo CD's word for the state of every custom kind: waves, alerts and people go by it.

The real program judges, with the environments' own checks beside its built-in ones; nothing else runs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster import environment
from cluster.bed import ROOT, crd_manifests
from cluster.gitops_health import SAMPLES, custom_kinds, settings, words

ENVIRONMENTS = environment.names(ROOT)


TREES = [ROOT / "clusters" / name for name in ENVIRONMENTS]


@pytest.fixture(scope="module")
def kinds(assets: Path) -> dict[str, str]:
    """Custom kinds of all environments, with their versions."""
    return custom_kinds(TREES, crd_manifests())


def test_the_checks_are_the_same_in_every_environment() -> None:
    first, *others = map(settings, TREES)
    assert first
    assert all(other == first for other in others)


def test_the_four_policies_of_envoy_gateway_share_one_check() -> None:
    scripts = {text for key, text in settings(TREES[0]).items() if "gateway.envoyproxy.io" in key}
    assert len(scripts) == 1


def test_every_custom_kind_has_samples(kinds: dict[str, str]) -> None:
    sampled = {sample.kind for sample in SAMPLES}
    assert set(kinds) - sampled == set(), "give these kinds samples in gitops_health.py"
    assert sampled - set(kinds) == set(), "nothing renders these kinds any more"


def test_argo_cd_has_the_right_word_for_every_state(
    kinds: dict[str, str], assets: Path, tmp_path: Path
) -> None:
    manifests = [sample.manifest(kinds[sample.kind]) for sample in SAMPLES]
    said = words(assets / "argocd", settings(TREES[0]), manifests, tmp_path)
    wrong = [
        f"{sample}: wanted {sample.word}, got {word or 'no answer'}"
        for sample, word in zip(SAMPLES, said, strict=True)
        if word.partition(":")[0] != sample.word
    ]
    assert not wrong, "\n" + "\n".join(wrong)
