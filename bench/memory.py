#!/usr/bin/env python3
"""Memory of the program by the number of records: peak RSS of `load` each way and of `verify`, on real
servers (tools/servers, or those that CASSANDRA_HOSTS and ELASTICSEARCH_URL name).

    build/venv/bin/python bench/memory.py [--records 10000,300000,3000000]

Ends with 1 where something takes more than 96 MiB.
"""
import argparse

import rounds
from common import COLUMNS, Elastic, Place, Servers, now, raw

LIMIT = 96  # MiB


def measure(place_of, records):
    """{what: peak in MiB}; every record is looked at by verify."""
    version, peaks = now() - rounds.OLD, {}
    with place_of() as place:
        place.make(columns=COLUMNS)
        raw(place, "cassandra", "batches", 0, records, version)
        peaks["load to Elasticsearch"] = rounds.load(place, "cassandra", records)["peak"]
        place.elastic.refresh(place.index)
        peaks["verify"] = rounds.verify(place, records)["peak"]
    with place_of() as place:
        place.make(columns=COLUMNS)
        raw(place, "elasticsearch", "bulk", 0, records, version)
        place.elastic.refresh(place.index)
        peaks["load to Cassandra"] = rounds.load(place, "elasticsearch", records)["peak"]
    return peaks


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--records", default="10000,300000,3000000")
    sizes = sorted(map(int, words.parse_args().records.split(",")))
    servers = Servers.find()
    cluster, session = servers.connect()
    elastic, found = Elastic(servers.elasticsearch), []
    for size in sizes:
        found.append(measure(lambda: Place(servers, session, elastic), size))
        print(f"{size:>12,} records: " + ", ".join(f"{what} {peak:.0f} MiB"
                                                  for what, peak in found[-1].items()), flush=True)
    cluster.shutdown()
    wrong = [what for what in found[-1] if max(one[what] for one in found) > LIMIT]
    if wrong:
        raise SystemExit(f"more than {LIMIT} MiB: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
