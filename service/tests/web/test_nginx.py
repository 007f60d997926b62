"""The real nginx with the storefront's configuration, before a backend that misbehaves."""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.web.servers import SERVICE, Backend, Nginx, free_port, until

pytestmark = pytest.mark.nginx


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def nginx(tmp_path: Path, dist: Path, backend: Backend) -> Iterator[Nginx]:
    made = Nginx(tmp_path, dist, f"http://127.0.0.1:{backend.port}")
    made.start()
    yield made
    if made.process.poll() is None:
        made.quit()


@pytest.fixture
def client(nginx: Nginx) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=nginx.url) as made:
        yield made


# -- the catalogue and its cache ----


def test_a_thousand_eyes_cost_the_backend_one_request(
    nginx: Nginx, client: httpx.Client, backend: Backend
) -> None:
    answers = [client.get("/api/v1/products?lang=bn") for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert len(backend.seen) < 10  # one a second
    until(lambda: nginx.cached("hit") + nginx.cached("stale") + nginx.cached("miss") == 50, "50 are counted")
    assert nginx.cached("miss") >= 1
    assert nginx.cached("hit") > 30


def test_many_at_once_wait_for_one(client: httpx.Client, backend: Backend) -> None:
    backend.delay = 0.4
    threads = [threading.Thread(target=client.get, args=("/api/v1/products/a-saree",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(backend.seen) == 1


def test_what_is_new_is_seen_within_moments(client: httpx.Client, backend: Backend) -> None:
    assert client.get("/api/v1/products").json() == {"items": []}
    backend.body = b'{"items":[1]}'
    until(lambda: client.get("/api/v1/products").json() == {"items": [1]}, "the new list")


@pytest.mark.parametrize("trouble", ["down", "shedding", "broken"])
def test_while_the_backend_is_away_shoppers_see_what_was(
    nginx: Nginx, client: httpx.Client, backend: Backend, trouble: str
) -> None:
    assert client.get("/api/v1/products").status_code == 200
    if trouble == "down":
        backend.stop()
    else:
        backend.status = 503 if trouble == "shedding" else 500

    def stale_counted() -> bool:
        answer = client.get("/api/v1/products")
        assert (answer.status_code, answer.json()) == (200, {"items": []})
        return nginx.cached("stale") >= 1

    until(stale_counted, "an answer counted as stale")
    if trouble == "down":
        backend.start(backend.port)


def test_without_a_copy_the_shopper_is_told_when_to_come_again(tmp_path: Path, dist: Path) -> None:
    nginx = Nginx(tmp_path, dist, f"http://127.0.0.1:{free_port()}")
    nginx.start()
    try:
        answer = httpx.get(f"{nginx.url}/api/v1/products")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.json()["code"] == "unavailable"
        assert httpx.get(f"{nginx.url}/bn/").status_code == 200
    finally:
        assert nginx.quit() == 0


def test_a_shed_request_comes_as_the_backend_said_it(client: httpx.Client, backend: Backend) -> None:
    backend.status = 503
    backend.headers |= {"Retry-After": "7", "Content-Type": "application/problem+json"}
    backend.body = b'{"code":"overloaded"}'
    answer = client.get("/api/v1/products")
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert answer.headers.get_list("Retry-After") == ["7"]


def test_a_404_of_the_catalogue_stays_a_problem(client: httpx.Client, backend: Backend) -> None:
    backend.status, backend.body = 404, b'{"code":"unknown_product"}'
    answer = client.get("/api/v1/products/gone")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_product")


def test_only_what_the_catalogue_knows_reaches_it(client: httpx.Client, backend: Backend) -> None:
    client.get("/api/v1/products?utm=1&page=2&lang=en&lang=bn&q=%E0%A6%B6")
    client.get("/api/v1/products?q=%E0%A6%B6&lang=en&page=2&utm=2")
    assert [seen.path for seen in backend.seen] == ["/api/v1/products?lang=en&q=%E0%A6%B6&page=2"]


def test_who_asks_is_passed_on(client: httpx.Client, backend: Backend) -> None:
    edge = {"X-Client-Address": "203.0.113.9", "X-Request-Id": "0123456789abcdef"}
    answer = client.get("/api/v1/products", headers=edge)
    assert answer.headers.get_list("X-Request-Id") == ["0123456789abcdef"]
    assert {name: backend.seen[0].headers[name] for name in edge} == edge


def test_nonsense_in_those_headers_is_not_passed_on(client: httpx.Client, backend: Backend) -> None:
    bad = {"X-Client-Address": '"><script>', "X-Request-Id": "short", "Cookie": "a=b"}
    client.get("/api/v1/products", headers=bad)
    headers = backend.seen[0].headers
    assert headers["X-Client-Address"] == "127.0.0.1"
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])


def test_connections_to_the_backend_are_kept(client: httpx.Client, backend: Backend) -> None:
    for page in range(1, 9):
        client.get(f"/api/v1/products?page={page}")
    assert len({seen.connection for seen in backend.seen}) == 1


def test_one_compressed_copy_serves_all(client: httpx.Client, backend: Backend) -> None:
    plain = b'{"items":["' + b"x" * 5000 + b'"]}'
    backend.body = gzip.compress(plain, mtime=0)
    backend.headers["Content-Encoding"] = "gzip"
    packed = client.get("/api/v1/products", headers={"Accept-Encoding": "gzip"})
    opened = client.get("/api/v1/products", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in opened.headers
    assert packed.content == opened.content == plain
    assert len(backend.seen) == 1
    assert backend.seen[0].headers["Accept-Encoding"] == "gzip"


def test_what_the_browser_has_is_not_sent_again(client: httpx.Client) -> None:
    tag = client.get("/api/v1/products").headers["ETag"]
    again = client.get("/api/v1/products", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_head_has_the_headers_alone(client: httpx.Client) -> None:
    answer = client.head("/api/v1/products")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/api/v1/products", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/products/a", 405, "method_not_allowed"),
        ("POST", "/api/v1/orders", 404, "not_found"),
        ("GET", "/api/v1/admin/orders", 404, "not_found"),
        ("GET", "/api/v1/products/../admin", 404, "not_found"),
        ("GET", "/api/v1/products/A%20B", 404, "not_found"),
    ],
)
def test_nothing_but_the_catalogue_goes_through(
    client: httpx.Client, backend: Backend, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert backend.seen == []


def test_a_flood_from_one_address_is_slowed_down_and_others_are_not(client: httpx.Client) -> None:
    flood = [
        client.get("/api/v1/products", headers={"X-Client-Address": "203.0.113.9"}).status_code
        for _ in range(1500)
    ]
    refused = client.get("/api/v1/products", headers={"X-Client-Address": "203.0.113.9"})
    assert set(flood) <= {200, 429}
    if 429 in flood:  # a machine too slow for a flood refuses nobody
        assert refused.headers.get("Retry-After", "1") == "1"
    assert client.get("/api/v1/products", headers={"X-Client-Address": "203.0.113.8"}).status_code == 200


# -- pages ----


def test_the_way_in(client: httpx.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/bn/")
    page = client.get("/bn/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<html lang="bn">' in page.text
    assert client.get("/bn").headers["Location"] == "/bn/"


@pytest.mark.parametrize(
    ("path", "language"), [("/bn/nothing", "bn"), ("/en/nothing.html", "en"), ("/x", "bn")]
)
def test_a_real_404(client: httpx.Client, path: str, language: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"


def test_pages_of_staff_are_kept_and_found_nowhere(client: httpx.Client) -> None:
    for path in ("/admin", "/admin/", "/admin/bn"):
        assert client.get(path).headers["Location"] == "/admin/bn/"
    for path in ("/admin/bn/", "/admin/en/order.html"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers.get_list("Cache-Control") == ["no-store"]
        assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "X-Robots-Tag" not in client.get("/bn/").headers
    assert '<html lang="en">' in client.get("/admin/en/nothing.html").text


def test_assets_are_kept_for_ever_and_pages_asked_for_anew(client: httpx.Client) -> None:
    page = client.get("/bn/")
    style = re.search(r'href="(/assets/shop\.[0-9a-f]{10}\.css)"', page.text)
    assert style
    asset = client.get(style[1], headers={"Accept-Encoding": "gzip"})
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert asset.headers["Content-Encoding"] == "gzip"
    assert asset.headers["Vary"] == "Accept-Encoding"
    assert asset.headers["Content-Type"] == "text/css; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    again = client.get("/bn/", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/bn/", "/admin/bn/", "/nothing", "/api/v1/products", "/api/v1/orders", "/favicon.svg"]
)
def test_every_answer_has_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    for name, value in {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
    }.items():
        assert headers.get_list(name) == [value]
    assert headers["Server"] == "nginx"


@pytest.mark.parametrize("path", ["/bn/", "/admin/bn/"])
def test_the_pages_say_the_same_policy_themselves(client: httpx.Client, path: str) -> None:
    page = client.get(path)
    said = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page.text)
    assert said
    assert page.headers["Content-Security-Policy"] == f"{said[1]}; frame-ancestors 'none'"


# -- operation ----


def test_probes_and_metrics(nginx: Nginx, client: httpx.Client) -> None:
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200
    metrics = nginx.metrics()
    assert metrics["nginx_connections_active"] >= 1
    assert metrics["nginx_http_requests_total"] >= 3
    assert client.get("/metrics").status_code == 404  # port 9000 alone
    assert httpx.get(f"http://127.0.0.1:{nginx.metrics_port}/status").status_code == 404


def test_counts_never_fall_and_their_files_stay_small(nginx: Nginx, client: httpx.Client) -> None:
    for expected in (10.0, 20.0):
        for _ in range(10):
            client.get("/api/v1/products")
        until(lambda: sum(map(nginx.cached, ("hit", "miss", "stale"))) == expected, f"{expected} are counted")  # noqa: B023
    client.get("/readyz")
    assert [path.stat().st_size for path in (nginx.folder / "state/counts").glob("[hms]*")] == [0, 0, 0]


def test_the_log_is_json_and_says_nothing_about_anybody(nginx: Nginx, client: httpx.Client) -> None:
    client.get(
        "/api/v1/products/a-saree?q=secret", headers={"Cookie": "token=secret", "User-Agent": "secret"}
    )
    client.get("/bn/order.html?number=SECRET")
    client.get("/secret")
    until(lambda: nginx.log.read_bytes().count(b"\n") >= 3, "three lines")
    text = nginx.log.read_text()
    assert "secret" not in text.lower()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["route"] for line in lines] == ["/api/v1/products/{slug}", "/bn/order.html", "other"]
    assert [line["status"] for line in lines] == [200, 200, 404]
    wanted = {
        "time",
        "level",
        "message",
        "request_id",
        "method",
        "route",
        "status",
        "duration_seconds",
        "client",
    }
    assert all(wanted <= line.keys() for line in lines)


def test_draining_finishes_what_is_in_flight_and_takes_nothing_new(nginx: Nginx, backend: Backend) -> None:
    backend.delay = 1.0
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(httpx.get(f"{nginx.url}/api/v1/products")))
    asking.start()
    until(lambda: backend.seen, "the request is in flight")
    assert nginx.quit() == 0
    asking.join()
    assert answers[0].status_code == 200
    assert answers[0].headers["Connection"] == "close"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{nginx.url}/readyz")


def test_a_slow_client_does_not_hold_a_place(nginx: Nginx) -> None:
    configuration = (nginx.folder / "state/nginx.conf").read_text()
    assert "client_header_timeout 10s" in configuration
    with socket.create_connection(("127.0.0.1", nginx.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000)
        assert b"400" in slow.recv(100)


def test_everything_is_written_in_its_own_folder(nginx: Nginx) -> None:
    configuration = (nginx.folder / "state/nginx.conf").read_text()
    written = re.findall(r"(?:_temp_path|proxy_cache_path|pid|access_log) (\S+?);?[ \n]", configuration)
    outside = {path for path in written if not path.startswith(str(nginx.folder / "state"))}
    assert outside <= {"/dev/stdout", "off", "off;"}


# -- the entrypoint ----


@pytest.mark.parametrize(
    "url",
    ["https://backend", "http://a b", "http://backend/path", "http://x;}", "backend:8000", "http://a|b"],
)
def test_an_address_that_can_not_be_used_is_a_clean_line(tmp_path: Path, dist: Path, url: str) -> None:
    nginx = Nginx(tmp_path, dist, url)
    done = subprocess.run(
        [str(SERVICE / "nginx/entrypoint.sh")], env=nginx.environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("entrypoint: SHOP_BACKEND_URL")
    assert not (tmp_path / "state").exists()


def test_name_servers_are_those_of_the_pod(tmp_path: Path, dist: Path) -> None:
    (tmp_path / "resolv.conf").write_text("search shop.svc\nnameserver 10.0.0.10\nnameserver fd00::a\n")
    nginx = Nginx(tmp_path, dist, "http://127.0.0.1")
    environment = nginx.environment | {"NGINX_RESOLV_CONF": str(tmp_path / "resolv.conf")}
    done = subprocess.run(
        [str(SERVICE / "nginx/entrypoint.sh"), "-t"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    configuration = (tmp_path / "state/nginx.conf").read_text()
    assert "resolver 10.0.0.10 [fd00::a]  valid=10s ipv6=off;" in configuration
    assert "server 127.0.0.1:80" in configuration
