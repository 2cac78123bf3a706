#!/usr/bin/env python3
"""Does it stay small? New records on both sides at a fixed rate for an hour, with the log and the metrics
on, on real servers (tools/servers). Every 10 s: resident memory, open files and lag of the daemon, from
its own metrics. Ends with 1 when memory grew by more than 2 MiB or descriptors at all after the first
sixth of the time, the lag had no bound, or a record is missing at the end.

    build/venv/bin/python bench/soak.py [--seconds 3600] [--rate 1000]
"""
import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import requests
from common import COLUMNS, Caes, Elastic, Place, Servers, finish, spent, start_raw

MIB = 1 << 20
LAG_LIMIT = 10  # seconds


def metrics(caes):
    """{name with labels: value}"""
    text = requests.get(caes.status_url + "/metrics", timeout=30).text
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if line[:1] not in ("#", ""))
    return {name: float(value) for name, value in lines}


def sample(caes, start):
    seen = metrics(caes)
    lags = [v for name, v in seen.items() if name.startswith("caes_lag_seconds")]
    return {"at": time.monotonic() - start, "rss": seen["process_resident_memory_bytes"] / MIB,
            "files": seen["process_open_fds"], "lag": max(lags),
            "copied": sum(v for name, v in seen.items() if 'result="copied"' in name)}


def show(one):
    print(f"{one['at']:7.0f} s  RSS {one['rss']:7.2f} MiB  {one['files']:4.0f} files  "
          f"lag {one['lag']:6.2f} s  {one['copied']:,.0f} copied", flush=True)


def watch(caes, seconds):
    start, samples = time.monotonic(), []
    while time.monotonic() - start < seconds:
        time.sleep(10)
        samples.append(sample(caes, start))
        if len(samples) % 6 == 0:
            show(samples[-1])
    return samples


def judge(samples, seconds):
    """What is wrong, in words."""
    settled = [one for one in samples if one["at"] >= seconds / 6]
    first, last = settled[: len(settled) // 5], settled[-(len(settled) // 5):]
    grown = median(one["rss"] for one in last) - median(one["rss"] for one in first)
    # A connection that is made anew, or a temporary file, is one more for a moment.
    files = median(one["files"] for one in last) - median(one["files"] for one in first)
    lag = max(one["lag"] for one in settled)
    print(f"after the first sixth: RSS {grown:+.2f} MiB (highest "
          f"{max(one['rss'] for one in samples):.2f}), files {files:+.0f}, lag at most {lag:.2f} s")
    return [text for wrong, text in ((grown > 2, "memory grows"), (files > 0, "files stay open"),
                                     (lag > LAG_LIMIT, "the lag has no bound")) if wrong]


def soak(place, caes, seconds, rate):
    place.make(columns=COLUMNS)
    daemon = caes.configure(interval=0.5).run()
    time.sleep(3)
    cpu = spent(daemon.process.pid)
    writers = [start_raw(place, "cassandra", "pairs", 0, rate * seconds, 0, rate),
               start_raw(place, "elasticsearch", "bulk", 10**9, rate * seconds, 0, rate,
                         max(1, rate // 20))]
    samples = watch(caes, seconds)
    for writer in writers:
        finish(writer)
    print(f"daemon: {100 * (spent(daemon.process.pid) - cpu) / seconds:.1f} % of a core, log "
          f"{daemon.log.stat().st_size:,} bytes")
    wrong = judge(samples, seconds)
    time.sleep(10)
    daemon.stop()
    result = caes.command("verify", "--json", code=None, timeout=1200).json
    print({name: value for name, value in result.items() if isinstance(value, (int, float))})
    if result["equal"] != 2 * rate * seconds or result["compared"] != result["equal"]:
        wrong.append("the stores differ")
    return wrong


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=int, default=3600)
    words.add_argument("--rate", type=int, default=1000, help="records a second on either side")
    chosen = words.parse_args()
    servers = Servers.find()
    cluster, session = servers.connect()
    with Place(servers, session, Elastic(servers.elasticsearch)) as place, \
            tempfile.TemporaryDirectory() as folder, Caes(place, Path(folder)) as caes:
        wrong = soak(place, caes, chosen.seconds, chosen.rate)
    cluster.shutdown()
    if wrong:
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    main()
