#!/usr/bin/env python3
"""Makes ring_vectors.h: which nodes hold a key, as the Python driver's token map says.
  build/venv/bin/python tests/unit/cql/ring_vectors.py >tests/unit/cql/ring_vectors.h
Keys for which the driver names a node twice (it skips a rack, and forgets that it did) are left
out."""
import random

from cassandra.connection import DefaultEndPoint
from cassandra.metadata import KeyspaceMetadata, Metadata, Murmur3Token
from cassandra.policies import SimpleConvictionPolicy
from cassandra.pool import Host

SIMPLE, NETWORK = "SimpleStrategy", "NetworkTopologyStrategy"
# name: (nodes as (data center, rack), tokens of each, keyspaces)
CLUSTERS = {
    "small": ([("dc1", "r1")] * 3, 4, {
        "one": {"class": SIMPLE, "replication_factor": "1"},
        "three": {"class": SIMPLE, "replication_factor": "3"},
        "network": {"class": NETWORK, "dc1": "2"},
        "elsewhere": {"class": NETWORK, "dc9": "3"}}),
    "wide": ([("dc1", "r1"), ("dc2", "r1"), ("dc1", "r2"), ("dc1", "r1"), ("dc2", "r1"),
              ("dc1", "r3"), ("dc1", "r2"), ("dc2", "r1")], 8, {
        "simple": {"class": SIMPLE, "replication_factor": "4"},
        "both": {"class": NETWORK, "dc1": "3", "dc2": "2"},
        "many": {"class": NETWORK, "dc1": "5", "dc2": "9"},
        "few": {"class": NETWORK, "dc1": "1", "dc2": "0"},
        "transient": {"class": NETWORK, "dc1": "3/1"}}),
    "racks": ([("a", "x"), ("a", "x"), ("a", "x"), ("a", "y"), ("a", "y")], 1, {
        "three": {"class": NETWORK, "a": "3"},
        "four": {"class": NETWORK, "a": "4"}}),
}
KEYS = 24


def answer(rng, nodes, tokens, keyspaces):
    metadata = Metadata()
    hosts, token_map = [], {}
    for number, (datacenter, rack) in enumerate(nodes):
        host = Host(DefaultEndPoint(f"10.0.0.{number + 1}"), SimpleConvictionPolicy)
        host.set_location_info(datacenter, rack)
        metadata.add_or_return_host(host)
        hosts.append(host)
        token_map[host] = [str(rng.randrange(-2**63, 2**63)) for _ in range(tokens)]
    for name, options in keyspaces.items():
        options = dict(options)
        metadata.keyspaces[name] = KeyspaceMetadata(name, True, options.pop("class"), options)
    metadata.rebuild_token_map("Murmur3Partitioner", token_map)
    for name in keyspaces:
        metadata.token_map.rebuild_keyspace(name)
    for name in keyspaces:
        for _ in range(KEYS):
            key = rng.randbytes(rng.randrange(1, 20))
            found = [hosts.index(host) for host in metadata.get_replicas(name, key)]
            if len(set(found)) == len(found):
                yield name, Murmur3Token.hash_fn(key), key.hex(), sum(1 << n for n in found)
    answer.tokens = [token_map[host] for host in hosts]


def number(value):
    return f"INT64_C({value})"


def main():
    rng = random.Random(1)
    print("/* Made by ring_vectors.py. */\n/* clang-format off */")
    for name, (nodes, tokens, keyspaces) in CLUSTERS.items():
        asked = list(answer(rng, nodes, tokens, keyspaces))
        print(f"\nstatic const struct vector_node {name}_nodes[] = {{")
        for (datacenter, rack), own in zip(nodes, answer.tokens):
            print(f'    {{"{datacenter}", "{rack}", {{{", ".join(map(number, own))}}}, {len(own)}}},')
        print(f"}};\nstatic const struct vector_option {name}_options[] = {{")
        for keyspace, options in keyspaces.items():
            for option, value in options.items():
                print(f'    {{"{keyspace}", "{option}", "{value}"}},')
        print(f"}};\nstatic const struct vector_key {name}_keys[] = {{")
        for keyspace, token, key, replicas in asked:
            print(f'    {{"{keyspace}", {number(token)}, "{key}", 0x{replicas:x}}},')
        print("};")


main()
