"""Servers that are broken or want harm: whatever they answer, memory stays bounded, the log says in
one line what is wrong with whom, and once they behave the daemon goes on by itself, on new
connections. With AddressSanitizer and UBSan where that build is there."""
import os
import re
import struct
import sys
from pathlib import Path

import pytest
import support
from support import Caes, Place, eventually, now

sys.path.insert(0, str(support.ROOT / "tests" / "fake"))
import hostile  # noqa: E402
from hostile import HostileCql, HostileHttp, answer, chunked, envelope, http, raw, said, segment  # noqa: E402

SANITIZED = support.ROOT / "build/asan/caes-sync"
MEMORY = 1500  # MiB, under AddressSanitizer; an answer may have 256 MiB and 16 million values


class Raided(Caes):
    """The daemon behind a hostile port."""

    def __init__(self, place, folder, hostile, name):
        super().__init__(place, folder)
        self.hostile, self.name = hostile, name
        self.env["ASAN_OPTIONS"] = "detect_leaks=1:quarantine_size_mb=16"

    def argv(self, *words):
        argv = super().argv(*words)
        if "CAES_SYNC" not in os.environ and SANITIZED.exists():
            argv[0] = str(SANITIZED)
        return argv

    def start(self):
        self.daemon = self.run()
        key = self.place.write_row(now(), user="before")
        eventually(lambda: self.place.doc(key), 30)
        return self

    def peak(self, reset=False):
        """The most memory since the last reset, MiB."""
        proc = Path(f"/proc/{self.daemon.process.pid}")
        if reset:
            (proc / "clear_refs").write_text("5")
        return int(re.search(r"VmHWM:\s+(\d+)", (proc / "status").read_text())[1]) // 1024

    def raid(self, attack, words, meant, timeout=60):
        begin = len(self.daemon.text())
        self.peak(reset=True)
        self.hostile.war(attack, meant)
        row = self.place.write_row(now(), user="during")
        doc = self.place.put_doc(now(), user="during")
        eventually(lambda: self.hostile.attacked, timeout)

        def told():
            lines = [s for s in self.daemon.text()[begin:].splitlines() if self.name in s]
            return [s for s in lines if all(w in s for w in words)]

        try:
            line = eventually(told, timeout)[0]
        finally:
            self.hostile.peace()
            print(self.daemon.text()[begin:][-3000:])
        assert " ERROR " in line or " WARNING " in line
        assert len(line) < 900
        eventually(lambda: self.place.doc(row) and self.place.row(doc), 60)
        assert self.daemon.running()
        assert "to the dead letters" not in self.daemon.text()
        print("peak", self.peak(), "MiB")
        assert self.peak() < MEMORY


@pytest.fixture(scope="module")
def place(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made.make()


# --- Elasticsearch

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


# --- Cassandra

@pytest.fixture(scope="module", params=[4, 5])
def ring(request, place, tmp_path_factory):
    host, port = place.servers.cassandra_hosts[0], place.servers.cassandra_port
    with HostileCql(host, port) as fake:
        runner = Raided(place, tmp_path_factory.mktemp("cql"), fake, f"127.0.0.1:{fake.port}")
        with runner.configure(
                interval=0.2, CassandraConfig={
                    "contactPoints": [f"127.0.0.1:{fake.port}"], "compression": False,
                    "protocolVersion": request.param, "requestTimeout": "4s",
                    "connectTimeout": "3s"}) as caes:
            caes.version = request.param
            yield caes.start()
            assert caes.daemon.stop() == 0


def statements(request):
    return request.opcode in (hostile.QUERY, hostile.EXECUTE, hostile.BATCH)


def endless_frame(connection, request):
    """The longest frame that the protocol allows, and more."""
    head = envelope(request.version, request.stream, hostile.RESULT, length=256 << 20)
    if not request.framed:
        connection.sendall(head)
        hostile.pour(connection, b"\x00" * 4096)
        return
    connection.sendall(segment(head + b"\x00" * 100000, alone=False))
    hostile.pour(connection, segment(b"\x00" * 131071, alone=False))


def rows(columns, count):
    """A RESULT of rows with so many of both, and nothing behind."""
    return struct.pack(">iii", 2, 1, columns) + b"\x00\x01k\x00\x01t" + struct.pack(">i", count)


def slow_frame(connection, request):
    connection.sendall(hostile.wrapped(request, envelope(
        request.version, request.stream, hostile.RESULT, length=50000))[:9])
    hostile.drip(connection, b"\x00")


def cut(request):
    whole = envelope(request.version, request.stream, hostile.RESULT, b"\x00" * 500)
    return hostile.wrapped(request, whole)[:250]


BOTH = {
    "a frame beyond the limit": (answer(hostile.RESULT, length=0x7FFFFFFF), ["limit"]),
    "a frame of a negative length": (answer(hostile.RESULT, length=0xFFFFFFF0), ["limit"]),
    "a frame without an end": (endless_frame, []),
    "another's stream": (answer(hostile.RESULT, b"\0\0\0\1", stream=12345), ["stream 12345"]),
    "a negative stream": (answer(hostile.RESULT, b"\0\0\0\1", stream=-7), ["stream -7"]),
    "no frame at all": (raw(lambda r: b"HTTP/1.1 400 Bad Request\r\n\r\n"), []),
    "noise": (raw(lambda r: bytes(range(256)) * 64), []),
    "the end in the middle": (raw(cut), ["closed"]),
    "an error that is cut off": (answer(hostile.ERROR, b"\x00\x00"), []),
    "an error whose text is longer than it": (
        answer(hostile.ERROR, struct.pack(">IH", 0, 60000) + b"x"), []),
    "an event that is none": (answer(hostile.EVENT, b"\xff\xff", stream=-1), []),
    "more columns than bytes": (answer(hostile.RESULT, rows(0x7FFFFFFF, 1)), []),
    "fewer than no columns": (answer(hostile.RESULT, rows(-5, 1)), []),
    "more rows than bytes": (answer(hostile.RESULT, rows(1, 0x7FFFFFFF)), []),
    "a warning that is cut off": (answer(hostile.RESULT, b"\xff\xff\xff", flags=0x08), []),
    "a payload that is cut off": (answer(hostile.RESULT, b"\xff\xff\xff", flags=0x04), []),
    "a compressed frame that nobody asked for": (
        answer(hostile.RESULT, b"\x7f\xff\xff\xff" + b"\x00" * 64, flags=0x01), []),
    "an unknown answer": (answer(0x77), []),
    "an answer that comes slowly": (slow_frame, []),
    "silence": (lambda connection, request: hostile.hold(connection, 12), []),
}

FRAMED = {
    "a wrong checksum of the header": (
        raw(lambda r: segment(envelope(5, r.stream, 8), crc24=1)), ["header has a wrong checksum"]),
    "a wrong checksum of the payload": (
        raw(lambda r: segment(envelope(5, r.stream, 8), crc32=1)), ["payload has a wrong checksum"]),
    "a segment that ends inside a frame": (
        raw(lambda r: segment(envelope(5, r.stream, 8, length=900))), ["ends inside a frame"]),
    "a frame that goes on in a segment that is alone": (
        raw(lambda r: segment(envelope(5, r.stream, 8, length=900), alone=False) +
            segment(envelope(5, r.stream, 8))), ["no end"]),
    "a segment that goes on behind its frame": (
        raw(lambda r: segment(envelope(5, r.stream, 8) + b"more", alone=False)), ["goes on"]),
    "a segment without its end": (
        raw(lambda r: segment(envelope(5, r.stream, 8, b"\x00" * 3000))[:1000]), ["closed"]),
    "segments of nothing": (
        lambda connection, request: hostile.pour(connection, segment(b"", alone=False), 64 << 20),
        []),
    "a frame without segments": (raw(lambda r: envelope(5, r.stream, 8)), ["checksum"]),
}


@pytest.mark.parametrize("name", {**BOTH, **FRAMED})
def test_cassandra(name, ring):
    if name in FRAMED and ring.version == 4:
        pytest.skip("version 4 has no segments")
    ring.raid(*{**BOTH, **FRAMED}[name], statements)
