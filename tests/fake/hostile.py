"""Ports in front of real servers that turn hostile when a test says so: while `attack` is set,
requests that it is meant for are answered by it, raw; all others reach the server."""
import contextlib
import socket
import struct
import threading
from urllib.parse import urlsplit

from cassandra.segment import CRC24_LENGTH, CRC32_INITIAL, compute_crc24, compute_crc32

GIGABYTE = 1 << 30


class Hostile:
    """with …: attack(connection, request) answers in the server's place; when it returns, the
    connection ends. meant(request) says which requests it is for."""

    def __init__(self, host, port):
        self.target = (host, int(port))
        self.attack, self.meant, self.attacked = None, None, 0
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.peace()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def war(self, attack, meant=lambda request: True):
        self.attacked, self.meant, self.attack = 0, meant, attack

    def peace(self):
        """Connections under attack end, new ones reach the server."""
        self.attack = None
        for end in list(self.open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with contextlib.suppress(OSError, ConnectionError), near, \
                socket.create_connection(self.target) as far:
            threading.Thread(target=self._carry, args=(far, near), daemon=True).start()
            source = near.makefile("rb")
            for request in self.requests(source):
                attack = self.attack
                if attack and self.meant(request):
                    self.attacked += 1
                    self.open.add(near)
                    try:
                        attack(near, request)
                    finally:
                        self.open.discard(near)
                    return
                far.sendall(request.raw)

    @staticmethod
    def _carry(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


def pour(connection, piece, total=2 * GIGABYTE):
    """Sends it again and again until the peer has had enough."""
    sent, piece = 0, piece * max(1, (1 << 18) // len(piece))
    with contextlib.suppress(OSError):
        while sent < total:
            connection.sendall(piece)
            sent += len(piece)
    return sent


def drip(connection, piece, every=0.2, times=300):
    """One after the other, slowly."""
    stop = threading.Event()
    with contextlib.suppress(OSError):
        for _ in range(times):
            connection.sendall(piece)
            stop.wait(every)


def said(*answers):
    """An attack that says just this."""
    def attack(connection, request):
        for answer in answers:
            connection.sendall(answer)
    return attack


# --- HTTP

class HttpRequest:
    def __init__(self, method, path, headers, body, raw):
        self.method, self.path, self.headers = method, path, headers
        self.body, self.raw = body, raw


class HostileHttp(Hostile):
    def __init__(self, url):
        parts = urlsplit(url)
        super().__init__(parts.hostname, parts.port)
        self.url = f"http://127.0.0.1:{self.port}"

    @staticmethod
    def requests(source):
        while line := source.readline():
            raw, headers = [line], {}
            while (header := source.readline()) not in (b"\r\n", b""):
                raw.append(header)
                name, _, value = header.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            body = source.read(int(headers.get("content-length", 0)))
            method, path, _ = line.decode("latin-1").split(" ", 2)
            yield HttpRequest(method, path, headers, body, b"".join(raw) + b"\r\n" + body)


def http(body, status="200 OK", kind="application/json", **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(piece, before=b""):
    """An attack: a body without an end."""
    def attack(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        many = piece * max(1, (1 << 18) // len(piece))
        if before:
            connection.sendall(b"%x\r\n%s\r\n" % (len(before), before))
        pour(connection, b"%x\r\n%s\r\n" % (len(many), many))
    return attack


# --- CQL

OPTIONS, QUERY, PREPARE, EXECUTE, BATCH = 0x05, 0x07, 0x09, 0x0A, 0x0D
ERROR, READY, SUPPORTED, RESULT, EVENT = 0x00, 0x02, 0x06, 0x08, 0x0C


class CqlRequest:
    def __init__(self, version, stream, opcode, framed, raw):
        self.version, self.stream, self.opcode = version, stream, opcode
        self.framed, self.raw = framed, raw  # framed: in segments


class HostileCql(Hostile):
    """For clients without compression."""

    @staticmethod
    def requests(source):
        framed = False
        while head := source.read(6 if framed else 9):
            if framed:
                size = int.from_bytes(head[:3], "little") & 0x1FFFF
                rest = source.read(size + 4)
                envelope = rest[:9]
            else:
                envelope = head
                rest = source.read(struct.unpack(">I", head[5:9])[0])
            version, _, stream, opcode = struct.unpack(">BBhB", envelope[:5])
            yield CqlRequest(version, stream, opcode, framed, head + rest)
            framed = framed or (version == 5 and opcode == 1)  # STARTUP


def envelope(version, stream, opcode, body=b"", length=None, flags=0):
    size = len(body) if length is None else length
    return struct.pack(">BBhBI", 0x80 | version, flags, stream, opcode, size) + body


def segment(payload, alone=True, size=None, crc24=0, crc32=0):
    """crc24, crc32: what is wrong about them."""
    header = ((len(payload) if size is None else size) | (alone << 17)).to_bytes(3, "little")
    check = compute_crc24(int.from_bytes(header, "little"), 3) ^ crc24
    tail = compute_crc32(payload, CRC32_INITIAL) ^ crc32
    return (header + check.to_bytes(CRC24_LENGTH, "little") + payload +
            (tail & 0xFFFFFFFF).to_bytes(4, "little"))


def wrapped(request, data):
    return segment(data) if request.framed else data


def hold(connection, seconds=1.0):
    """Long enough for the peer to see what came before the end."""
    threading.Event().wait(seconds)


def raw(make):
    """An attack: the bytes that make(request) gives."""
    def attack(connection, request):
        connection.sendall(make(request))
        hold(connection)
    return attack


def answer(opcode, body=b"", stream=None, **wrong):
    """An attack: one answer, to the request unless stream says otherwise."""
    return raw(lambda request: wrapped(request, envelope(
        request.version, request.stream if stream is None else stream, opcode, body, **wrong)))
