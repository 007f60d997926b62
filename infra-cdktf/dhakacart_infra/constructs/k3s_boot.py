"""What a K3s node does when it boots for the first time: scripts for cloud-init, with nothing secret in them.

The tokens by which nodes join come from Secrets Manager. The first server makes them when they have no value
yet, which is also how it knows that there is no cluster yet and it is to begin one. Every later server joins,
so replacing one, even the first, never begins a second cluster.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONFIG = "/etc/rancher/k3s"
LOG = "/var/log/k3s.log"
AUDIT_LOG = "/var/lib/rancher/k3s/server/logs/audit.log"
AUDIT_DAYS_ON_NODE = 7
RELEASES = "https://github.com/k3s-io/k3s/releases/download"
SNAPSHOTS = "0 */6 * * *"
SNAPSHOTS_KEPT = 28  # a week of them
AGENT_LOG = "/opt/aws/amazon-cloudwatch-agent"


@dataclass(frozen=True, slots=True)
class Boot:
    """What scripts of all nodes have in common. `api` is the host of the fixed address before all servers."""

    release: str
    arch: str
    region: str
    api: str
    log_group: str
    server_token: str
    agent_token: str

    @property
    def binary(self) -> str:
        """The release's file for this kind of processor."""
        return "k3s" if self.arch == "amd64" else f"k3s-{self.arch}"


def server(boot: Boot, config: Mapping[str, Any], *, first: bool, alone: bool) -> str:
    """The script of a server. `first` may begin the cluster; one that is `alone` has nobody to join."""
    settings = {
        "token-file": f"{CONFIG}/server-token",
        "agent-token-file": f"{CONFIG}/agent-token",
        "tls-san": [boot.api],
        "secrets-encryption": True,
        "write-kubeconfig-mode": "0600",
        "disable": ["traefik", "servicelb"],  # the edge is Envoy behind AWS' load balancer
        "disable-helm-controller": True,  # charts are Argo CD's
        "etcd-s3": True,
        "etcd-snapshot-compress": True,
        "etcd-snapshot-schedule-cron": SNAPSHOTS,
        "etcd-snapshot-retention": SNAPSHOTS_KEPT,
        "kube-apiserver-arg": [
            f"audit-log-path={AUDIT_LOG}",
            f"audit-log-maxage={AUDIT_DAYS_ON_NODE}",
            f"audit-policy-file={CONFIG}/audit.yaml",
        ],
        "log": LOG,
        **config,
    }
    who = {"FIRST": _word(first), "ALONE": _word(alone), "SERVER_TOKEN": boot.server_token}
    return _script(boot, "server", settings, who, [_TOKENS, _BEGIN_OR_JOIN], [LOG, AUDIT_LOG])


def agent(boot: Boot, config: Mapping[str, Any]) -> str:
    """The script of an agent."""
    settings = {
        "server": f"https://{boot.api}:6443",
        "token-file": f"{CONFIG}/agent-token",
        "log": LOG,
        **config,
    }
    return _script(boot, "agent", settings, {}, [_TOKENS, _JOIN_AS_AGENT], [LOG])


def _script(
    boot: Boot,
    role: str,
    settings: Mapping[str, Any],
    more: Mapping[str, str],
    tokens: list[str],
    logs: list[str],
) -> str:
    variables = {
        "ROLE": role,
        "REGION": boot.region,
        "API": boot.api,
        "BINARY": boot.binary,
        "SUMS": f"sha256sum-{boot.arch}.txt",
        "RELEASE": f"{RELEASES}/{boot.release.replace('+', '%2B')}",
        "CONFIG": CONFIG,
        "AGENT_TOKEN": boot.agent_token,
        **more,
    }
    files = {
        f"{CONFIG}/config.yaml": _json(settings),  # which is YAML
        f"{AGENT_LOG}/etc/amazon-cloudwatch-agent.json": _json(_shipped(boot.log_group, logs)),
        "/etc/logrotate.d/k3s": _ROTATION,
        "/etc/systemd/system/k3s.service": _UNIT.replace("ROLE", role),
    }
    if role == "server":
        files[f"{CONFIG}/audit.yaml"] = _json(_AUDIT)
    return "\n".join(
        [
            "#!/bin/bash",
            "set -euo pipefail",
            "umask 077",
            *(f"{name}={shlex.quote(value)}" for name, value in variables.items()),
            _DOWNLOAD,
            *(_file(path, content) for path, content in files.items()),
            _ZONE,
            *tokens,
            _START,
        ]
    )


def _file(path: str, content: str) -> str:
    return f"mkdir -p \"$(dirname '{path}')\"\ncat > '{path}' <<'END'\n{content}\nEND"


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True)


def _word(value: bool) -> str:
    return "yes" if value else "no"


def _shipped(group: str, files: list[str]) -> dict[str, Any]:
    """Configuration of the CloudWatch agent: these files, and what this script said."""
    streams = [
        {
            "file_path": path,
            "log_group_name": group,
            "log_stream_name": "{instance_id}/" + path.rsplit("/", 1)[-1].removesuffix(".log"),
        }
        for path in [*files, "/var/log/cloud-init-output.log"]
    ]
    return {"logs": {"logs_collected": {"files": {"collect_list": streams}}}}


_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # Reads that controllers repeat all day say nothing of who changed what.
        {"level": "None", "verbs": ["get", "list", "watch"], "userGroups": ["system:nodes"]},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
        {"level": "Metadata"},
    ],
}

_DOWNLOAD = """
again() { until "$@"; do sleep 10; done; }
again dnf install -y -q amazon-cloudwatch-agent
fetched=$(mktemp -d)
again curl -fsSL -o "$fetched/$BINARY" "$RELEASE/$BINARY"
again curl -fsSL -o "$fetched/sums" "$RELEASE/$SUMS"
grep " $BINARY\\$" "$fetched/sums" > "$fetched/sum"
(cd "$fetched" && sha256sum --check --strict sum)
install -m 755 "$fetched/$BINARY" /usr/local/bin/k3s
ln -sf k3s /usr/local/bin/kubectl
rm -r "$fetched"
"""

_ZONE = """
session=$(curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
zone=$(curl -fsS -H "X-aws-ec2-metadata-token: $session" \\
  http://169.254.169.254/latest/meta-data/placement/availability-zone)
mkdir -p "$CONFIG/config.yaml.d"
cat > "$CONFIG/config.yaml.d/zone.yaml" <<END
node-label: ["topology.kubernetes.io/region=$REGION", "topology.kubernetes.io/zone=$zone"]
END
"""

_TOKENS = """
# Writes an entry's value to a file. Waits for AWS; 3 if the entry has no value.
token() {
  until aws secretsmanager get-secret-value --region "$REGION" --secret-id "$1" \\
    --query SecretString --output text 2> /run/why | tr -d '\\n' > "$2"; do
    if grep -q ResourceNotFoundException /run/why; then rm "$2"; return 3; fi
    sleep 10
  done
}
"""

_JOIN_AS_AGENT = """
again token "$AGENT_TOKEN" "$CONFIG/agent-token"
"""

_BEGIN_OR_JOIN = """
make_token() {
  head -c 32 /dev/urandom | sha256sum | cut -d ' ' -f 1 | tr -d '\\n' > "$2"
  again aws secretsmanager put-secret-value --region "$REGION" --secret-id "$1" \\
    --secret-string "file://$2" > /dev/null
}
join=yes
if [ "$FIRST" = yes ] && ! token "$SERVER_TOKEN" "$CONFIG/server-token"; then
  join=no
  make_token "$AGENT_TOKEN" "$CONFIG/agent-token"
  make_token "$SERVER_TOKEN" "$CONFIG/server-token" # last: from now on there is a cluster to join
fi
again token "$SERVER_TOKEN" "$CONFIG/server-token"
again token "$AGENT_TOKEN" "$CONFIG/agent-token"
if [ "$join" = no ] || [ "$ALONE" = yes ]; then
  echo 'cluster-init: true' > "$CONFIG/config.yaml.d/join.yaml"
else
  echo "server: https://$API:6443" > "$CONFIG/config.yaml.d/join.yaml"
fi
"""

_START = """
systemctl daemon-reload
systemctl enable --now k3s.service amazon-cloudwatch-agent.service
"""

_ROTATION = f"""{LOG} {{
  daily
  rotate 7
  compress
  missingok
  copytruncate
}}"""

_UNIT = """[Unit]
Description=K3s ROLE
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s ROLE
Restart=always
RestartSec=5
TimeoutStartSec=0
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target"""
