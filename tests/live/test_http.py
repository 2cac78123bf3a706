"""Page, metrics and health of a running daemon: what they say, who may read them, and that nobody who
reads them, however badly, keeps the sync from its work."""
import json
import os
import socket
import statistics
import threading
import time

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from proxy import Proxy
from support import eventually, free_port, now

PATHS = ["/", "/status.json", "/metrics", "/healthz", "/readyz"]
WAYS = {"to_elasticsearch", "to_cassandra"}
SERVERS = {"elasticsearch", "cassandra"}
CASSANDRA_OPERATIONS = {"read", "write", "batch", "prepare"}
ELASTICSEARCH_OPERATIONS = {"bulk", "search", "get", "refresh"}


def get(caes, path, **options):
    return requests.get(caes.status_url + path, timeout=15, **options)


def up(caes, **options):
    """Waits until the daemon is ready; its first answer that says so."""
    return eventually(lambda: (r := get(caes, "/readyz", **options)).ok and r, 30)


class Metrics:
    """One scrape, read by an independent parser."""

    def __init__(self, caes):
        answer = get(caes, "/metrics")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.families = {f.name: f for f in text_string_to_metric_families(answer.text)}

    def samples(self, name, **labels):
        for family in self.families.values():
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    yield sample

    def value(self, name, **labels):
        found = list(self.samples(name, **labels))
        assert len(found) == 1, f"{name} {labels}: {found}"
        return found[0].value

    def labels(self, name, label):
        return {s.labels[label] for s in self.samples(name)}


def lag(caes, way="to_cassandra"):
    return Metrics(caes).value("caes_lag_seconds", direction=way)


# --- what is said


def test_metrics(place, caes):
    place.make()
    caes.run()
    up(caes)
    for i in range(12):
        place.write_row(now(), user=f"r{i}", message="hello")
    for i in range(5):
        place.put_doc(now(), user=f"d{i}", message="hello")
    place.put_doc(now(), key="no-uuid", user="x", message="hello")
    copied = {"pipeline": "default", "result": "copied"}
    eventually(lambda: Metrics(caes).value("caes_records_total", direction="to_elasticsearch",
                                           **copied) == 12)
    eventually(lambda: Metrics(caes).value("caes_records_total", direction="to_cassandra",
                                           **copied) == 5)
    place.put_doc(now(), user="alone", message="no batch")
    eventually(lambda: Metrics(caes).value("caes_records_total", direction="to_cassandra",
                                           **copied) == 6)
    m = eventually(lambda: (m := Metrics(caes)).value("caes_dead_letters") == 1 and m)
    assert m.value("caes_records_total", direction="to_cassandra", result="dead") == 1
    assert m.labels("caes_records_total", "direction") == WAYS
    assert m.labels("caes_records_total", "result") == {"copied", "deleted", "superseded",
                                                        "unchanged", "dead"}
    assert m.labels("caes_lag_seconds", "direction") == WAYS
    for server in SERVERS:
        assert abs(m.value("caes_checkpoint_version", server=server) - now()) < 30
        assert m.value("caes_up", server=server) == 1
    assert m.labels("caes_retries_total", "reason") == {"timeout", "overloaded", "unavailable",
                                                        "connection"}
    assert m.value("caes_paused") == m.value("caes_gap") == m.value("caes_stuck") == 0
    assert m.value("caes_ready") == 1
    assert m.value("process_resident_memory_bytes") > 1e6
    assert m.value("process_cpu_seconds_total") > 0
    assert abs(m.value("process_start_time_seconds") - time.time()) < 60
    assert 5 < m.value("process_open_fds") < m.value("process_max_fds")
    version = caes.command("version").out.split()[1]
    assert m.value("caes_build_info", version=version) == 1

    assert m.value("caes_cycle_seconds_count") >= 2
    for server, operations in (("cassandra", CASSANDRA_OPERATIONS),
                               ("elasticsearch", ELASTICSEARCH_OPERATIONS)):
        seen = {s.labels["operation"] for s in m.samples("caes_request_seconds_count",
                                                         server=server)}
        assert seen == operations | {"other"}
    for operation in ("read", "write", "prepare", "bulk", "search", "refresh"):
        assert m.value("caes_request_seconds_count", operation=operation) > 0, operation
        buckets = [s.value for s in m.samples("caes_request_seconds_bucket", operation=operation)]
        assert buckets == sorted(buckets)
        assert buckets[-1] == m.value("caes_request_seconds_count", operation=operation)
        assert m.value("caes_request_seconds_sum", operation=operation) < 60
    kinds = {name: family.type for name, family in m.families.items()}
    assert kinds["caes_records"] == kinds["caes_retries"] == "counter"
    assert kinds["caes_lag_seconds"] == kinds["caes_up"] == "gauge"
    assert kinds["caes_cycle_seconds"] == kinds["caes_request_seconds"] == "histogram"
    assert all(family.documentation for family in m.families.values())


def test_the_page_of_metrics_names_them_all(place, caes):
    place.make()
    caes.run()
    up(caes)
    page = caes.command("help", "metrics", "--markdown").out
    for family in Metrics(caes).families.values():
        suffix = "_total" if family.type == "counter" else ""
        assert f"`{family.name}{suffix}`" in page


def test_status_is_one_snapshot(place, caes):
    place.make()
    caes.run()
    up(caes)
    web, local = get(caes, "/status.json").json(), caes.command("status", "--json").json
    assert web.keys() == local.keys()
    ours, theirs = web["pipelines"][0], local["pipelines"][0]
    assert ours.keys() == theirs.keys()
    assert ours["servers"].keys() == SERVERS and ours["lag_seconds"].keys() == WAYS
    assert web["ready"] and web["healthy"] and ours["state"]["name"] == "in_sync"
    assert ours["last_verify"] is None and ours["failure"] is None
    assert ours["servers"]["cassandra"]["holds"] == f"{place.keyspace}.data"
    assert len(ours["history"]["to_cassandra"]["lag_seconds"]) >= 1
    for name in ("cycles", "dead_letters", "highest_version", "to_elasticsearch"):
        assert name in ours


def test_a_quiet_pair_lags_by_the_interval(place, caes):
    place.make()
    caes.configure(interval=3).run()
    up(caes)
    seen = []
    for _ in range(30):
        seen += [s.value for s in Metrics(caes).samples("caes_lag_seconds")]
        time.sleep(0.25)
    assert min(seen) >= 0
    assert 2 < max(seen) and sorted(seen)[len(seen) * 3 // 4] < 5  # one may have been slow
    assert min(seen) < 1.5


def test_an_outage(place, caes):
    place.make()
    with Proxy.of_url(place.elastic.url) as proxy:
        caes.configure(http={"readyLag": 4}, ElasticSearchConfig={"hosts": [proxy.url]})
        daemon = caes.run()
        up(caes)
        before = Metrics(caes)
        proxy.cut()
        down = eventually(lambda: (r := get(caes, "/readyz")).status_code == 503
                          and "Elasticsearch is down" in r.text and r.text)
        assert f":{proxy.port}" in down
        assert get(caes, "/healthz").text == "ok\n"
        state = eventually(lambda: (s := get(caes, "/status.json").json()["pipelines"][0])
                           ["state"]["name"] == "waiting" and s)
        assert state["state"]["text"].startswith("Waiting for Elasticsearch since ")
        assert state["state"]["level"] in ("attention", "trouble")
        assert not state["servers"]["elasticsearch"]["up"] and state["servers"]["cassandra"]["up"]
        begun, first = time.monotonic(), lag(caes)
        time.sleep(3)
        assert 2 < lag(caes) - first < time.monotonic() - begun + 2
        eventually(lambda: "the lag to Cassandra is" in get(caes, "/readyz").text)
        during = Metrics(caes)
        assert during.value("caes_up", server="elasticsearch") == 0
        assert during.value("caes_up", server="cassandra") == 1
        assert during.value("caes_ready") == 0 and during.value("caes_stuck") == 0
        refused = {"server": "elasticsearch", "reason": "connection"}
        assert during.value("caes_retries_total", **refused) > before.value("caes_retries_total",
                                                                            **refused)
        assert during.value("caes_cycle_failures_total") > 0
        proxy.mend()
        up(caes)
        eventually(lambda: lag(caes) < 4)
        eventually(lambda: Metrics(caes).value("caes_up", server="elasticsearch") == 1)
        assert "stuck" not in daemon.text()


def test_a_server_that_says_nothing(place, caes):
    """It is waited for, and that is no reason to call the daemon stuck."""
    place.make()
    with Proxy.of_url(place.elastic.url) as proxy:
        caes.configure(ElasticSearchConfig={"hosts": [proxy.url], "requestTimeout": 30})
        caes.run()
        up(caes)
        proxy.stall()
        text = eventually(lambda: (s := get(caes, "/status.json").json()["pipelines"][0]["state"])
                          ["name"] == "waiting" and s["text"])
        assert text.startswith("Waiting for Elasticsearch, which has answered nothing for ")
        assert get(caes, "/healthz").ok
        proxy.mend()
        eventually(lambda: get(caes, "/status.json").json()["pipelines"][0]["state"]["name"] ==
                   "in_sync", 40)


def test_servers_that_are_not_there(place, caes):
    caes.configure(CassandraConfig={"contactPoints": ["127.0.0.1"], "port": free_port()})
    caes.run()
    words = eventually(lambda: "Cassandra is down" in (t := get(caes, "/readyz").text) and t)
    assert "Elasticsearch has not answered yet" in words
    state = get(caes, "/status.json").json()["pipelines"][0]["state"]
    assert state["text"].startswith("Waiting for Cassandra since ")
    assert get(caes, "/").ok and get(caes, "/metrics").ok


def test_a_gap_is_not_ready(place, caes):
    place.make()
    caes.configure(CassandraConfig={"ttl": 3}, sync={"overlap": 2, "settle": 0.1})
    caes.sync()
    time.sleep(4)
    caes.run()
    eventually(lambda: "gap" in (r := get(caes, "/readyz")).text and r.status_code == 503)
    assert Metrics(caes).value("caes_gap") == 1
    eventually(lambda: get(caes, "/status.json").json()["pipelines"][0]["state"]["name"] == "gap")


# --- who may read


def test_what_is_asked(place, caes):
    place.make()
    caes.run()
    up(caes)
    for path in PATHS:
        answer = get(caes, path)
        assert answer.ok and answer.headers["Cache-Control"] == "no-store", path
        head = requests.head(caes.status_url + path, timeout=5)
        assert head.status_code == 200 and head.text == ""
        assert requests.post(caes.status_url + path, data="x", timeout=5).status_code == 405
    assert get(caes, "/?q=1").ok and get(caes, "/metrics?format=text").ok
    for path in ("/nothing", "/../etc/passwd", "/metrics/", "/%2e%2e/"):
        assert get(caes, path).status_code == 404, path
    policy = get(caes, "/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_a_token(place, caes):
    place.make()
    caes.configure(http={"token": "open-sesame"})
    caes.run()
    good = {"Authorization": "Bearer open-sesame"}
    up(caes, headers=good)
    for path in PATHS:
        for headers in ({}, {"Authorization": "Bearer open-sesam"}, {"Authorization": "open-sesame"},
                        {"Authorization": "Bearer open-sesame1"}, {"Authorization": "Bearer"}):
            refused = get(caes, path, headers=headers)
            assert refused.status_code == 401, (path, headers)
            assert "Bearer" in refused.headers["WWW-Authenticate"]
            assert place.keyspace not in refused.text
        assert get(caes, path, headers=good).ok
        assert get(caes, path, auth=("anybody", "open-sesame")).ok  # what a browser asks for
        assert get(caes, path, auth=("open-sesame", "x")).status_code == 401
    caes.folder.joinpath("token").write_text("from-a-file\n")
    caes.configure(http={"token": None, "tokenFile": str(caes.folder / "token")})
    caes.argv()
    caes.command("reload")
    up(caes, headers={"Authorization": "Bearer from-a-file"})
    assert get(caes, "/", headers=good).status_code == 401


@pytest.mark.parametrize("http, words", [
    ({"listen": "0.0.0.0:{port}"}, "others than this machine could read it; set http.token"),
    ({"listen": ":{port}"}, "others than this machine could read it; set http.token"),
    ({"listen": "[::]:{port}", "token": None}, "others than this machine could read it"),
    ({"listen": "example.org:{port}"}, "is no address to listen on"),
    ({"listen": "127.0.0.1"}, "is no address to listen on"),
    ({"token": "two words"}, "can't be sent in a header"),
])
def test_listeners_that_are_refused(place, caes, http, words):
    caes.configure(http={k: v and v.format(port=free_port()) for k, v in http.items()})
    for command in ("run", "status"):
        refused = caes.command(command, code=2)
        assert words in refused.err and refused.err.count("\n") == 1
        assert "config.yaml:" in refused.err


def test_listeners_beyond_this_machine(place, caes):
    place.make()
    port = free_port()
    caes.configure(http={"listen": f":{port}", "token": "open-sesame"}).run()
    url = f"http://127.0.0.1:{port}/healthz"
    eventually(lambda: requests.get(url, timeout=5).status_code == 401)
    caes.daemons[-1].stop()
    caes.configure(http={"token": None, "insecure": True}).run()
    eventually(lambda: requests.get(url, timeout=5).ok)


def test_off(place, caes):
    place.make()
    port = int(caes.config["http"]["listen"].split(":")[1])
    caes.configure(http={"listen": "off"}).run()
    eventually(lambda: caes.command("status", code=None).code == 0)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_an_address_that_is_taken(place, caes):
    """The sync does not depend on it, and it is tried again."""
    place.make()
    with socket.socket() as taken:
        host, port = caes.config["http"]["listen"].split(":")
        taken.bind((host, int(port)))
        taken.listen()
        daemon = caes.run()
        key = place.write_row(now(), user="a", message="hello")
        eventually(lambda: place.doc(key))
        eventually(lambda: "no status page at" in daemon.text())
        assert "Address already in use" in daemon.text()
    up(caes)


def test_a_reload(place, caes):
    place.make()
    daemon = caes.run()
    up(caes)
    key = place.write_row(now(), user="a", message="hello")
    eventually(lambda: place.doc(key))
    eventually(lambda: Metrics(caes).value("caes_records_total", direction="to_elasticsearch",
                                           result="copied") == 1)
    before, old = Metrics(caes), caes.status_url
    caes.configure(http={"listen": f"127.0.0.1:{free_port()}"}).argv()
    caes.command("reload")
    up(caes)
    after = Metrics(caes)
    assert after.value("caes_records_total", direction="to_elasticsearch", result="copied") == 1
    for name in ("caes_cycle_seconds_count", "process_start_time_seconds"):
        assert after.value(name) >= before.value(name)
    with pytest.raises(requests.ConnectionError):
        requests.get(old, timeout=5)
    assert daemon.running()


# --- those who read badly


class Crowd:
    """Clients that keep sending something bad, each in its own way, until the end."""

    def __init__(self, caes):
        host, port = caes.config["http"]["listen"].split(":")
        self.address, self.over, self.threads = (host, int(port)), threading.Event(), []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def join(self, count, behaviour):
        for _ in range(count):
            thread = threading.Thread(target=self._live, args=(behaviour,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _live(self, behaviour):
        while not self.over.is_set():
            try:
                with socket.create_connection(self.address, timeout=5) as s:
                    behaviour(self, s)
            except OSError:
                self.over.wait(0.05)

    # How they behave:

    def drip(self, s):
        """A header, one byte at a time."""
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        while not self.over.wait(0.5):
            s.sendall(b"a")

    def sit(self, s):
        """Says nothing."""
        s.settimeout(0.5)
        while not self.over.is_set():
            try:
                if not s.recv(1):
                    return
            except socket.timeout:
                pass

    def sip(self, s):
        """Asks, and does not take the answer."""
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not self.over.wait(0.5):
            if not s.recv(1):
                return

    def babble(self, s):
        s.sendall(os.urandom(4096))
        s.recv(100)

    def shout(self, s):
        """Headers, then a body, without end."""
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        while not self.over.is_set():
            s.sendall(b"x" * 65536)

    def boast(self, s):
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100000 + b"\r\n\r\n")
        s.recv(100)

    def hurry(self, s):
        """Asks again and again."""
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while s.recv(65536):
            pass


def time_of_a_copy(place):
    start = time.monotonic()
    key = place.write_row(now(), user="timed", message="hello")
    eventually(lambda: place.doc(key), pause=0.02)
    return time.monotonic() - start


def copies(place, count=12):
    return statistics.median(time_of_a_copy(place) for _ in range(count))


@pytest.mark.parametrize("behaviour", ["drip", "sit", "sip", "babble", "shout", "boast", "hurry"])
def test_a_crowd_does_not_touch_the_sync(place, caes, behaviour):
    place.make()
    caes.configure(interval=0.1)
    daemon = caes.run()
    up(caes)
    alone = copies(place)
    before = Metrics(caes)
    with Crowd(caes) as crowd:
        crowd.join(4 if behaviour in ("hurry", "shout", "babble") else 60, getattr(Crowd, behaviour))
        crowded = copies(place)
        # People get through, too, if not at once.
        eventually(lambda: get(caes, "/healthz").ok, 40)
    if crowded >= alone * 3 + 0.3:  # others may have been at work at the same time
        alone = max(alone, copies(place))
    assert crowded < alone * 3 + 0.3, (alone, crowded)
    assert daemon.running()
    after = up(caes) and Metrics(caes)
    assert after.value("process_resident_memory_bytes") < \
        before.value("process_resident_memory_bytes") + 64e6
    eventually(lambda: Metrics(caes).value("process_open_fds") <=
               before.value("process_open_fds") + 4, 30)


def test_500_connections(place, caes):
    place.make()
    caes.configure(interval=0.1)
    daemon = caes.run()
    up(caes)
    alone = copies(place)
    host, port = caes.config["http"]["listen"].split(":")
    held = []
    for _ in range(500):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((host, int(port)))
        held.append(s)
    assert copies(place) < alone * 3 + 0.3
    fds = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    assert fds < 150
    eventually(lambda: get(caes, "/healthz").ok, 60)  # they are driven out, a batch a second
    for s in held:
        s.close()
    up(caes)


@pytest.mark.parametrize("request_text", [
    b"GET", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n", b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n", b"GET /" + b"a" * 70000,
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
])
def test_garbage(place, caes_up, request_text):
    caes, daemon = caes_up
    host, port = caes.config["http"]["listen"].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as s:
        try:
            s.sendall(request_text)
            while s.recv(65536):  # an answer or not, it ends
                pass
        except ConnectionError:
            pass
    assert daemon.running() and get(caes, "/healthz").ok


@pytest.fixture
def caes_up(caes, place):
    """A daemon that listens; what it syncs is of no importance."""
    daemon = caes.run()
    eventually(lambda: get(caes, "/healthz").ok)
    return caes, daemon


def test_it_ends_under_load(place, caes):
    place.make()
    daemon = caes.run()
    up(caes)
    with Crowd(caes) as crowd:
        crowd.join(20, Crowd.sit)
        crowd.join(3, Crowd.hurry)
        time.sleep(1)
        assert daemon.stop(20) == 0


def test_json_of_a_name_that_is_no_utf8(place, caes):
    """The configuration's own name comes into the page."""
    place.make()
    folder = caes.folder / "h\udcffme"
    os.mkdir(os.fsencode(folder))
    caes.file = folder / "config.yaml"
    caes.run()
    up(caes)
    json.loads(get(caes, "/status.json").content.decode("utf-8"))
    assert "config.yaml" in get(caes, "/").content.decode("utf-8")
