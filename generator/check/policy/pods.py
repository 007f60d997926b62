"""Pod security: the Pod Security Standard "restricted" and what goes beyond it.

Standard: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from typing import Any

from generator.check.index import Index
from generator.check.rule import Finding, Findings, container_rule, pod_rule
from generator.check.shape import dig, mapping, maps, text, texts
from generator.check.view import Container, Pod

LOWEST_ID = 10_000
LOWEST_PORT = 1024
SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_syncookies",
    }
)
VOLUME_TYPES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
RUNTIME_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock")
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


def _host_paths(pod: Pod) -> list[tuple[str, str]]:
    """(volume name, path on the node)."""
    return [
        (text(volume.get("name")), text(dig(volume, "hostPath", "path")))
        for volume in maps(pod.spec.get("volumes"))
        if "hostPath" in volume
    ]


def _is_runtime_socket(path: str) -> bool:
    return path.endswith(RUNTIME_SOCKETS)


@container_rule("DC-POD-001", "No container is a Windows host process")
def host_process(container: Container, _index: Index) -> Findings:
    """`securityContext.windowsOptions.hostProcess` must not be true.

    Why: such a container runs on the node itself, with the node's rights.

    Fix: remove `hostProcess`.

    Sources: KSV-0103; Pod Security Standard "baseline".
    """
    if dig(container.setting("windowsOptions"), "hostProcess"):
        yield Finding(f"container {container.name} runs as a host process", "remove `hostProcess`")


@pod_rule("DC-POD-002", "Pods keep to their own process, IPC and network namespaces")
def host_namespaces(pod: Pod, _index: Index) -> Findings:
    """`hostPID`, `hostIPC` and `hostNetwork` must not be true.

    Why: with them a pod sees the node's processes, memory or traffic, and network policies no longer bind it.

    Fix: remove the field. A node agent that needs one is exempted in its `app.yaml`, with the reason.

    Sources: KSV-0008, KSV-0009, KSV-0010; C-0038, C-0041.
    """
    for key in ("hostPID", "hostIPC", "hostNetwork"):
        if pod.spec.get(key):
            yield Finding(f"the pod shares the node's namespace: `{key}: true`", f"remove `{key}`")


@container_rule("DC-POD-003", "No container is privileged")
def privileged(container: Container, _index: Index) -> Findings:
    """`securityContext.privileged` must not be true.

    Why: a privileged container is root on the node.

    Fix: remove `privileged`, and give the one capability that is needed, by exemption from DC-POD-006.

    Sources: KSV-0017; C-0057.
    """
    if container.security.get("privileged"):
        yield Finding(f"container {container.name} is privileged", "remove `privileged: true`")


@pod_rule("DC-POD-004", "No pod mounts a path of its node")
def host_path(pod: Pod, _index: Index) -> Findings:
    """Volumes must not be of type `hostPath`.

    Why: what can be read or written there belongs to the node and to every other pod on it.

    Fix: use `emptyDir`, a claim, a ConfigMap or a projected volume. The runtime's socket is DC-POD-018.

    Sources: KSV-0023; kube-linter sensitive-host-mounts.
    """
    for name, path in _host_paths(pod):
        if not _is_runtime_socket(path):
            yield Finding(f"volume {name} is the node's {path or 'file system'}", "use `emptyDir` or a claim")


@container_rule("DC-POD-005", "No container takes a port of its node")
def host_port(container: Container, _index: Index) -> Findings:
    """`ports[].hostPort` must not be set.

    Why: it bypasses Services and network policies and allows one such pod a node.

    Fix: remove `hostPort`; a Service finds the pod.

    Sources: KSV-0024; C-0044.
    """
    for port in container.ports:
        if port.get("hostPort"):
            yield Finding(
                f"container {container.name} takes port {port['hostPort']} of its node", "remove `hostPort`"
            )


@container_rule("DC-POD-006", "No container adds Linux capabilities")
def added_capabilities(container: Container, _index: Index) -> Findings:
    """`securityContext.capabilities.add` must be empty or only `NET_BIND_SERVICE`.

    Why: each capability is a part of root's power.

    Fix: remove it; listen on a port from 1024 up instead of binding a low one.

    Sources: KSV-0022, KSV-0106; C-0046; Pod Security Standard "restricted".
    """
    added = set(texts(dig(container.security, "capabilities", "add"))) - {"NET_BIND_SERVICE"}
    if added:
        yield Finding(
            f"container {container.name} adds the capabilities {', '.join(sorted(added))}",
            "remove `capabilities.add`",
        )


@container_rule("DC-POD-007", "Every container drops all Linux capabilities")
def dropped_capabilities(container: Container, _index: Index) -> Findings:
    """`securityContext.capabilities.drop` must contain `ALL`.

    Why: the runtime's default set lets a container change file owners, forge packets and more.

    Fix: `capabilities: {drop: [ALL]}`.

    Sources: KSV-0003, KSV-0119; CKV_K8S_28, CKV_K8S_37.
    """
    if "ALL" not in texts(dig(container.security, "capabilities", "drop")):
        yield Finding(
            f"container {container.name} keeps the default capabilities",
            "write `capabilities: {drop: [ALL]}`",
        )


@container_rule("DC-POD-008", "No container may gain privileges")
def privilege_escalation(container: Container, _index: Index) -> Findings:
    """`securityContext.allowPrivilegeEscalation` must be false; absent means true.

    Why: a set-uid program inside would otherwise become root.

    Fix: `allowPrivilegeEscalation: false`.

    Sources: KSV-0001; C-0016; CKV_K8S_20.
    """
    if container.security.get("allowPrivilegeEscalation") is not False:
        yield Finding(
            f"container {container.name} may gain privileges", "write `allowPrivilegeEscalation: false`"
        )


@container_rule("DC-POD-009", "Every container is declared not to run as root")
def run_as_non_root(container: Container, _index: Index) -> Findings:
    """`runAsNonRoot` must be true, for the pod or the container.

    Why: the kubelet then refuses an image that would start as root.

    Fix: `securityContext: {runAsNonRoot: true}` in the pod.

    Sources: KSV-0012; C-0013; CKV_K8S_23.
    """
    if container.setting("runAsNonRoot") is not True:
        yield Finding(f"container {container.name} may run as root", "write `runAsNonRoot: true`")


@container_rule("DC-POD-010", "No container runs as user or group 0")
def run_as_root(container: Container, _index: Index) -> Findings:
    """`runAsUser` and `runAsGroup` must not be 0.

    Why: 0 is root; outside the container too if the runtime has a hole.

    Fix: a number from 10000 up, the same as in the image.

    Sources: KSV-0105; Pod Security Standard "restricted".
    """
    for key in ("runAsUser", "runAsGroup"):
        value = container.setting(key)
        if value == 0 and value is not False:
            yield Finding(f"container {container.name} runs as root: `{key}: 0`", f"write `{key}: 10001`")


@container_rule("DC-POD-011", "User and group ids are 10000 or more")
def high_ids(container: Container, _index: Index) -> Findings:
    """`runAsUser` and `runAsGroup` must be set, to at least 10000 (0 is DC-POD-010); `fsGroup`, too, if it
    is set.

    Why: low numbers are users of the node. A process that escapes must not meet its own files there.

    Fix: `runAsUser: 10001` and `runAsGroup: 10001` in the pod's `securityContext`.

    Sources: KSV-0020, KSV-0021; CKV_K8S_40.
    """
    for key in ("runAsUser", "runAsGroup"):
        value = container.setting(key)
        if value != 0 and (not isinstance(value, int) or value < LOWEST_ID):
            said = "has no" if value is None else f"has {value} as"
            yield Finding(
                f"container {container.name} {said} `{key}`",
                f"write a number from {LOWEST_ID} up, like 10001",
            )


@pod_rule("DC-POD-012", "Every container runs under the runtime's seccomp profile")
def seccomp(pod: Pod, _index: Index) -> Findings:
    """`seccompProfile.type` must be `RuntimeDefault` or `Localhost`, for the pod or each container.

    Why: without a profile a container may make every system call the kernel knows.

    Fix: `seccompProfile: {type: RuntimeDefault}` in the pod's `securityContext`.

    Sources: KSV-0030, KSV-0104; CKV_K8S_31.
    """
    for container in pod.containers:
        if dig(container.setting("seccompProfile"), "type") not in ("RuntimeDefault", "Localhost"):
            yield Finding(
                f"container {container.name} has no seccomp profile",
                "write `seccompProfile: {type: RuntimeDefault}` in the pod's securityContext",
            )


@container_rule("DC-POD-013", "No container unmasks /proc")
def proc_mount(container: Container, _index: Index) -> Findings:
    """`securityContext.procMount` must be absent or `Default`.

    Why: `Unmasked` shows and lets change what the runtime hides of the kernel.

    Fix: remove `procMount`.

    Sources: KSV-0027; Pod Security Standard "baseline".
    """
    if container.security.get("procMount", "Default") != "Default":
        yield Finding(f"container {container.name} unmasks /proc", "remove `procMount`")


@pod_rule("DC-POD-014", "Only safe kernel parameters are set")
def sysctls(pod: Pod, _index: Index) -> Findings:
    """`securityContext.sysctls` may only name those that Kubernetes calls safe.

    Why: the others act on the whole node, and the kubelet refuses the pod.

    Fix: remove it.

    Sources: KSV-0026; https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
    """
    for item in maps(pod.security.get("sysctls")):
        name = text(item.get("name"))
        if name not in SAFE_SYSCTLS:
            yield Finding(f"the kernel parameter {name} is not a safe one", "remove it")


@pod_rule("DC-POD-015", "Only volume types without a way to the node are used")
def volume_types(pod: Pod, _index: Index) -> Findings:
    """A volume is a ConfigMap, Secret, projected, downward API, `emptyDir`, claim, ephemeral or CSI volume.

    Why: other types (nfs, iscsi, gcePersistentDisk…) reach storage past the cluster's storage classes.
    `hostPath` is DC-POD-004.

    Fix: use a PersistentVolumeClaim.

    Sources: KSV-0028, KSV-0121; Pod Security Standard "restricted".
    """
    for volume in maps(pod.spec.get("volumes")):
        other = sorted(volume.keys() - VOLUME_TYPES - {"name", "hostPath"})
        if other:
            yield Finding(
                f"volume {text(volume.get('name'))} is of type {', '.join(map(str, other))}", "use a claim"
            )


@pod_rule("DC-POD-016", "AppArmor and SELinux stay on")
def mandatory_access_control(pod: Pod, _index: Index) -> Findings:
    """AppArmor must not be `Unconfined`; SELinux options may only choose a container type.

    Why: they are the second wall behind the container's own.

    Fix: remove `appArmorProfile` or `seLinuxOptions`.

    Sources: KSV-0002, KSV-0025; Pod Security Standard "baseline".
    """
    contexts: list[tuple[str, Any]] = [("the pod", pod.security)]
    contexts += [(f"container {item.name}", item.security) for item in pod.containers]
    for whose, security in contexts:
        if dig(security, "appArmorProfile", "type") == "Unconfined":
            yield Finding(f"{whose} is not confined by AppArmor", "remove `appArmorProfile`")
        options = mapping(dig(security, "seLinuxOptions"))
        if options.get("user") or options.get("role") or text(options.get("type")) not in SELINUX_TYPES:
            yield Finding(f"{whose} chooses its own SELinux context", "remove `seLinuxOptions`")
    for key, value in pod.annotations.items():
        if key.startswith(APPARMOR_ANNOTATION) and value == "unconfined":
            yield Finding(
                f"container {key.removeprefix(APPARMOR_ANNOTATION)} is not confined by AppArmor",
                "remove the annotation",
            )


@container_rule("DC-POD-017", "Root file systems are read-only")
def read_only_root(container: Container, _index: Index) -> Findings:
    """`securityContext.readOnlyRootFilesystem` must be true.

    Why: whoever gets in cannot drop a program, and nothing that matters is written where it is lost on
    restart.

    Fix: `readOnlyRootFilesystem: true`, and an `emptyDir` with a `sizeLimit` for each folder that is
    written.

    Sources: KSV-0014; C-0017; CKV_K8S_22.
    """
    if container.security.get("readOnlyRootFilesystem") is not True:
        yield Finding(
            f"container {container.name} can write to its root file system",
            "write `readOnlyRootFilesystem: true` and mount an `emptyDir` where it must write",
        )


@pod_rule("DC-POD-018", "No pod is given the container runtime's socket")
def runtime_socket(pod: Pod, _index: Index) -> Findings:
    """No volume may be the socket of docker, containerd or CRI-O.

    Why: who can write to it is root on the node.

    Fix: remove the volume.

    Sources: KSV-0006.
    """
    for name, path in _host_paths(pod):
        if _is_runtime_socket(path):
            yield Finding(f"volume {name} is the container runtime's socket {path}", "remove the volume")


@container_rule("DC-POD-019", "Containers listen on ports from 1024 up")
def low_port(container: Container, _index: Index) -> Findings:
    """`containerPort` must be at least 1024.

    Why: below, only root or `NET_BIND_SERVICE` may listen, so a container without them does not start.

    Fix: listen on a high port, like 8080; the Service keeps the low one.

    Sources: KSV-0117.
    """
    for port in container.ports:
        number = port.get("containerPort")
        if isinstance(number, int) and 0 < number < LOWEST_PORT:
            yield Finding(
                f"container {container.name} listens on port {number}, which only root may",
                "listen on a port from 1024 up, and keep the low one in the Service",
            )
