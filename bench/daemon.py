#!/usr/bin/env python3
"""What the daemon alone can do: scripted servers that answer at once (bench/fake_*.c), so that their
speed does not matter and only the program's own CPU counts. Prints microseconds of CPU a record.

    build/venv/bin/python bench/daemon.py [--records 200000] [--rounds 5]
"""
import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from common import finish, spent

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = os.environ.get("CAES_SYNC", str(ROOT / "build/caes-sync"))


class Fake:
    """A scripted server, ended with the block."""

    def __init__(self, name, *words):
        self.process = subprocess.Popen([ROOT / f"build/bench_fake_{name}", "0", *map(str, words)],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()


def configuration(folder, cassandra, elasticsearch):
    return {
        "ElasticSearchConfig": {"index": "bench",
                                "hosts": [f"http://127.0.0.1:{elasticsearch.port}"]},
        "CassandraConfig": {"keyspace": "bench", "dataColumnFamily": "data",
                            "contactPoints": ["127.0.0.1"], "port": cassandra.port},
        "state": f"{folder}/state.db", "pidFile": f"{folder}/pid",
        "http": {"listen": "off"},
    }


def run(folder, cassandra, elasticsearch, words, wrapper=()):
    """(last line of the output as JSON, CPU seconds, seconds, peak RSS in MiB)"""
    file = Path(folder, "config.yaml")
    file.write_text(json.dumps(configuration(folder, cassandra, elasticsearch)))
    argv = [*wrapper, PROGRAM, "-c", str(file), "--log-level", "warning", *words, "--json"]
    start = time.monotonic()
    report, cpu, peak = finish(subprocess.Popen(argv, stdout=subprocess.PIPE))
    return report, cpu, time.monotonic() - start, peak


def cases(records):
    """name: (what each side holds, words, how many were copied)"""
    recent = int(time.time()) - 30
    old = recent - 5000
    return {
        "load Cassandra -> Elasticsearch":
            ((records, old), (0, old), ["load", "--from", "cassandra"], lambda r: r["copied"]),
        "load Elasticsearch -> Cassandra":
            ((0, old), (records, old), ["load", "--from", "elasticsearch"], lambda r: r["copied"]),
        "sync Cassandra -> Elasticsearch":
            ((records, recent, "entries"), (0, recent), ["sync", "--since", str(recent)],
             lambda r: r["to_elasticsearch"]["copied"]),
        "sync Elasticsearch -> Cassandra":
            ((0, recent), (records, recent, "window"), ["sync", "--since", str(recent)],
             lambda r: r["to_cassandra"]["copied"]),
    }


def measure(case, records, wrapper=()):
    """(microseconds of CPU a record, records a second, peak RSS in MiB)"""
    tables, documents, words, copied = case
    with tempfile.TemporaryDirectory() as folder, Fake("cassandra", *tables[:1], *tables[1:]) as c, \
            Fake("elasticsearch", *documents) as e:
        report, cpu, seconds, peak = run(folder, c, e, words, wrapper)
    assert copied(report) == records, report
    return cpu * 1e6 / records, records / seconds, peak


SIDES = ("cassandra", "elasticsearch")
NAMES = ("one", "two")


def pipelines(folder, servers, workers):
    names = [{"name": name, **{key: value for key, value in configuration(folder, *pair).items()
                               if key.endswith("Config")}} for name, pair in zip(NAMES, servers)]
    return {"state": f"{folder}/state.db", "pidFile": f"{folder}/pid", "http": {"listen": "off"},
            "workers": workers, "interval": 60, "pipelines": names}


@contextlib.contextmanager
def running(folder, servers, workers):
    """A daemon with a pipeline for each pair of servers; its process and how to ask it something."""
    file = Path(folder, "config.yaml")
    file.write_text(json.dumps(pipelines(folder, servers, workers)))

    def ask(*words):
        return subprocess.Popen([PROGRAM, "-c", str(file), *words, "--json"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process = subprocess.Popen([PROGRAM, "-c", str(file), "--log-level", "warning", "run"])
    while ask("status").wait():
        time.sleep(0.1)
    yield process, ask
    process.terminate()
    process.wait()


def measure_workers(side, records, workers, loads=2):
    """Loads at once, each of its own pipeline with servers of its own: records a second of all
    together, cores that the daemon has meanwhile, microseconds of its CPU a record"""
    old = int(time.time()) - 5000
    rows, documents = (records, 0) if side == "cassandra" else (0, records)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers = [(stack.enter_context(Fake("cassandra", rows, old)),
                    stack.enter_context(Fake("elasticsearch", documents, old))) for _ in range(loads)]
        process, ask = stack.enter_context(running(folder, servers, workers))

        def load():
            return [finish(one)[0] for one in
                    [ask("load", "--from", side, "--pipeline", name) for name in NAMES[:loads]]]
        load()  # the scripted servers render what they will be asked for
        cpu, start = spent(process.pid), time.monotonic()
        reports = load()
        seconds, cpu = time.monotonic() - start, spent(process.pid) - cpu
    assert [r["copied"] for r in reports] == [records] * loads, reports
    return loads * records / seconds, cpu / seconds, cpu * 1e6 / (loads * records)


def measure_verify(records, workers):
    """The same of a comparison of records that are equal."""
    old = int(time.time()) - 5000
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers = [(stack.enter_context(Fake("cassandra", records, old)),
                    stack.enter_context(Fake("elasticsearch", records, old)))]
        file = Path(folder, "config.yaml")
        file.write_text(json.dumps(pipelines(folder, servers, workers)))
        for _ in range(2):  # the first one is not counted
            start = time.monotonic()
            process = subprocess.Popen([PROGRAM, "-c", str(file), "--log-level", "warning", "verify",
                                        "--pipeline", NAMES[0], "--json"], stdout=subprocess.PIPE)
            report, cpu, _ = finish(process)
            seconds = time.monotonic() - start
    assert report["equal"] == records, report
    return records / seconds, cpu / seconds, cpu * 1e6 / records


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--records", type=int, default=200000)
    options.add_argument("--sync-records", type=int, default=10000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="")
    options.add_argument("--wrapper", default="", help="what runs the program: perf record …")
    chosen = options.parse_args()
    print(f"{'':34}{'CPU us a record: min':>22}{'median':>8}{'max':>8}{'records/s':>12}{'MiB':>6}")
    for name in cases(1):
        if chosen.only not in name:
            continue
        records = chosen.sync_records if name.startswith("sync") else chosen.records
        rounds = [measure(cases(records)[name], records, chosen.wrapper.split())
                  for _ in range(chosen.rounds)]
        cpu = [r[0] for r in rounds]
        print(f"{name:34}{min(cpu):22.2f}{statistics.median(cpu):8.2f}{max(cpu):8.2f}"
              f"{max(r[1] for r in rounds):12,.0f}{max(r[2] for r in rounds):6.0f}", flush=True)
    for workers in (1, 2):
        if chosen.only in "workers":
            rounds = [measure_verify(chosen.records, workers) for _ in range(chosen.rounds)]
            rate, cores, cpu = (statistics.median(column) for column in zip(*rounds))
            print(f"workers {workers}, verify: {rate:,.0f} records/s, {cores:.2f} cores, "
                  f"{cpu:.2f} us a record", flush=True)
    for side, loads, workers in itertools.product(SIDES, (1, 2), (1, 2)):
        if chosen.only in "workers":
            rounds = [measure_workers(side, chosen.records, workers, loads)
                      for _ in range(chosen.rounds)]
            rate, cores, cpu = (statistics.median(column) for column in zip(*rounds))
            print(f"workers {workers}, {loads} loads from {side}: {rate:,.0f} records/s, "
                  f"{cores:.2f} cores, {cpu:.2f} us a record", flush=True)


if __name__ == "__main__":
    main()
