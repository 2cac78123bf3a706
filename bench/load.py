#!/usr/bin/env python3
"""What a load of everything takes, both ways: records a second, CPU and memory of the program.

Real servers (tools/servers, or those that CASSANDRA_HOSTS and ELASTICSEARCH_URL name). Records are of
about 300 bytes that don't compress well. First from Cassandra into an empty index; then the table is
emptied and loaded from that index.

    build/venv/bin/python bench/load.py [--records 300000] [--relax]
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/live"))
from support import Caes, Elastic, Place, Servers, now  # noqa: E402

COLUMNS = {"user": "text", "message": "text", "likes": "int"}
PROPERTIES = {"user": {"type": "keyword"}, "message": {"type": "keyword"},
              "likes": {"type": "integer"}}
OLD = now() - 5000


def fill(place, count):
    draw = random.Random(1)
    insert = place.session.prepare(
        f"INSERT INTO {place.keyspace}.data (did, user, message, likes) VALUES (?, ?, ?, ?) "
        "USING TIMESTAMP ?")
    futures = []
    for n in range(count):
        values = [uuid.UUID(int=draw.getrandbits(128), version=4), f"user {n}",
                  f"{draw.getrandbits(880):0220x}", n, OLD * 1_000_000 + n % 1_000_000]
        futures.append(place.session.execute_async(insert, values))
        if len(futures) == 500:
            for future in futures:
                future.result()
            futures = []
    for future in futures:
        future.result()


def load(caes, side, *words):
    """The report, CPU seconds and peak RSS in MiB."""
    argv = caes.argv("--log-level", "warning", "load", "--from", side, "--json", *words)
    process = subprocess.Popen(argv, env=caes.env, stdout=subprocess.PIPE)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, lines[-1:]
    return json.loads(lines[-1]), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def show(side, result):
    report, cpu, peak = result
    print(f"{'from ' + side:20} {report['records']:>9,} {report['seconds']:>8.1f} "
          f"{report['records'] / report['seconds']:>10,.0f} {cpu:>6.2f} {peak:>8.0f}", flush=True)


def count_rows(place, least):
    """Of a scan; a truncate and a load are seen at once."""
    rows = place.session.execute(f"SELECT did FROM {place.keyspace}.data")
    count = sum(1 for _ in rows)
    assert count == least, f"{count} rows instead of {least}"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--records", type=int, default=300000)
    options.add_argument("--relax", action="store_true")
    chosen = options.parse_args()
    servers = Servers.find()
    cluster, session = servers.connect()
    elastic = Elastic(servers.elasticsearch)
    with tempfile.TemporaryDirectory() as folder, Place(servers, session, elastic) as place:
        place.make(columns=COLUMNS, properties=PROPERTIES)
        started = time.monotonic()
        fill(place, chosen.records)
        print(f"{chosen.records:,} rows written in {time.monotonic() - started:.0f} s\n\n"
              f"{'':20} {'records':>9} {'seconds':>8} {'records/s':>10} {'CPU s':>6} {'peak MiB':>8}",
              flush=True)
        for side, words in (("cassandra", ["--relax"] if chosen.relax else []),
                            ("elasticsearch", [])):
            if side == "elasticsearch":
                elastic.refresh(place.index)
                place.cql(f"TRUNCATE {place.keyspace}.data")
            Path(folder, side).mkdir()
            with Caes(place, Path(folder, side)) as caes:
                caes.configure(sync={"settle": 1, "overlap": 5})
                result = load(caes, side, *words)
            assert result[0]["copied"] == chosen.records, result[0]
            show(side, result)
        count_rows(place, chosen.records)
    cluster.shutdown()


main()
