#!/usr/bin/env python3
"""Everything that docs/performance.md says in numbers, in one run on real servers and the scripted
ones: `make bench`, which also starts the servers.

    bench/measure.py [--quick] [--rounds 5] [--records 300000] [--write]

--quick: one round with few records. --write: into docs/performance.md. Rates depend on what else the
machine does; CPU a record hardly does, so goals are judged by that: what the servers' CPU allows is
cores / (CPU a record of the raw reads + of the raw writes).
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import daemon
import rounds
from common import ROOT, Elastic, Place, Servers, server_pids

CORES = os.cpu_count()
DOCUMENT = ROOT / "docs/performance.md"


def spread(values, form):
    """min / median / max"""
    return " / ".join(format(v, form) for v in (min(values), statistics.median(values),
                                                max(values)))


def cpu(part, *names):
    return sum(part[name] for name in names)


SERVERS = ("cassandra", "elasticsearch")


def whole(part):
    return cpu(part, *SERVERS, "client")


def ceiling(results, read, write):
    """Microseconds of the servers' CPU a record, of a raw read and a raw write."""
    return [cpu(r[read], *SERVERS) + cpu(w, *SERVERS)
            for r, w in zip(results, (best(r, write) for r in results))]


def best(result, names):
    return min((result[name] for name in names), key=lambda part: cpu(part, *SERVERS))


class Table:
    def __init__(self, *heads):
        self.lines = ["| " + " | ".join(heads) + " |", "| --- " + "| ---: " * (len(heads) - 1) + "|"]

    def add(self, *cells):
        self.lines.append("| " + " | ".join(map(str, cells)) + " |")

    def text(self):
        return "\n".join(self.lines) + "\n"


def parts_table(results):
    table = Table("what", "records/s", "client CPU µs", "Cassandra CPU µs", "Elasticsearch CPU µs",
                  "peak MiB")
    for name in results[0]:
        parts = [r[name] for r in results if r[name]]
        if not parts or "rate" not in parts[0]:
            continue
        peak = max((p.get("peak", 0) for p in parts), default=0)
        table.add(name, spread([p["rate"] for p in parts], ",.0f"),
                  *(spread([p[who] for p in parts], ".1f")
                    for who in ("client", "cassandra", "elasticsearch")),
                  f"{peak:.0f}" if peak else "")
    return table.text()


ROW_WRITES = ["rows in unlogged batches", "rows, one each"]
#      name, raw read, raw writes, goal, script
SHARES = [("load to Elasticsearch", "scan", ["bulk"], 0.90, "script to Elasticsearch", 2.5),
          ("load to Cassandra", "point in time", ROW_WRITES, 0.90, "script to Cassandra", 7),
          ("cycle to Elasticsearch", "scan", ["bulk"], 0.70, None, None),
          ("cycle to Cassandra", "point in time", ["row and entry"], 0.70, None, None)]


def verdict(value, goal, more=True):
    return "met" if (value >= goal) == more else "missed"


def shares_table(results):
    table = Table("what", "of what the servers' CPU allows", "goal", "daemon's share of all CPU",
                  "goal ", "times the script's rate", "goal  ")
    for name, read, write, goal, script, times in SHARES:
        share = [c / whole(r[name]) for c, r in zip(ceiling(results, read, write), results)]
        own = [100 * r[name]["client"] / whole(r[name]) for r in results]
        compared = [r[name]["rate"] / r[script]["rate"] for r in results if script and r[script]]
        table.add(name, spread(share, ".2f"), f"{goal} {verdict(statistics.median(share), goal)}",
                  spread(own, ".1f") + " %", f"5 % {verdict(statistics.median(own), 5, False)}",
                  spread(compared, ".1f") if compared else "",
                  f"{times} {verdict(statistics.median(compared), times)}" if compared else "")
    return table.text()


def allowed(results):
    """Records a second that the servers' CPU allows."""
    lines = []
    for name, read, write in (("Cassandra to Elasticsearch", "scan", ["bulk"]),
                              ("Elasticsearch to Cassandra", "point in time", ROW_WRITES)):
        rates = [CORES * 1e6 / c for c in ceiling(results, read, write)]
        lines.append(f"{name} {spread(rates, ',.0f')}")
    verified = [r["verify"]["client"] + cpu(r["verify"], *SERVERS) for r in results]
    scans = [cpu(r["scan"], *SERVERS) + cpu(r["point in time"], *SERVERS) for r in results]
    ratio = [v / s for v, s in zip(verified, scans)]
    times = [1 / r["verify"]["rate"] / (1 / r["scan"]["rate"] + 1 / r["point in time"]["rate"])
             for r in results]
    return (f"Records a second that the CPU of both servers allows on {CORES} cores: "
            + "; ".join(lines) + f".\n\n`verify` takes {spread(ratio, '.2f')} times the CPU of two "
            f"raw scans, and {spread(times, '.2f')} times the time of both one after the other "
            f"(goal 1.3: {verdict(statistics.median(times), 1.3, False)}); of few records the start "
            "of the program is a good part.\n")


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def steady_table(runs, rate):
    table = Table(f"steady, {rate:,} records/s each way", "p50 ms", "p99 ms", "samples", "goal")
    for side, name in enumerate(("to Elasticsearch (GET)", "to Cassandra")):
        lags = [run["lags"][side] for run in runs]
        p50, p99 = ([percentile(lag, s) for lag in lags] for s in (0.5, 0.99))
        fine = statistics.median(p50) <= 150 and statistics.median(p99) <= 1000
        table.add(name, spread(p50, ".0f"), spread(p99, ".0f"), sum(map(len, lags)),
                  f"150, 1,000 {'met' if fine else 'missed'}")
    core = [run["core"] for run in runs]
    return (table.text() + f"\nThe daemon takes {spread(core, '.1f')} % of a core (goal 10 %: "
            f"{verdict(statistics.median(core), 10, False)}), "
            f"{spread([run['client'] for run in runs], '.1f')} µs a record, and "
            f"{max(run['peak'] for run in runs):.0f} MiB at most (goal 32).\n")


def alone_table(chosen):
    table = Table("the daemon alone", "CPU µs a record", "records/s at best", "peak MiB", "goal")
    goals = {"load Cassandra -> Elasticsearch": 2, "load Elasticsearch -> Cassandra": 4}
    for name in daemon.cases(1):
        # so many that the 15 ms of a start don't show
        records = chosen.changed if name.startswith("sync") else max(chosen.records, 200000)
        measured = [daemon.measure(daemon.cases(records)[name], records)
                    for _ in range(chosen.rounds)]
        used = [m[0] for m in measured]
        goal = goals.get(name)
        table.add(name.replace("->", "to"), spread(used, ".2f"),
                  f"{max(m[1] for m in measured):,.0f}", f"{max(m[2] for m in measured):.0f}",
                  f"{goal} µs {verdict(statistics.median(used), goal, False)}" if goal else "")
    return table.text()


def workers_table(chosen):
    table = Table("with several threads", "workers", "records/s of all", "cores of the daemon",
                  "CPU µs a record")
    records = max(chosen.records, 600000)
    cases = [(f"{loads} load{'s' * (loads > 1)} from {side.title()}",
              lambda workers, side=side, loads=loads: daemon.measure_workers(
                  side, records // loads, workers, loads))
             for side in daemon.SIDES for loads in (1, 2)]
    cases.append(("verify", lambda workers: daemon.measure_verify(records, workers)))
    for name, measured in cases:
        for workers in (1, 2):
            rate, cores, used = zip(*(measured(workers) for _ in range(chosen.rounds)))
            table.add(name, workers, spread(rate, ",.0f"), spread(cores, ".2f"),
                      spread(used, ".2f"))
    return table.text()


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{model.group(1) if model else 'unknown CPU'}, {CORES} cores"


def fetch_library(major):
    """The client that the script needs; without it there is no comparison."""
    target = ROOT / "build/bench-python"
    if not target.exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", str(target),
                        "--disable-pip-version-check", f"elasticsearch>={major},<{major + 1}"])


def report(chosen, place_of, elastic):
    def say(text):
        print(text, file=sys.stderr, flush=True)

    def one_round(name):
        result = {}
        for part, size in ((rounds.from_cassandra, chosen.records),
                           (rounds.from_elasticsearch, chosen.records),
                           (rounds.other_writes, chosen.records // 3),
                           (rounds.cycle, chosen.changed)):
            say(f"{name}: {part.__name__}")
            result |= part(place_of, size)
        say(f"{name}: steady")
        return result, rounds.steady(place_of, chosen.rate, chosen.seconds)

    results, runs, idle = [], [], []
    one_round("warm-up")  # servers that have just started are several times as slow
    for number in range(chosen.rounds):
        result, run = one_round(f"round {number + 1}")
        results.append(result)
        runs.append(run)
        say(f"round {number + 1}: idle")
        idle.append(rounds.idle(place_of, chosen.seconds)["core"])
        print(json.dumps({**result, "steady": run["core"], "idle": idle[-1]}), flush=True)
    say("the daemon alone")
    return (f"Measured {datetime.date.today()} on {machine()}, Elasticsearch {elastic.version}, "
            f"{chosen.rounds} rounds of {chosen.records:,} records (`make bench`), load average "
            f"{os.getloadavg()[1]:.0f}, after one that is not counted: minimum / median / maximum.\n\n"
            f"{parts_table(results)}\n{shares_table(results)}\n{allowed(results)}\n"
            f"{steady_table(runs, chosen.rate)}\n"
            f"Idle at interval 1: {spread(idle, '.2f')} % of a core (goal 0.3 %: "
            f"{verdict(statistics.median(idle), 0.3, False)}).\n\n{alone_table(chosen)}\n"
            f"{workers_table(chosen)}")


def write_document(text):
    begin, end = "<!-- bench: begin -->\n", "<!-- bench: end -->"
    page = DOCUMENT.read_text()
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    DOCUMENT.write_text(f"{head}{begin}{text}{end}{tail}")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rounds", type=int)
    options.add_argument("--records", type=int)
    options.add_argument("--changed", type=int, default=10000, help="records of a sync cycle")
    options.add_argument("--rate", type=int, default=2000, help="records a second, steady")
    options.add_argument("--seconds", type=int, help="of steady sync, and idle")
    options.add_argument("--write", action="store_true", help="into docs/performance.md")
    chosen = options.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 5)
    chosen.records = chosen.records or (30000 if chosen.quick else 300000)
    chosen.seconds = chosen.seconds or (10 if chosen.quick else 30)
    servers = Servers.find()
    if set(SERVERS) - set(server_pids(servers)):
        raise SystemExit("the servers' CPU can only be read of those that tools/servers started")
    cluster, session = servers.connect()
    elastic = Elastic(servers.elasticsearch)
    fetch_library(elastic.major)
    text = report(chosen, lambda: Place(servers, session, elastic), elastic)
    print(text)
    if chosen.write:
        write_document(text)
    cluster.shutdown()


main()
