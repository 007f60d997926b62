"""The process that gives custom resources their stand-in status and Secrets.

`python -m cluster.standin FILE`: FILE is JSON with `port`, and the paths `ca`, `certificate` and `key`. One
thread watches each kind; a kind that is not there yet is asked for again.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from apiserver.pki import Pair

from cluster import statuses, storage
from cluster.api import Api, ApiError, Object

AGAIN = 0.5  # seconds until a kind that is not served is asked for again


def connect(file: Path) -> Api:
    """The API that FILE tells of."""
    said = json.loads(file.read_text())
    ca, certificate, key = (Path(said[name]) for name in ("ca", "certificate", "key"))
    return Api(said["port"], Pair(ca, ca), Pair(certificate, key))


def follow(api: Api, resource: str) -> None:
    """Keep every object of a kind as its controller would, forever."""
    while True:
        try:
            for event in api.watch(resource):
                if event["type"] in ("ADDED", "MODIFIED"):
                    serve(api, resource, event["object"])
        except (ApiError, OSError, http.client.HTTPException, ValueError) as error:
            if getattr(error, "status", None) != http.HTTPStatus.NOT_FOUND:
                print(f"{resource}: {error}", flush=True)
            time.sleep(AGAIN)


def serve(api: Api, resource: str, item: Object) -> None:
    """Give one object what it lacks; harmless when it lacks nothing."""
    if "deletionTimestamp" in item["metadata"]:
        return
    try:
        if resource == storage.CLAIMS:
            storage.provide(api, item)
        else:
            give_status(api, resource, item)
    except (ApiError, KeyError, TypeError) as error:
        print(f"{resource} {item['metadata']['name']}: {error}", flush=True)
        traceback.print_exc()


def give_status(api: Api, resource: str, item: Object) -> None:
    """Give a custom resource its status, and the Secret that it leads to."""
    if statuses.is_held(item) or statuses.is_current(item):
        return
    name, namespace = item["metadata"]["name"], item["metadata"].get("namespace", "")
    made = None if statuses.fails(item) else statuses.secret(item)
    if made:
        own = made["metadata"]
        api.apply("v1/secrets", own["name"], made, own["namespace"])
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = statuses.STATUSES[resource](item, now)
    api.patch(resource, name, {"status": status}, namespace, subresource="status")
    print(f"{resource} {namespace}/{name}", flush=True)


def main() -> None:
    """Follow every kind until ended."""
    api = connect(Path(sys.argv[1]))
    for resource in (*statuses.STATUSES, storage.CLAIMS):
        threading.Thread(target=follow, args=(api, resource), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
