#!/usr/bin/env python3
"""The copy as people write it themselves, to compare with: cassandra-driver and the elasticsearch
client with its bulk helper, one process. Versions are the rows' write times in seconds.

    bench/script.py to-elasticsearch|to-cassandra CASSANDRA_HOST PORT KEYSPACE URL INDEX
"""
import sys
import uuid

from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args
from elasticsearch import Elasticsearch, helpers

NAMES = ["name", "message", "city", "likes", "total", "score", "active"]


def to_elasticsearch(session, client, keyspace, index):
    rows = session.execute(f"SELECT did, {', '.join(NAMES)}, WRITETIME(name) AS written "
                           f"FROM {keyspace}.data")

    def actions():
        for row in rows:
            version = row.written // 1_000_000
            document = {name: getattr(row, name) for name in NAMES}
            yield {"_index": index, "_id": str(row.did), "version": version,
                   "version_type": "external", "_source": {"timestamp": version, **document}}

    return helpers.bulk(client, actions(), chunk_size=2000)[0]


def to_cassandra(session, client, keyspace, index):
    insert = session.prepare(f"INSERT INTO {keyspace}.data (did, {', '.join(NAMES)}) "
                             f"VALUES (?{', ?' * len(NAMES)}) USING TIMESTAMP ?")
    hits = helpers.scan(client, index=index, size=2000)
    values = ([uuid.UUID(hit["_id"]), *(hit["_source"].get(name) for name in NAMES),
               hit["_source"]["timestamp"] * 1_000_000] for hit in hits)
    return len(execute_concurrent_with_args(session, insert, values, concurrency=128))


def main():
    way, host, port, keyspace, url, index = sys.argv[1:]
    cluster = Cluster([host], port=int(port), connect_timeout=30)
    session = cluster.connect()
    session.default_timeout = 60
    client = Elasticsearch(url, request_timeout=60)
    copy = to_elasticsearch if way == "to-elasticsearch" else to_cassandra
    print(f'{{"records": {copy(session, client, keyspace, index)}}}')
    cluster.shutdown()


main()
