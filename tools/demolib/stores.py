"""The two applications of the demo: one writes to Cassandra, one to Elasticsearch."""
import socket
import uuid

import requests
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy
from cassandra.query import dict_factory

TABLE = 'CREATE TABLE demo.messages (did uuid PRIMARY KEY, "user" text, message text, likes int)'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http_ok(url):
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


class Cassandra:
    def __init__(self, hosts, port):
        profile = ExecutionProfile(row_factory=dict_factory, request_timeout=60,
                                   load_balancing_policy=RoundRobinPolicy())
        self.session = Cluster(hosts.split(","), port=port, connect_timeout=20,
                               execution_profiles={EXEC_PROFILE_DEFAULT: profile}).connect()

    def cql(self, text, values=None):
        return list(self.session.execute(text, values))

    def version(self):
        return self.cql("SELECT release_version FROM system.local")[0]["release_version"]

    def make_table(self):
        self.cql("CREATE KEYSPACE demo WITH replication = "
                 "{'class': 'SimpleStrategy', 'replication_factor': 1}")
        self.cql(TABLE)

    def has_series(self):
        return bool(self.cql("SELECT * FROM system_schema.tables "
                             "WHERE keyspace_name = 'demo' AND table_name = 'ts'"))

    def write(self, key, version, content):
        self.cql('BEGIN BATCH INSERT INTO demo.ts (id, timestamp, did) VALUES (0, %s, %s) '
                 'USING TTL 3600; INSERT INTO demo.messages (did, "user", message, likes) '
                 'VALUES (%s, %s, %s, %s); APPLY BATCH',
                 [version, uuid.UUID(key), uuid.UUID(key), content["user"], content["message"],
                  content["likes"]])

    def get(self, key):
        found = self.cql("SELECT * FROM demo.messages WHERE did = %s", [uuid.UUID(key)])
        return self._content(found[0]) if found else None

    @staticmethod
    def _content(row):
        return {k: v for k, v in row.items() if k != "did"}

    def all(self):
        return {str(row["did"]): self._content(row) for row in
                self.cql("SELECT * FROM demo.messages")}

    def versions(self, key):
        return [row["timestamp"] for row in self.cql("SELECT * FROM demo.ts WHERE id = 0")
                if str(row["did"]) == key]


class Elastic:
    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, **params):
        answer = requests.request(method, self.url + path, json=body, params=params, timeout=30)
        return answer.json()

    def version(self):
        return next(iter(self.call("GET", "/_nodes/_local")["nodes"].values()))["version"]

    def fields(self):
        answer = self.call("GET", "/demo/_mapping")
        return set(answer.get("demo", {}).get("mappings", {}).get("properties", {}))

    def write(self, key, version, content):
        answer = self.call("PUT", f"/demo/_doc/{key}", {**content, "timestamp": version},
                           version=version, version_type="external")
        if "result" not in answer:
            raise SystemExit(f"demo: Elasticsearch refused a document: {answer}")

    def get(self, key):
        """(version, content), or None."""
        answer = self.call("GET", f"/demo/_doc/{key}")
        return (answer["_version"], self._content(answer)) if answer.get("found") else None

    @staticmethod
    def _content(hit):
        return {k: v for k, v in hit["_source"].items() if k != "timestamp"}

    def all(self):
        self.call("POST", "/demo/_refresh")
        answer = self.call("GET", "/demo/_search", size=1000)
        return {hit["_id"]: self._content(hit) for hit in answer["hits"]["hits"]}
