"""A cluster of plain processes in which the committed tree of an environment lives.

For tests, and for people (`make cluster`). etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
metrics-server and Argo CD (controller, repo-server, applicationset controller, redis) are the real ones. kwok
plays nodes and pods; `statuses.py` plays the controllers of custom resources. No container runs.

For authors of tests
--------------------
Take a fixture of `conftest.py`; every test below `tests/cluster` has the marker `cluster` by itself.

    def test_something(bed: Bed) -> None            # the session's full test bed of dev, nodes ready, no tree
    def test_something(synced: Bed) -> None         # the same bed, tree bootstrapped, all Synced and Healthy
    def test_something(namespace: str) -> None      # an empty namespace of `bed`, deleted afterwards

The session's bed is shared: leave it as you found it. A test that breaks things takes one of its own:

    with Bed("prod", tmp_path / "bed", parts={"controllers", "scheduler", "kwok"}) as bed:

`parts` are controllers, scheduler, kwok, metrics, stand-in, argocd; etcd and kube-apiserver always run. With
none of them a bed is up in 4 s, with all in 8 s.

    bed.kubectl("get", "pods", "-A").output         # as administrator; KubectlError when it fails
    bed.kubectl("apply", "-f", "-", text=yaml)
    bed.get("deployment", "shop-backend", "-n", "shop")["status"]           # kubectl … -o json, 100 ms
    bed.api.get("apps/v1/deployments", "shop-backend", "shop")["status"]    # the same in 3 ms
    bed.api.list("v1/pods", "shop", labels="app.kubernetes.io/name=shop-backend")
    bed.api.find(…)                                 # None where it is not there
    bed.api.create / patch / apply / delete / watch # ApiError with `status` (404, 409, 422) when refused
    bed.apply_tree("manifests/foundation")          # folders of clusters/<env>, without Argo CD
    bed.wait_until(lambda: …, "what is waited for", timeout=30)             # fails also when a program died
    bed.check()                                     # ProcessError if a program died, with the end of its log

Nodes, as the environment's file has them (`bed.environment.zones`, `.nodes`):

    bed.nodes.names() / .by_zone() / .ready()
    bed.nodes.add(zone=…) / .remove(name) / .make_maximum()
    bed.nodes.cordon(name) / .uncordon(name) / .drain(name, timeout=60)
    bed.nodes.fail(name) / .recover(name) / .lose_zone(zone)
        # the kubelet falls silent: unreachable after 12 s, pods evicted 3 s later
Pods do what their annotations say (`kwok.yaml`), so put them into the pod template:

    bed/start-after: 20s      bed/run-for: 5s (Jobs)      bed/stop-after: 10s
    bed/fail: "1" (a Job's exit status; another pod is not ready any more)       bed/crash: "true"
    kwok.x-k8s.io/usage-cpu: 900m, kwok.x-k8s.io/usage-memory: 300Mi
        # of each container; may be changed on a running pod, too
Custom resources get their status within a second; `bed/status: hold` leaves one to the test, `fail` fails it.

Argo CD (`synced`, or after `bootstrap.run`):

    repository.commit({"manifests/shop-backend/x.yaml": text, "…/y.yaml": None}, "message")   # None removes
    repository.revert()
    applications.refresh(bed), applications.all_of(bed) → {name: Application}, applications.wait_healthy(bed)

Time is scaled, see `programs.py`: Git is looked at every 1 s, Applications every 3 s, self-heal after 1 s,
HPA every second on metrics that are new every 6 s.
"""
