"""Cassandra that is broken or wants harm: whatever it answers, memory stays bounded, the log says in
one line what is wrong with whom, no record becomes a dead letter, and once it behaves the daemon
goes on by itself, on new connections."""
import os
import struct

import pytest
from raid import Raided
from support import Place
import hostile
from hostile import HostileCql, answer, envelope, raw, segment


@pytest.fixture(scope="module")
def place(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made.make()


@pytest.fixture(scope="module")
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
    "an error that is cut off": (answer(hostile.ERROR, b"\x00\x00"), ["cut off"]),
    "an error whose text is longer than it": (
        answer(hostile.ERROR, struct.pack(">IH", 0, 60000) + b"x"), ["cut off"]),
    "an event that is none": (answer(hostile.EVENT, b"\xff\xff", stream=-1), ["event is cut off"]),
    "more columns than bytes": (answer(hostile.RESULT, rows(0x7FFFFFFF, 1)), ["cut off"]),
    "fewer than no columns": (answer(hostile.RESULT, rows(-5, 1)), ["cut off"]),
    "more rows than bytes": (answer(hostile.RESULT, rows(1, 0x7FFFFFFF)), ["cut off"]),
    "a warning that is cut off": (answer(hostile.RESULT, b"\xff\xff\xff", flags=0x08), ["cut off"]),
    "a payload that is cut off": (answer(hostile.RESULT, b"\xff\xff\xff", flags=0x04), ["cut off"]),
    "a compressed frame that nobody asked for": (
        answer(hostile.RESULT, b"\x7f\xff\xff\xff" + b"\x00" * 64, flags=0x01), []),
    "an unknown answer": (answer(0x77), ["opcode 0x77"]),
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


# What version 4 does by another way than version 5; all of it in the long run.
PLAIN = BOTH if os.environ.get("CAES_TEST_LONG") else [
    "a frame beyond the limit", "a frame without an end", "noise", "the end in the middle",
    "a compressed frame that nobody asked for", "an answer that comes slowly"]


@pytest.mark.parametrize("ring, name", [
    *((4, name) for name in PLAIN), *((5, name) for name in {**BOTH, **FRAMED})],
    indirect=["ring"])
def test_cassandra(ring, name):
    ring.raid(*{**BOTH, **FRAMED}[name], statements)
