"""The scripts that K3s nodes boot with, run by bash against a pretended AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from dhakacart_infra.constructs import k3s_boot

BOOT = k3s_boot.Boot(
    release="v1.35.5+k3s1",
    arch="arm64",
    region="ap-southeast-1",
    api="api.internal",
    log_group="/dhakacart/dev/nodes",
    server_token="server-entry",
    agent_token="agent-entry",
)
# Entries of Secrets Manager are files of $SECRETS.
AWS = """#!/bin/bash
while [ $# -gt 0 ]; do
  case $1 in
    get-secret-value | put-secret-value) verb=$1 ;;
    --secret-id) id=$2 ;;
    --secret-string) value=${2#file://} ;;
  esac
  shift
done
if [ "$verb" = put-secret-value ]; then cp "$value" "$SECRETS/$id"; exit; fi
if [ -f "$SECRETS/$id" ]; then cat "$SECRETS/$id"; echo; exit; fi
echo 'An error occurred (ResourceNotFoundException)' >&2
exit 254
"""
CURL = """#!/bin/bash
out=-
for word in "$@"; do
  [ "$before" = -o ] && out=$word
  before=$word
done
case $word in
  *api/token) echo session ;;
  *availability-zone) echo ap-southeast-1b ;;
  *sha256sum*) echo "$(printf 'k3s binary' | sha256sum | cut -d ' ' -f 1)  k3s-arm64" > "$out" ;;
  *) printf "${BINARY_CONTENT:-k3s binary}" > "$out" ;;
esac
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder that plays the root of a node, with `bin` first on its PATH."""
    commands = {"aws": AWS, "curl": CURL, "sleep": "#!/bin/bash\nexit 1\n"}
    for name in ("dnf", "systemctl"):
        commands[name] = f'#!/bin/bash\necho {name} "$@" >> "$ROOT/calls"\n'
    (tmp_path / "bin").mkdir()
    for folder in ("secrets", "run", "usr/local/bin"):
        (tmp_path / folder).mkdir(parents=True)
    for name, content in commands.items():
        path = tmp_path / "bin" / name
        path.write_text(content)
        path.chmod(0o755)
    return tmp_path


def _run(node: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with every path below the folder, as a node that boots anew."""
    for folder in ("/etc/", "/opt/", "/run/", "/usr/local/bin"):
        script = script.replace(folder, f"{node}{folder}")
    shutil.rmtree(node / "etc", ignore_errors=True)
    path = f"{node}/bin:{os.environ['PATH']}"
    variables = {"PATH": path, "SECRETS": f"{node}/secrets", "ROOT": str(node), **environment}
    return subprocess.run(
        ["bash", "-c", script],
        env=variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _joins(node: Path) -> str:
    return (node / "etc/rancher/k3s/config.yaml.d/join.yaml").read_text()


def _server(*, first: bool = True, alone: bool = False) -> str:
    return k3s_boot.server(BOOT, {"cluster-cidr": "10.42.0.0/16"}, first=first, alone=alone)


def test_the_first_server_begins_a_cluster_once(node: Path) -> None:
    begun = _run(node, _server())
    assert begun.returncode == 0, begun.stderr
    assert _joins(node) == "cluster-init: true\n"
    tokens = {path.name: path.read_text() for path in (node / "secrets").iterdir()}
    assert set(tokens) == {"server-entry", "agent-entry"}
    assert len(set(tokens.values())) == 2
    assert all(len(token) == 64 for token in tokens.values())

    replaced = _run(node, _server())
    assert replaced.returncode == 0, replaced.stderr
    assert _joins(node) == "server: https://api.internal:6443\n"
    assert (node / "secrets/server-entry").read_text() == tokens["server-entry"]
    assert (node / "etc/rancher/k3s/server-token").read_text() == tokens["server-entry"]


def test_another_server_waits_for_the_first(node: Path) -> None:
    waits = _run(node, _server(first=False))
    assert waits.returncode != 0  # where it would sleep
    assert not (node / "secrets/server-entry").exists()
    assert not (node / "etc/rancher/k3s/config.yaml.d/join.yaml").exists()


def test_a_server_that_is_alone_begins_again(node: Path) -> None:
    for _ in range(2):
        assert _run(node, _server(alone=True)).returncode == 0
        assert _joins(node) == "cluster-init: true\n"


def test_an_agent_joins_by_its_own_token(node: Path) -> None:
    (node / "secrets/agent-entry").write_text("for-agents")
    joined = _run(node, k3s_boot.agent(BOOT, {}))
    assert joined.returncode == 0, joined.stderr
    folder = node / "etc/rancher/k3s"
    assert (folder / "agent-token").read_text() == "for-agents"
    assert not (folder / "server-token").exists()
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["server"] == "https://api.internal:6443"
    labels = yaml.safe_load((folder / "config.yaml.d/zone.yaml").read_text())["node-label"]
    assert "topology.kubernetes.io/zone=ap-southeast-1b" in labels
    assert "systemctl enable --now k3s.service" in (node / "calls").read_text()


def test_a_binary_that_is_not_the_releases_is_not_installed(node: Path) -> None:
    refused = _run(node, _server(), BINARY_CONTENT="something else")
    assert refused.returncode != 0
    assert not (node / "usr/local/bin/k3s").exists()


def test_tokens_are_said_nowhere_and_read_by_root_alone(node: Path) -> None:
    begun = _run(node, _server())
    token = (node / "secrets/server-entry").read_text()
    assert token not in begun.stdout + begun.stderr
    assert (node / "etc/rancher/k3s/server-token").stat().st_mode & 0o077 == 0


def test_files_are_what_their_readers_understand(node: Path) -> None:
    assert _run(node, _server()).returncode == 0
    folder = node / "etc/rancher/k3s"
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["secrets-encryption"] is True
    assert config["etcd-s3"] is True
    assert config["disable"] == ["traefik", "servicelb"]
    assert "token" not in config
    assert yaml.safe_load((folder / "audit.yaml").read_text())["kind"] == "Policy"
    shipped = json.loads(next((node / "opt").rglob("*.json")).read_text())
    paths = [each["file_path"] for each in shipped["logs"]["logs_collected"]["files"]["collect_list"]]
    assert k3s_boot.AUDIT_LOG in paths
    assert "ExecStart=" in (node / "etc/systemd/system/k3s.service").read_text()
