"""Several Elasticsearch hosts, as several nodes of one cluster are: a dead one is set aside while the other is
asked, and used again later. Here each is a port in front of the same server."""
import threading
import time

import pytest
import requests
from proxy import Proxy
from support import eventually, now


class Counted(Proxy):
    """Counts what it lets through to the server."""

    def __init__(self, *address):
        super().__init__(*address)
        self.bytes = 0

    def _carry(self, source, target):
        if target.getpeername() == self.target:
            target = Counting(self, target)
        super()._carry(source, target)


class Counting:
    def __init__(self, proxy, end):
        self.proxy, self.end = proxy, end

    def sendall(self, data):
        self.proxy.bytes += len(data)
        self.end.sendall(data)

    def shutdown(self, how):
        self.end.shutdown(how)


@pytest.fixture
def hosts(place, caes):
    with Counted.of_url(place.elastic.url) as one, Counted.of_url(place.elastic.url) as other:
        caes.configure(http={"readyLag": 5}, sync={"settle": 0.2},
                       ElasticSearchConfig={"hosts": [one.url, other.url], "requestTimeout": 5})
        place.make()
        yield one, other


def status(caes, path="/readyz"):
    return requests.get(caes.status_url + path, timeout=5)


def is_used(proxy, timeout=20):
    before = proxy.bytes
    eventually(lambda: proxy.bytes > before + 1000, timeout)


def travels(place, within):
    """A new record of each side reaches the other one within so many seconds."""
    row, doc = place.write_row(now(), user="row"), place.put_doc(now(), user="doc")
    eventually(lambda: place.doc(row) and place.row(doc), within)


def errors(daemon, since=0):
    return [line for line in daemon.text()[since:].splitlines() if " ERROR " in line]


def watch_readiness(caes, ended, seen):
    while not ended.wait(0.2):
        seen.append(status(caes).status_code)


def test_both_are_used(place, caes, hosts):
    caes.run()
    eventually(lambda: status(caes).ok)
    for host in hosts:
        is_used(host)


@pytest.mark.parametrize("dead", [0, 1])
def test_a_dead_host_holds_nothing_up(place, caes, hosts, dead):
    """It refuses connections: what was on its way there goes to the other one, no cycle fails."""
    host, other = hosts[dead], hosts[1 - dead]
    daemon = caes.run()
    eventually(lambda: status(caes).ok)
    travels(place, 10)
    # A bulk that is cut off is not sent again in its cycle: it may have done its work.
    eventually(lambda: "to Elasticsearch 1 copied" in daemon.text())
    ended, seen = threading.Event(), []
    watcher = threading.Thread(target=watch_readiness, args=(caes, ended, seen))
    watcher.start()
    host.cut()
    try:
        eventually(lambda: f"elasticsearch {host.url} is set aside" in daemon.text(), 10)
        for _ in range(5):
            travels(place, 5)
        is_used(other)
        time.sleep(3)  # it is asked again in between, in vain
    finally:
        ended.set()
        watcher.join()
    assert set(seen) == {200}
    assert errors(daemon) == []
    assert daemon.text().count(f"elasticsearch {host.url} is set aside") == 1, "it is said once"
    assert status(caes, "/status.json").json()["pipelines"][0]["dead_letters"] == 0
    host.mend()
    eventually(lambda: f"elasticsearch {host.url} answers again" in daemon.text(), 40)
    is_used(host)
    is_used(other)
    assert errors(daemon) == [] and daemon.stop() == 0


def test_a_host_that_is_dead_at_the_start(place, caes, hosts):
    hosts[0].cut()
    row = place.write_row(now(), user="row")
    assert caes.sync().code == 0 and place.doc(row)
    daemon = caes.run()
    eventually(lambda: status(caes).ok)
    travels(place, 10)
    assert errors(daemon) == []
    hosts[0].mend()
    eventually(lambda: f"elasticsearch {hosts[0].url} answers again" in daemon.text(), 40)
    is_used(hosts[0])


def test_a_host_that_stands_still(place, caes, hosts):
    """What was sent there must time out first; nothing is sent to it for a while then."""
    daemon = caes.configure(ElasticSearchConfig={"requestTimeout": 1}).run()
    eventually(lambda: status(caes).ok)
    hosts[0].stall()
    eventually(lambda: f"elasticsearch {hosts[0].url} is set aside" in daemon.text(), 10)
    for _ in range(3):
        travels(place, 10)
    hosts[0].mend()
    eventually(lambda: f"elasticsearch {hosts[0].url} answers again" in daemon.text(), 60)
    is_used(hosts[0])
    travels(place, 10)


def test_both_dead(place, caes, hosts):
    daemon = caes.run()
    eventually(lambda: status(caes).ok)
    for host in hosts:
        host.cut()
    key = place.write_row(now(), user="waits")

    def refused():  # what was on its way at first may have been cut off
        told = status(caes, "/status.json").json()["pipelines"][0]["failure"]["message"]
        return "connect" in told and any(h.url in told for h in hosts)

    eventually(refused)
    eventually(lambda: status(caes).status_code == 503)
    hosts[1].mend()
    eventually(lambda: place.doc(key), 60)
    eventually(lambda: status(caes).ok)
    hosts[0].mend()
    eventually(lambda: f"elasticsearch {hosts[0].url} answers again" in daemon.text(), 60)
