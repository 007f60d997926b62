"""Volumes for claims, as a storage driver would make them: objects only, nothing is stored."""

from __future__ import annotations

from cluster.api import Api, Object

CLAIMS, VOLUMES = "v1/persistentvolumeclaims", "v1/persistentvolumes"
SELECTED = "volume.kubernetes.io/selected-node"
ZONE = "topology.kubernetes.io/zone"

LOCAL_PATH: Object = {
    "metadata": {
        "name": "local-path",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "rancher.io/local-path",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}
"""The class that K3s brings."""


def wants_volume(claim: Object) -> bool:
    """Whether a claim waits for its volume, and the scheduler has said for which node."""
    waiting = claim.get("status", {}).get("phase") == "Pending" and not claim["spec"].get("volumeName")
    return waiting and SELECTED in claim["metadata"].get("annotations", {})


def volume(claim: Object, zone: str) -> Object:
    """A volume for a claim, in a zone."""
    metadata, spec = claim["metadata"], claim["spec"]
    in_zone = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}]
    return {
        "metadata": {"name": f"pvc-{metadata['uid']}"},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": "/dev/null"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": in_zone}},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "uid": metadata["uid"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
            },
        },
    }


def provide(api: Api, claim: Object) -> None:
    """Make the volume of a claim that wants one."""
    if not wants_volume(claim):
        return
    node = api.get("v1/nodes", claim["metadata"]["annotations"][SELECTED])
    made = volume(claim, node["metadata"]["labels"][ZONE])
    if api.find(VOLUMES, made["metadata"]["name"]) is None:
        api.create(VOLUMES, made)
