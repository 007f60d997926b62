"""The harness itself: it starts, answers, says why it cannot, and leaves no process behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apiserver.control_plane import ControlPlane, KubectlError
from apiserver.process import Process, ProcessError, free_ports, wait_until

pytestmark = pytest.mark.apiserver


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_starts_answers_and_leaves_nothing(assets: Path, tmp_path: Path) -> None:
    with ControlPlane(assets, tmp_path / "cluster") as cluster:
        pids = [process.pid for process in cluster.processes]
        assert [process.name for process in cluster.processes] == ["etcd", "kube-apiserver"]
        assert cluster.get("namespace", "default")["metadata"]["name"] == "default"
        with pytest.raises(KubectlError, match="not found"):
            cluster.get("namespace", "nowhere")
        with pytest.raises(KubectlError, match=r"spec\.replcas: field not declared"):
            cluster.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", text=MISSPELT)
    assert not any(map(alive, pids))


def test_a_program_that_ends_is_said_with_its_log(assets: Path, tmp_path: Path) -> None:
    cluster = ControlPlane(assets, tmp_path, flags=["--no-such-flag"])
    with (
        pytest.raises(ProcessError, match=r"kube-apiserver ended while waiting(.|\n)*--no-such-flag"),
        cluster,
    ):
        pytest.fail("it cannot have started")
    assert cluster.processes == []


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), ControlPlane(tmp_path, tmp_path / "cluster"):
        pass


def test_waiting_ends(tmp_path: Path) -> None:
    sleeper = Process("sleeper", ["sleep", "60"], tmp_path)
    with pytest.raises(ProcessError, match=r"no miracle within 0.2 s(.|\n)*-- sleeper"):
        wait_until(lambda: False, "miracle", [sleeper], 0.2)
    sleeper.stop()
    assert not alive(sleeper.pid)


def test_a_program_that_does_not_want_to_end_is_killed(tmp_path: Path) -> None:
    stubborn = Process(
        "stubborn", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], tmp_path
    )
    wait_until(lambda: "ready" in stubborn.last_words(), "trap", [stubborn], 5)
    stubborn.stop(grace=0.2)
    assert not stubborn.running
    assert not alive(stubborn.pid)


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


MISSPELT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: sample, namespace: default}
spec:
  replcas: 3
  selector: {matchLabels: {app: sample}}
  template: {metadata: {labels: {app: sample}}, spec: {containers: [{name: a, image: b}]}}
"""
