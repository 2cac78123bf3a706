"""Elasticsearch that is broken or wants harm: whatever it answers, memory stays bounded, the log says in
one line what is wrong with whom, no record becomes a dead letter, and once it behaves the daemon
goes on by itself, on new connections."""
import pytest
from raid import Raided
from support import Place
import hostile
from hostile import HostileHttp, chunked, http, said


@pytest.fixture(scope="module")
def place(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made.make()


@pytest.fixture(scope="module")
def elastic(place, tmp_path_factory):
    with HostileHttp(place.elastic.url) as port:
        runner = Raided(place, tmp_path_factory.mktemp("http"), port, f"elasticsearch {port.url}")
        with runner.configure(
                interval=0.2, ElasticSearchConfig={
                    "hosts": [port.url], "requestTimeout": "5s", "username": "u",
                    "password": "hush-hush"}) as caes:
            yield caes.start()
            assert caes.daemon.stop() == 0  # no leak either
            assert "hush-hush" not in caes.daemon.text()


def anything(request):
    return True


def bulk(request):
    return "/_bulk" in request.path


def search(request):
    return "_search" in request.path and "scroll" not in request.path


HTML = b"<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body>\x00\x1b[2J</body></html>"
ITEM = b'{"index":{"status":201}},'


def endless_header(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    hostile.pour(connection, b"X-Endless: and so on\r\n")


def endless_line(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    hostile.pour(connection, b"and so on ")


def endless_continue(connection, request):
    hostile.pour(connection, b"HTTP/1.1 100 Continue\r\n\r\n")


def gigabyte(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % hostile.GIGABYTE)
    hostile.pour(connection, ITEM)


def slow_header(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    hostile.drip(connection, b"X")


def slow_body(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    hostile.drip(connection, b" ")


HTTP = {
    "a body without an end": (chunked(b" "), ["longer than"], anything),
    "a bulk's answer without an end": (chunked(ITEM, b'{"items":['), ["longer than"], bulk),
    "a bulk's answer of a gigabyte": (gigabyte, ["longer than"], bulk),
    "a search's answer of a gigabyte": (gigabyte, ["longer than"], search),
    "more values than anybody needs": (
        said(http(b"[" + b"0," * 20000000 + b"0]")), ["values"], anything),
    "nested too deep": (said(http(b"[" * 100000)), ["nested deeper"], anything),
    "headers without an end": (endless_header, ["Too large response headers"], anything),
    "a header without an end": (endless_line, ["too long"], anything),
    "one interim answer after the other": (endless_continue, ["Too large response headers"], anything),
    "a header that comes slowly": (slow_header, ["within 5 s"], anything),
    "a body that comes slowly": (slow_body, ["within 5 s"], anything),
    "nothing": (said(), ["returned nothing"], anything),
    "no HTTP": (said(b"\x00\x01\x02 not HTTP at all\r\n\r\n" * 9), ["HTTP/0.9"], anything),
    "a body that is cut off": (
        said(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"took\":1"), ["bytes remaining"], anything),
    "chunks of nonsense": (
        said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), [], anything),
    "a negative length": (
        said(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"), [], anything),
    "a page of a proxy": (
        said(http(HTML, "502 Bad Gateway", "text/html")), ["502", "Bad gateway"], anything),
    "a page in place of an answer": (said(http(HTML, kind="text/html")), ["read"], anything),
    "half of an answer": (said(http(b'{"hits":{"hits":[{"_id":"')), ["read"], anything),
    "an empty answer": (said(http(b"")), ["read"], anything),
    "a long complaint": (
        said(http(b'{"error":{"type":"x","reason":"' + b"long\\n" * 2000000 + b'"},"status":400}',
                  "400 Bad Request")), ["400", "long"], anything),
    "a bulk's answer of nothing": (said(http(b'{"items":[]}')), ["outcomes"], bulk),
    "a bulk's answer of another kind": (
        said(http(b'{"items":[{"index":{"status":"fine"}}]}')), ["bulk"], bulk),
    "a bulk's answer with an impossible status": (
        said(http(b'{"items":[{"index":{"status":-99999999999999999999}}]}')), ["bulk"], bulk),
    "hits that are none": (
        said(http(b'{"_shards":{"total":1,"successful":1,"failed":0},"hits":{"hits":[7]}}')),
        ["document"], search),
    "shards that make no sense": (
        said(http(b'{"_shards":{"total":-1,"successful":1e99,"failed":"x"},"hits":{"hits":{}}}')),
        [], search),
}


@pytest.mark.parametrize("name", HTTP)
def test_elasticsearch(name, elastic):
    elastic.raid(*HTTP[name])


def test_a_redirect_is_not_followed(elastic):
    with HostileHttp(elastic.place.elastic.url) as elsewhere:
        elsewhere.war(said(http(b"{}")))
        elastic.raid(said(http(b"", "307 Temporary Redirect",
                               Location=f"{elsewhere.url}/stolen")),
                     ["redirects to", elsewhere.url], anything)
        assert elsewhere.attacked == 0
