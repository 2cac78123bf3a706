"""What live tests are made of. See conftest.py for the fixtures; a typical test:

    def test_a_newer_row_reaches_elasticsearch(place, caes):
        place.make()
        key = place.write_row(10, user="ana", message="hello")
        caes.sync(since=9)
        assert place.doc(key) == (10, {"user": "ana", "message": "hello"})
"""
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import requests
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.metadata import Murmur3Token
from cassandra.policies import RoundRobinPolicy
from cassandra.query import SimpleStatement, dict_factory

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("CAES_SYNC", str(ROOT / "build" / "caes-sync"))
QUICK_SET = ["cassandra", "elasticsearch", "elasticsearch=2.4.6"]


def eventually(check, timeout=20, pause=0.1):
    """Calls check until it returns something true (and returns that); its last failure otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        failure = None
        try:
            result = check()
            if result:
                return result
        except (AssertionError, KeyError, IndexError, TypeError,
                requests.RequestException) as caught:
            failure = caught
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"still {result!r} after {timeout} s")
        time.sleep(pause)


def now():
    """The version that an application would give a write now, in seconds."""
    return int(time.time())


def token(key):
    """Where a uuid lies on the ring."""
    return Murmur3Token.hash_fn(uuid.UUID(key).bytes)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def merge(base, changes):
    """A deep copy of a dict with changes; None removes a key."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def servers_tool(*words):
    """Runs tools/servers, for example servers_tool("kill", "cassandra=5.0.9")."""
    run = subprocess.run([ROOT / "tools/servers", *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@dataclass
class Servers:
    cassandra_hosts: list
    cassandra_port: int
    elasticsearch: str
    elasticsearch2: str

    @classmethod
    def find(cls):
        values = dict(os.environ)
        if "CASSANDRA_HOSTS" not in values or "ELASTICSEARCH_URL" not in values:
            servers_tool("start", *QUICK_SET)
            for line in servers_tool("env").splitlines():
                name, _, value = line.removeprefix("export ").partition("=")
                values.setdefault(name, value)
        return cls(values["CASSANDRA_HOSTS"].split(","), int(values.get("CASSANDRA_PORT", 9042)),
                   values["ELASTICSEARCH_URL"], values.get("ELASTICSEARCH_2_4_6_URL"))

    def connect(self):
        profile = ExecutionProfile(row_factory=dict_factory, request_timeout=60,
                                   load_balancing_policy=RoundRobinPolicy(),
                                   consistency_level=ConsistencyLevel.LOCAL_QUORUM)
        cluster = Cluster(self.cassandra_hosts, port=self.cassandra_port, connect_timeout=20,
                          execution_profiles={EXEC_PROFILE_DEFAULT: profile})
        return cluster, cluster.connect()


class Elastic:
    """Plain HTTP to one Elasticsearch or OpenSearch of any version."""

    def __init__(self, url):
        self.url = url
        self.http = self.open()
        nodes = self.call("GET", "/_nodes/_local")["nodes"]
        self.version = next(iter(nodes.values()))["version"]
        self.opensearch = self.http.get(url).text.find('"opensearch"') >= 0
        major = int(self.version.split(".")[0])
        self.major = major if not self.opensearch else 7 + (major >= 2)
        self.typed = self.major < 7      # the path of a document names a type
        self.stamped = self.major < 5    # _timestamp, the seed's protocol
        self.type = "record" if self.typed else "_doc"

    def open(self):
        return requests.Session()

    def call(self, method, path, body=None, ok=(200, 201), **params):
        """The answer's JSON; fails on a status that is not in ok."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        kind = "application/x-ndjson" if "_bulk" in path else "application/json"
        answer = self.http.request(method, self.url + path, data=data, params=params, timeout=60,
                                   headers={"Content-Type": kind})
        assert answer.status_code in ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text.startswith(("{", "[")) else answer.text

    def create(self, index, properties, shards=1, **settings):
        """An index with an explicit mapping; the field or meta field of versions comes by itself."""
        mapping = {"properties": dict(properties)}
        if self.stamped:
            exact = {"type": "string", "index": "not_analyzed"}
            mapping = {"_timestamp": {"enabled": True, **({"store": True} if self.major < 2 else {})},
                       "properties": {name: exact if kind == {"type": "keyword"} else kind
                                      for name, kind in properties.items()}}
        else:
            mapping["properties"].setdefault("timestamp", {"type": "long"})
        if self.typed:
            mapping = {self.type: mapping}
        self.call("PUT", f"/{index}", {
            "settings": {"number_of_shards": shards, "number_of_replicas": 0, **settings},
            "mappings": mapping})

    def mapping(self, index):
        """What is said of the documents of an index."""
        mappings = self.call("GET", f"/{index}/_mapping")[index]["mappings"]
        return mappings[self.type] if self.typed else mappings

    def drop(self, index):
        self.call("DELETE", f"/{index}", ok=(200, 404))

    def put(self, index, key, version, doc, version_type="external", **params):
        """Writes a document as the applications do: the version thrice in effect."""
        if self.stamped:
            params["timestamp"] = version
        else:
            doc = {"timestamp": version, **doc}
        return self.call("PUT", f"/{index}/{self.type}/{key}", doc, version=version,
                         version_type=version_type, **params)

    def bulk(self, index, docs):
        """docs: (key, version, doc); returns the number of those refused as older."""
        lines = []
        for key, version, doc in docs:
            head = {"_id": str(key)}
            if self.typed:
                head |= {"_type": self.type, "_version": version, "_version_type": "external",
                         "_timestamp": version}
            else:
                head |= {"version": version, "version_type": "external"}
            if not self.stamped:
                head.pop("_timestamp", None)
                doc = {"timestamp": version, **doc}
            lines += [json.dumps({"index": head}), json.dumps(doc)]
        if not lines:
            return 0
        answer = self.call("POST", f"/{index}/_bulk", ("\n".join(lines) + "\n").encode())
        states = [item["index"]["status"] for item in answer["items"]]
        assert all(s in (200, 201, 409) for s in states), answer
        return states.count(409)

    def get(self, index, key):
        """(version, content without the version field), or None."""
        answer = self.call("GET", f"/{index}/{self.type}/{key}", ok=(200, 404))
        return self._pair(answer) if answer.get("found") else None

    def _pair(self, hit):
        source = dict(hit["_source"])
        if not self.stamped:
            source.pop("timestamp", None)
        return hit["_version"], source

    def delete(self, index, key, version=None):
        """A hard delete; with a version an external one."""
        params = {"version": version, "version_type": "external"} if version else {}
        return self.call("DELETE", f"/{index}/{self.type}/{key}", ok=(200, 404), **params)

    def refresh(self, index):
        self.call("POST", f"/{index}/_refresh")

    def count(self, index):
        self.refresh(index)
        return self.call("GET", f"/{index}/_count")["count"]

    def all(self, index):
        """{key: (version, content)} of the whole index."""
        self.refresh(index)
        found = {}
        answer = self.call("POST", f"/{index}/_search", {
            "size": 1000, "version": True, "query": {"match_all": {}}}, scroll="1m")
        while answer["hits"]["hits"]:
            found |= {hit["_id"]: self._pair(hit) for hit in answer["hits"]["hits"]}
            place = {"scroll": "1m", "scroll_id": answer["_scroll_id"]}
            answer = self.call("POST", "/_search/scroll", **place) if self.major < 2 else \
                self.call("POST", "/_search/scroll", place)
        return found


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Place:
    """One keyspace and one index for one test, and the writes that applications make there."""

    TEXT = {"user": "text", "message": "text"}

    def __init__(self, servers, session, elastic):
        self.servers, self.session, self.elastic = servers, session, elastic
        self.name = "t" + uuid.uuid4().hex[:16]
        self.keyspace = self.index = self.name
        self.columns = dict(self.TEXT)
        self.key_columns = {"did": "uuid"}

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.elastic.drop(self.index)
        self.session.execute(f"DROP KEYSPACE IF EXISTS {self.keyspace}", timeout=120)

    @property
    def cassandra_major(self):
        release = self.cql("SELECT release_version FROM system.local WHERE key = 'local'")
        return int(release[0]["release_version"].split(".")[0])

    # --- schema

    def make(self, columns=None, properties=None, **options):
        """The seed's schema on both sides: tables and index."""
        self.make_tables(columns, **options)
        self.make_index(properties)
        return self

    def make_keyspace(self):
        factor = min(3, len(self.servers.cassandra_hosts))
        self.cql(f"CREATE KEYSPACE IF NOT EXISTS {self.keyspace} WITH replication = "
                 f"{{'class': 'SimpleStrategy', 'replication_factor': {factor}}}")

    def make_tables(self, columns=None, key=None, version_type="int", older=False, options=""):
        """columns {name: cql type}; key {name: cql type}; older: PRIMARY KEY(id, timestamp)."""
        self.columns = dict(columns or self.TEXT)
        self.key_columns = dict(key or {"did": "uuid"})
        self.make_keyspace()
        parts = [f"{quoted(n)} {t}" for n, t in (self.key_columns | self.columns).items()]
        keys = ", ".join(quoted(n) for n in self.key_columns)
        self.cql(f"CREATE TABLE {self.keyspace}.data ({', '.join(parts)}, PRIMARY KEY ({keys})) "
                 f"{options}")
        did = next(iter(self.key_columns.values())) if len(self.key_columns) == 1 else "text"
        order = "id, timestamp" if older else "id, timestamp, did"
        self.cql(f"CREATE TABLE {self.keyspace}.ts (id int, timestamp {version_type}, did {did}, "
                 f"PRIMARY KEY ({order}))")

    def make_index(self, properties=None, **options):
        """Text columns become keyword fields unless properties say otherwise."""
        if properties is None:
            exact = {"type": "keyword"}
            kinds = {"int": "integer", "bigint": "long", "double": "double", "boolean": "boolean"}
            properties = {n: {"type": kinds[t]} if t in kinds else exact
                          for n, t in self.columns.items()}
        self.elastic.create(self.index, properties, **options)

    # --- what applications do in Cassandra

    def cql(self, text, values=None):
        return list(self.session.execute(text, values, timeout=120))

    def _key(self, key):
        """The values of the key columns from what doc ids look like."""
        parts = [str(key)] if len(self.key_columns) == 1 else str(key).split("|")
        convert = {"uuid": uuid.UUID, "timeuuid": uuid.UUID, "int": int, "bigint": int}
        return [convert.get(t, str)(p) for t, p in zip(self.key_columns.values(), parts)]

    def _where(self):
        return " AND ".join(f"{quoted(n)} = %s" for n in self.key_columns)

    def _batch(self, version, key, statement, values, timestamp, ttl):
        using = f"USING TIMESTAMP {timestamp} " if timestamp is not None else ""
        entry = f"INSERT INTO {self.keyspace}.ts (id, timestamp, did) VALUES (0, %s, %s) " \
                f"USING TTL {ttl}"
        did = self._key(key)[0] if len(self.key_columns) == 1 else str(key)
        self.cql(f"BEGIN BATCH {using}{entry}; {statement}; APPLY BATCH",
                 [version, did, *values])

    def write_row(self, version, key=None, timestamp=None, ttl=3600, **row):
        """Row and entry in one batch; returns the key as text. timestamp: USING TIMESTAMP (µs)."""
        key = str(key or uuid.uuid4())
        names = [*self.key_columns, *row]
        statement = f"INSERT INTO {self.keyspace}.data ({', '.join(map(quoted, names))}) " \
                    f"VALUES ({', '.join(['%s'] * len(names))})"
        self._batch(version, key, statement, [*self._key(key), *row.values()], timestamp, ttl)
        return key

    def delete_row(self, version, key, timestamp=None, ttl=3600):
        """An application's delete: the row goes, an entry of the version stays."""
        self._batch(version, key, f"DELETE FROM {self.keyspace}.data WHERE {self._where()}",
                    self._key(key), timestamp, ttl)

    def row(self, key):
        """{column: value} without the key and without nulls, or None."""
        found = self.cql(f"SELECT * FROM {self.keyspace}.data WHERE {self._where()}",
                         self._key(key))
        return self._content(found[0]) if found else None

    def _content(self, row):
        return {n: v for n, v in row.items() if v is not None and n not in self.key_columns}

    def rows(self):
        """{key as text: content} of the whole table."""
        statement = SimpleStatement(f"SELECT * FROM {self.keyspace}.data", fetch_size=1000)
        return {"|".join(str(row[n]) for n in self.key_columns): self._content(row)
                for row in self.cql(statement)}

    def writetime(self, key, column):
        found = self.cql(f"SELECT WRITETIME({quoted(column)}) AS w FROM {self.keyspace}.data "
                         f"WHERE {self._where()}", self._key(key))
        return found[0]["w"] if found else None

    def entries(self):
        """[(version, key as text)] of the time series table, oldest first."""
        return [(row["timestamp"], str(row["did"])) for row in
                self.cql(f"SELECT timestamp, did FROM {self.keyspace}.ts WHERE id = 0")]

    # --- what applications do in Elasticsearch

    def put_doc(self, version, key=None, **doc):
        key = str(key or uuid.uuid4())
        self.elastic.put(self.index, key, version, doc)
        return key

    def doc(self, key):
        """(version, content), or None."""
        return self.elastic.get(self.index, key)

    def docs(self):
        return self.elastic.all(self.index)

    def delete_doc(self, key, version=None):
        self.elastic.delete(self.index, key, version)


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        """The object that --json prints last."""
        return json.loads(self.out.strip().splitlines()[-1])


class Daemon:
    """A `run` in the background."""

    def __init__(self, argv, env, log):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=env, start_new_session=True)

    def text(self):
        return self.log.read_text(errors="replace")

    def running(self):
        return self.process.poll() is None

    def connections(self, port):
        """How many it has to this port."""
        own = set()
        for fd in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                own.add(os.readlink(fd))
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(line[2].endswith(f":{port:04X}") and line[3] == "01"  # established
                   and f"socket:[{line[9]}]" in own for line in lines)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=30):
        return self.process.wait(timeout)

    def stop(self, timeout=30):
        """SIGTERM; returns the exit code."""
        if self.running():
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        if self.running():
            self.signal(signal.SIGKILL)
        return self.wait()


class Caes:
    """The program with a configuration for one place; its state lies in the test's own folder."""

    def __init__(self, place, folder):
        self.place, self.folder = place, folder
        self.file = folder / "config.yaml"
        self.env = {**os.environ, "HOME": str(folder)}
        self.env.pop("CAES_CONFIG", None)
        self.daemons = []
        self.config = {
            "interval": 0.5,
            "ElasticSearchConfig": {"index": place.index, "type": place.elastic.type,
                                    "hosts": [place.elastic.url]},
            "CassandraConfig": {"keyspace": place.keyspace, "dataColumnFamily": "data",
                                "contactPoints": place.servers.cassandra_hosts,
                                "port": place.servers.cassandra_port},
            "state": str(folder / "state.db"), "pidFile": str(folder / "caes.pid"),
            "http": {"listen": f"127.0.0.1:{free_port()}"},
        }

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for daemon in self.daemons:
            daemon.kill()
            print(f"--- {daemon.log.name}\n{daemon.text()[-20000:]}")

    @property
    def status_url(self):
        return f"http://{self.config['http']['listen']}"

    def configure(self, **changes):
        """Changes the configuration deeply: configure(sync={"tie": "cassandra"}); None removes."""
        self.config = merge(self.config, changes)
        return self

    def argv(self, *words):
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.config, indent=1))  # JSON is YAML
        new.rename(self.file)  # a daemon may be reading it
        return [PROGRAM, "-c", str(self.file), *map(str, words)]

    def command(self, *words, code=0, timeout=120, stdin=None):
        """Runs a command to its end; code None allows any exit code."""
        argv = self.argv(*words)
        try:
            run = subprocess.run(argv, capture_output=True, text=True, env=self.env,
                                 timeout=timeout, input=stdin,
                                 stdin=subprocess.DEVNULL if stdin is None else None)
        except subprocess.TimeoutExpired as late:
            print(f"$ {' '.join(argv[3:])}: still running after {timeout} s\n"
                  f"{(late.stdout or b'').decode()}{(late.stderr or b'').decode()}")
            raise
        print(f"$ caes-sync {' '.join(argv[3:])}  -> {run.returncode}\n{run.stdout}{run.stderr}")
        if code is not None:
            assert run.returncode == code, f"exit code {run.returncode}: {run.stderr[-2000:]}"
        return Result(run.returncode, run.stdout, run.stderr)

    def sync(self, *words, since=None, code=0, timeout=120):
        """One `sync --json`."""
        extra = [] if since is None else ["--since", since]
        return self.command("sync", "--json", *extra, *words, code=code, timeout=timeout)

    def run(self, *words, since=None):
        """Starts `run`; ended by the fixture at the latest."""
        extra = [] if since is None else ["--since", str(since)]
        log = self.folder / f"run-{len(self.daemons) + 1}.log"
        daemon = Daemon(self.argv("run", *extra, *words), self.env, log)
        self.daemons.append(daemon)
        return daemon

    def counts(self, result):
        """The counters of a sync that are not 0: {"to_cassandra.copied": 3}."""
        return {f"{way}.{name}": count for way in ("to_elasticsearch", "to_cassandra")
                for name, count in result.json[way].items() if count}
