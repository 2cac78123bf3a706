"""Values of every CQL type as bytes, written here anew from the protocol's specification: what the
program reads and writes is compared with it bit for bit. Also a session that binds and returns bytes
instead of Python's values."""
import random
import struct
import uuid
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cassandra import protocol
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.cqltypes import BytesType, lookup_casstype
from cassandra.policies import RoundRobinPolicy
from cassandra.query import dict_factory


class _RawResult(protocol.ResultMessage):
    """Rows without decoding."""

    def recv_results_rows(self, f, protocol_version, user_types, result_metadata, policy):
        self.recv_results_metadata(f, user_types)
        columns = self.column_metadata or result_metadata
        count = protocol.read_int(f)
        self.parsed_rows = [tuple(protocol.read_value(f) for _ in columns) for _ in range(count)]
        self.column_names = [c[2] for c in columns]
        self.column_types = [c[3] for c in columns]


_read_type = protocol.ResultMessage.read_type.__func__


def _read_type_leniently(cls, f, user_type_map):
    """The driver can't read the class of a vector of a user-defined type whose names it does not
    like, not even in the answer to a PREPARE."""
    at = f.tell()
    if protocol.read_short(f) != 0:
        f.seek(at)
        return _read_type(cls, f, user_type_map)
    name = protocol.read_string(f)
    try:
        return lookup_casstype(name)
    except (ValueError, AttributeError):
        return BytesType


protocol.ResultMessage.read_type = classmethod(_read_type_leniently)


class _RawHandler(protocol._ProtocolHandler):
    message_types_by_opcode = {**protocol._ProtocolHandler.message_types_by_opcode,
                               protocol.ResultMessage.opcode: _RawResult}


def connect(servers):
    """As servers.connect, but the driver does not follow the schema, which takes longer than making a
    table."""
    profile = ExecutionProfile(row_factory=dict_factory, request_timeout=120,
                               load_balancing_policy=RoundRobinPolicy())
    cluster = Cluster(servers.cassandra_hosts, port=servers.cassandra_port, protocol_version=5,
                      schema_metadata_enabled=False, token_metadata_enabled=False,
                      max_schema_agreement_wait=10 if len(servers.cassandra_hosts) > 1 else 0,
                      execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    return cluster, cluster.connect()


class RawSession:
    """A connection of its own: what is read are bytes, what is bound too."""

    def __init__(self, servers):
        self.cluster, self.session = connect(servers)
        self.session.client_protocol_handler = _RawHandler

    def close(self):
        self.cluster.shutdown()

    def rows(self, table):
        """A list of {column: bytes}."""
        return list(self.session.execute(f"SELECT * FROM {table}", timeout=120))

    def prepare(self, text):
        prepared = self.session.prepare(text)
        prepared.column_metadata = [c._replace(type=BytesType) for c in prepared.column_metadata]
        return prepared

    def run(self, prepared, values):
        return self.session.execute(prepared, values, timeout=120)


# --- types

@dataclass(frozen=True)
class Type:
    """One type; inner: those of its elements, keys and values, or fields."""
    name: str
    inner: tuple = ()
    size: int = 0           # of a vector
    fields: tuple = ()      # of a user-defined type
    frozen: bool = False

    def cql(self, inside=False):
        parts = [t.cql(True) for t in self.inner]
        if self.name == "udt":
            text = f'"{self.fields[0]}"'
        elif self.name == "vector":
            text = f"vector<{parts[0]}, {self.size}>"
        elif parts:
            text = f"{self.name}<{', '.join(parts)}>"
        else:
            return self.name
        return f"frozen<{text}>" if (inside or self.frozen) and self.name != "vector" else text

    def create(self):
        """The statement for a user-defined type."""
        fields = ", ".join(f'"{n}" {t.cql(True)}' for n, t in zip(self.fields[1:], self.inner))
        return f'CREATE TYPE {{keyspace}}."{self.fields[0]}" ({fields})'

    def user_types(self):
        """Those inside first."""
        found = [u for t in self.inner for u in t.user_types()]
        return found + [self] if self.name == "udt" else found


SIZES = {"boolean": 1, "int": 4, "float": 4, "bigint": 8, "double": 8, "timestamp": 8, "uuid": 16,
         "timeuuid": 16}


def fixed(t):
    """The size of t inside of a vector; None where a length stands before it."""
    if t.name == "vector":
        return fixed(t.inner[0]) and fixed(t.inner[0]) * t.size
    return SIZES.get(t.name)


def vint(v):
    """[unsigned vint]"""
    extra = 0
    while extra < 8 and v >> 7 * (extra + 1):
        extra += 1
    first = 0xFF << (8 - extra) & 0xFF
    if extra == 8:
        return b"\xff" + v.to_bytes(8, "big")
    return ((v | first << 8 * extra) & (1 << 8 * (extra + 1)) - 1).to_bytes(extra + 1, "big")


def varint(v):
    return v.to_bytes((v + (v < 0)).bit_length() // 8 + 1, "big", signed=True)


def sized(value):
    return b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value)) + value


def join(t, values):
    """The bytes of a value that holds others; of a map keys and values in turn."""
    if t.name == "vector":
        if fixed(t.inner[0]):
            return b"".join(values)
        return b"".join(vint(len(v)) + v for v in values)
    head = b""
    if t.name in ("list", "set", "map"):
        head = struct.pack(">i", len(values) // (2 if t.name == "map" else 1))
    return head + b"".join(map(sized, values))


def split(t, raw):
    """What join put together."""
    values, at = [], 0

    def take(size):
        nonlocal at
        at += size
        return raw[at - size:at]

    count = len(t.inner) if t.name in ("tuple", "udt") else t.size
    if t.name in ("list", "set", "map"):
        count = struct.unpack(">i", take(4))[0] * (2 if t.name == "map" else 1)
    for _ in range(count):
        if t.name == "vector":
            size = fixed(t.inner[0])
            if size is None:
                size = take(1)[0]
                extra = 8 - (0xFF - size).bit_length()
                size = int.from_bytes(bytes([size & 0xFF >> extra]) + take(extra), "big")
            values.append(take(size))
        else:
            size = struct.unpack(">i", take(4))[0]
            values.append(None if size < 0 else take(size))
    assert at == len(raw)
    return values


def inner(t, number):
    """The type of value number so and so."""
    if t.name in ("tuple", "udt"):
        return t.inner[number]
    return t.inner[number % 2 if t.name == "map" else 0]


def order(t, raw):
    """Something to compare by as Cassandra compares values of t."""
    if t.name in ("tinyint", "smallint", "int", "bigint", "varint", "timestamp"):
        return int.from_bytes(raw, "big", signed=True)
    if t.name in ("float", "double"):
        v = struct.unpack(">" + t.name[0], raw)[0]
        return v, raw[0] < 0x80
    if t.name == "decimal":
        return Fraction(int.from_bytes(raw[4:], "big", signed=True)) / \
            Fraction(10) ** struct.unpack(">i", raw[:4])[0]
    if t.name in ("uuid", "timeuuid"):
        stamp = raw[6:8] + raw[4:6] + raw[:4] if raw[6] >> 4 == 1 else raw[:8]
        rest = bytes(b ^ 0x80 for b in raw[8:]) if t.name == "timeuuid" else raw[8:]
        return raw[6] >> 4, stamp, rest
    if t.inner:
        return [(v is not None, v is not None and order(inner(t, i), v))
                for i, v in enumerate(split(t, raw))]
    return raw


# --- random values

TEXTS = ["", "a", "\0", "é", "\U0001F600", "\"\\\n", "a.b", " ", "|", "{}", "null", "\u2028", "Z" * 50]


def _integer(rng, bits):
    magnitude = rng.randrange(bits)
    v = rng.getrandbits(magnitude) if magnitude else rng.choice([0, 1])
    v = rng.choice([v, (1 << bits - 1) - 1, v, v]) & (1 << bits - 1) - 1
    return v if rng.random() < 0.6 else -v - 1


def _real(rng, kind):
    size = struct.calcsize(kind)
    while True:
        raw = rng.choice([rng.randbytes(size), struct.pack(">" + kind, rng.choice(
            [0.0, -0.0, 1.0, 0.1, -1.5, 1e22, 123456.789, 1e-5, 9999999.0]))])
        v = struct.unpack(">" + kind, raw)[0]
        if v == v and abs(v) != float("inf"):
            return raw


def _decimal(rng):
    scale = rng.choice([0, 1, 2, 10, -3, 30, rng.randrange(-1000, 1000)])
    return struct.pack(">i", scale) + varint(_integer(rng, rng.choice([8, 64, 200])))


def _signed_vint(v):
    return vint((v << 1 ^ v >> 63) & (1 << 64) - 1)


def _duration(rng):
    sign = rng.choice([1, -1])
    parts = [abs(_integer(rng, bits)) & (1 << bits - 1) - 1 for bits in (32, 32, 64)]
    return b"".join(_signed_vint(sign * p) for p in parts)


def _timeuuid(rng):
    raw = bytearray(rng.randbytes(16))
    raw[6] = 0x10 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return bytes(raw)


SCALARS = {
    "ascii": lambda r: "".join(c for c in r.choice(TEXTS) if c < "\x80").encode(),
    "bigint": lambda r: struct.pack(">q", _integer(r, 64)),
    "blob": lambda r: r.randbytes(r.choice([0, 1, 2, 3, 100])),
    "boolean": lambda r: r.choice([b"\0", b"\1"]),
    "date": lambda r: struct.pack(">I", (1 << 31) + r.choice([0, _integer(r, 16), _integer(r, 32)])),
    "decimal": _decimal,
    "double": lambda r: _real(r, "d"),
    "duration": _duration,
    "float": lambda r: _real(r, "f"),
    "inet": lambda r: r.randbytes(r.choice([4, 16])),
    "int": lambda r: struct.pack(">i", _integer(r, 32)),
    "smallint": lambda r: struct.pack(">h", _integer(r, 16)),
    "text": lambda r: (r.choice(TEXTS) + r.choice(TEXTS)).encode(),
    "time": lambda r: struct.pack(">q", r.choice([0, r.randrange(86400 * 10**9)])),
    "timestamp": lambda r: struct.pack(">q", r.choice([0, -1, _integer(r, 48), _integer(r, 64)])),
    "timeuuid": _timeuuid,
    "tinyint": lambda r: struct.pack(">b", _integer(r, 8)),
    "uuid": lambda r: uuid.UUID(int=r.getrandbits(128), version=r.choice([1, 4])).bytes,
    "varint": lambda r: varint(_integer(r, r.choice([8, 64, 300]))),
}


def value(rng, t):
    """The bytes of a value of t; of a set's or map's equal elements there is only one."""
    if t.name in SCALARS:
        return SCALARS[t.name](rng)
    if t.name in ("tuple", "udt"):
        return join(t, [None if rng.random() < 0.2 else value(rng, i) for i in t.inner])
    if t.name == "vector":
        values = [value(rng, t.inner[0]) for _ in range(t.size)]
        if t.inner[0].name == "float":  # a dense_vector's magnitude is a float
            values = [v if abs(struct.unpack(">f", v)[0]) < 1e15 else b"\x3f\0\0\1" for v in values]
        return join(t, values)
    count = rng.choice([0, 1, 2, 3, 8]) if t.name != "list" else rng.choice([0, 1, 2, 30])
    if t.name == "list":
        return join(t, [value(rng, t.inner[0]) for _ in range(count)])
    keys = []
    for key in sorted((value(rng, t.inner[0]) for _ in range(count)),
                      key=lambda raw: order(t.inner[0], raw)):
        if not keys or order(t.inner[0], keys[-1]) != order(t.inner[0], key):
            keys.append(key)
    if t.name == "set":
        return join(t, keys)
    return join(t, [v for k in keys for v in (k, value(rng, t.inner[1]))])


def holds(t, names):
    return t.name in names or any(holds(i, names) for i in t.inner)


def height(t):
    return 1 + max(map(height, t.inner), default=0)


def column(t, raw):
    """As the program compares a column's own value: what is as good as null is null."""
    if raw is None or (t.name in ("list", "set", "map") and raw == bytes(4)):
        return None
    if t.name == "udt" and not t.frozen and not any(v is not None for v in split(t, raw)):
        return None
    return raw


@dataclass
class Schemas:
    """Makes random types; user-defined ones get names of their own."""
    rng: random.Random
    vectors: bool = True
    made: list = field(default_factory=list)

    def type(self, depth=0, key=False):
        """key: of a set's element or a map's key, where Cassandra refuses durations."""
        scalars = sorted(set(SCALARS) - ({"duration"} if key else set()))
        if depth == 3 or self.rng.random() < (0.35 if depth == 0 else 0.6):
            return Type(self.rng.choice(scalars))
        name = self.rng.choice(["list", "set", "map", "tuple", "udt"]
                               + ["vector"] * self.vectors)
        frozen = self.rng.random() < 0.5 or name == "tuple"
        if name in ("set", "map"):
            inner = (self.type(depth + 1, True),)
            inner += (self.type(depth + 1, key),) if name == "map" else ()
            return Type(name, inner, frozen=frozen)
        if name in ("list", "vector"):
            return Type(name, (self.type(depth + 1, key),), frozen=frozen,
                        size=self.rng.choice([1, 2, 3, 9]))
        if name == "udt" and self.made and self.rng.random() < 0.8:  # a new one takes long to make
            again = self.rng.choice(self.made)
            if height(again) + depth <= 4 and not (key and holds(again, {"duration"})):
                return replace(again, frozen=frozen)
        inner = tuple(self.type(depth + 1, key) for _ in range(self.rng.choice([1, 2, 4])))
        if name == "tuple":
            return Type(name, inner, frozen=True)
        fields = [f"To{len(self.made)}"] + [
            self.rng.choice(["fo", "F go", "é"]) + str(i) for i in range(len(inner))]
        self.made.append(Type("udt", inner, fields=tuple(fields), frozen=frozen))
        return self.made[-1]
