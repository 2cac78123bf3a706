"""The daemon under a service manager: what it tells it (sd_notify, against a socket of our own), its logs,
its units, stopping, and pausing a pipeline."""
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from manager import Manager
from proxy import Proxy
from support import PROGRAM, ROOT, Daemon, eventually, now
from test_http import Metrics, get

UNITS = ROOT / "packaging/systemd"


def start(caes, manager, **env):
    """`run` as a manager would start it."""
    log = caes.folder / f"service-{len(caes.daemons) + 1}.log"
    daemon = Daemon(caes.argv("run"), {**caes.env, **manager.env, **env}, log)
    caes.daemons.append(daemon)
    return daemon


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_status_reload_and_stop(place, caes, tmp_path, abstract):
    place.make()
    with Manager(tmp_path, abstract) as manager:
        daemon = start(caes, manager)
        eventually(lambda: manager.count("READY") == 1)
        assert get(caes, "/healthz").status_code == 200  # listens by then
        eventually(lambda: manager.status == "In sync")
        asked = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        daemon.signal(signal.SIGHUP)
        eventually(lambda: manager.count("READY") == 2)
        since = int(manager.values("MONOTONIC_USEC")[0])
        assert asked <= since <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        caes.command("reload")
        eventually(lambda: manager.count("READY") == 3)
        assert manager.count("RELOADING") == manager.count("MONOTONIC_USEC") == 2
        assert daemon.stop() == 0
        eventually(lambda: manager.count("STOPPING") == 1)
        order = [name for _, fields in manager.told for name in fields
                 if name in ("READY", "RELOADING", "STOPPING")]
        assert order == ["READY", "RELOADING", "READY", "RELOADING", "READY", "STOPPING"]
        assert manager.count("WATCHDOG") == 0  # nobody asked for it


def test_a_reload_of_a_wrong_configuration(place, caes, tmp_path):
    place.make()
    with Manager(tmp_path) as manager:
        daemon = start(caes, manager)
        eventually(lambda: manager.count("READY") == 1)
        caes.file.write_text("interval: soon\n")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: "goes on with the old configuration" in daemon.text())
        assert manager.count("READY") == 1  # it never was anything else
        key = place.write_row(now(), user="ana")
        eventually(lambda: place.doc(key))


def test_a_reload_uses_what_it_found_good(place, caes):
    """The file may be written again before the last batch has ended."""
    place.make()
    daemon = caes.run()
    eventually(lambda: "connected" in daemon.text())
    caes.configure(interval=0.3)
    for done in range(1, 6):
        caes.command("reload")
        caes.file.write_text("interval: soon\n")
        eventually(lambda: daemon.text().count("reads its configuration again") == done)
    assert "goes on with the old configuration" not in daemon.text()


def test_a_server_that_is_down_at_start(place, caes, tmp_path):
    """The unit starts all the same, says what it waits for, and its watchdog lets it wait."""
    place.make()
    with Proxy.of_url(place.elastic.url) as proxy, Manager(tmp_path, watchdog=3) as manager:
        proxy.cut()
        daemon = start(caes.configure(ElasticSearchConfig={"hosts": [proxy.url]}), manager)
        eventually(lambda: manager.count("READY") == 1)
        eventually(lambda: "Waiting for Elasticsearch since" in manager.status
                   and "connect" in manager.status)
        fed = manager.count("WATCHDOG")
        time.sleep(6)
        eventually(lambda: manager.count("WATCHDOG") >= fed + 5)
        feeds = manager.times("WATCHDOG")
        assert max(b - a for a, b in zip(feeds, feeds[1:])) < 3
        proxy.mend()
        eventually(lambda: manager.status == "In sync", 40)
        proxy.stall()
        fed = manager.count("WATCHDOG")
        time.sleep(3)
        eventually(lambda: manager.count("WATCHDOG") >= fed + 2)
        proxy.mend()
        assert daemon.stop() == 0


def test_a_loop_that_stands_still_feeds_no_watchdog(place, caes, tmp_path):
    place.make()
    with Manager(tmp_path, watchdog=1) as manager:
        daemon = start(caes, manager)
        eventually(lambda: manager.status == "In sync")
        daemon.signal(signal.SIGSTOP)
        fed = manager.count("WATCHDOG")
        time.sleep(2)
        assert 0 < fed <= manager.count("WATCHDOG") <= fed + 1  # one was on its way
        daemon.signal(signal.SIGCONT)
        eventually(lambda: manager.count("WATCHDOG") > fed + 1)


def test_a_watchdog_of_another_process(place, caes, tmp_path):
    place.make()
    with Manager(tmp_path, watchdog=1) as manager:
        start(caes, manager, WATCHDOG_PID="1")
        eventually(lambda: manager.status == "In sync")
        time.sleep(1)
        assert manager.count("WATCHDOG") == 0


@pytest.mark.parametrize("name", ["/nobody/listens/here", "vsock:2:1234", "@"])
def test_a_manager_that_is_not_there(place, caes, name):
    place.make()
    caes.env["NOTIFY_SOCKET"] = name
    daemon = caes.run()
    key = place.write_row(now(), user="ana")
    eventually(lambda: place.doc(key))
    assert len(re.findall("WARNING.*can't tell the service manager", daemon.text())) == 1
    assert daemon.stop() == 0


# --- logs

def as_journal(caes, path):
    """`run` with a stderr that says that it is the journal."""
    with open(path, "ab") as out:
        info = os.fstat(out.fileno())
        env = {**caes.env, "JOURNAL_STREAM": f"{info.st_dev}:{info.st_ino}"}
        return Daemon(caes.argv("run"), env, path)


def lines_of(daemon):
    """Without those of a sanitizer, which the program does not write."""
    return [line for line in daemon.text().splitlines() if not line.startswith("==")]


def test_lines_for_the_journal(place, caes, tmp_path):
    place.make()
    with Proxy.of_url(place.elastic.url) as proxy:
        caes.configure(ElasticSearchConfig={"hosts": [proxy.url]}, log={"level": "debug"})
        daemon = as_journal(caes, tmp_path / "journal")
        caes.daemons.append(daemon)
        eventually(lambda: get(caes, "/readyz").status_code == 200)
        proxy.cut()
        eventually(lambda: "trying again" in daemon.text())
        assert daemon.stop() == 0
    lines = lines_of(daemon)
    priorities = {"DEBUG": "7", "INFO": "6", "WARNING": "4", "ERROR": "3"}
    parsed = [re.fullmatch(r"<(\d)>([A-Z]+) caes[.\w]* (.*)", line) for line in lines]
    assert all(parsed), lines
    assert all(priorities[m[2]] == m[1] for m in parsed)
    assert {"DEBUG", "INFO", "ERROR"} <= {m[2] for m in parsed}
    # what ends it before there is a log has its priority too
    caes.file.write_text("interval: soon\n")
    with open(tmp_path / "journal2", "wb") as out:
        info = os.fstat(out.fileno())
        env = {**caes.env, "JOURNAL_STREAM": f"{info.st_dev}:{info.st_ino}"}
        run = subprocess.run([PROGRAM, "-c", caes.file, "run"], env=env, stderr=out, timeout=30)
    assert run.returncode == 2
    assert f"<3>{caes.file}:1: interval: " in (tmp_path / "journal2").read_text()


def test_json_and_formats_of_ones_own_in_the_journal(place, caes, tmp_path):
    place.make()
    daemon = as_journal(caes.configure(log={"format": "json"}), tmp_path / "json")
    caes.daemons.append(daemon)
    eventually(lambda: "started" in daemon.text())
    assert daemon.stop() == 0
    for line in lines_of(daemon):
        assert line.startswith("<6>") and json.loads(line[3:])["message"], line
    caes.configure(log=None, logging={
        "version": 1, "formatters": {"own": {"format": "at %(asctime)s: %(message)s"}},
        "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "own"}},
        "root": {"level": "INFO", "handlers": ["err"]}})
    daemon = as_journal(caes, tmp_path / "own")
    caes.daemons.append(daemon)
    eventually(lambda: "started" in daemon.text())
    assert daemon.stop() == 0
    assert all(line.startswith("<6>at 2") for line in lines_of(daemon))


def to_file(caes, log):
    return caes.configure(logging={
        "version": 1, "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(log),
                              "formatter": "plain"}},
        "root": {"level": "INFO", "handlers": ["file"]}})


def test_a_log_file_that_is_moved_away(place, caes, tmp_path):
    """Reopened by SIGHUP and by reload, also where the configuration is wrong meanwhile."""
    place.make()
    log = tmp_path / "caes.log"
    daemon = to_file(caes, log).run()
    eventually(lambda: log.exists() and "started" in log.read_text())
    for turn, ask in enumerate((lambda: daemon.signal(signal.SIGHUP),
                                lambda: caes.command("reload"))):
        log.rename(tmp_path / f"old.{turn}")
        ask()
        eventually(lambda: log.exists() and "reads its configuration again" in log.read_text())
    log.rename(tmp_path / "old.2")
    caes.file.write_text("interval: soon\n")
    daemon.signal(signal.SIGHUP)
    eventually(lambda: log.exists())
    assert daemon.stop() == 0
    assert log.read_text().endswith("INFO stopped\n")


def logrotate_script(folder):
    """The postrotate lines of our file, with another folder for the pid files."""
    text = (ROOT / "packaging/logrotate/caes-sync").read_text()
    script = re.search(r"postrotate\n(.*)endscript", text, re.DOTALL)[1]
    return script.replace("/var/lib/caes-sync", str(folder))


def test_what_logrotate_runs(place, caes, tmp_path):
    place.make()
    folder = tmp_path / "lib"
    (folder / "one").mkdir(parents=True)
    (folder / "stale.pid").write_text("999999\n")  # of a process that is gone
    log = tmp_path / "caes.log"
    to_file(caes, log).configure(state=str(folder / "one/state.db"), pidFile=None).run()
    eventually(lambda: log.exists() and "started" in log.read_text())
    log.rename(tmp_path / "caes.log-20260101")
    run = subprocess.run(["sh", "-e", "-c", logrotate_script(folder)], timeout=20)
    assert run.returncode == 0
    eventually(lambda: log.exists() and "reads its configuration again" in log.read_text())


def test_logrotate_itself(place, caes, tmp_path):
    """The whole file, with paths and user of the test."""
    program = shutil.which("logrotate") or shutil.which("/usr/sbin/logrotate")
    if not program:
        pytest.skip("no logrotate here")
    place.make()
    log = tmp_path / "log/caes.log"
    log.parent.mkdir(mode=0o755)
    (tmp_path / "lib").mkdir()
    to_file(caes, log).configure(state=str(tmp_path / "lib/state.db"), pidFile=None).run()
    eventually(lambda: log.exists() and "started" in log.read_text())
    text = (ROOT / "packaging/logrotate/caes-sync").read_text()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True).stdout.strip()
    rules = tmp_path / "logrotate"
    rules.write_text(text.replace("/var/log/caes-sync", str(log.parent))
                     .replace("/var/lib/caes-sync", str(tmp_path / "lib"))
                     .replace("su caes-sync caes-sync", f"su {user} {group}"))
    rules.chmod(0o644)
    subprocess.run([program, "-f", "-s", tmp_path / "logrotate.state", rules], check=True,
                   timeout=30)
    assert len(list(log.parent.glob("caes.log-*"))) == 1
    eventually(lambda: log.exists() and "reads its configuration again" in log.read_text())


# --- stopping

def test_a_stop_finishes_the_batch_within_a_bound(place, caes, tmp_path):
    """In the middle of a long cycle; the next start goes on from there and nothing is missing."""
    place.make()
    version, count = now(), 5000
    place.elastic.bulk(place.index, [(str(uuid.uuid4()), version, {"user": "ana"})
                                     for _ in range(count)])
    with Manager(tmp_path) as manager:
        daemon = start(caes, manager)
        eventually(lambda: Metrics(caes).value("caes_records_total", direction="to_cassandra",
                                               result="copied") > 0)
        begun = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - begun < 10
        eventually(lambda: manager.count("STOPPING"))
        assert manager.values("STOPPING") == ["1"] and manager.status == "Finishing its batch"
    assert 0 < len(place.rows()) <= count
    assert "stopped" in daemon.text()
    caes.sync(timeout=300)
    assert len(place.rows()) == count


def test_a_stop_while_a_server_hangs(place, caes, tmp_path):
    place.make()
    with Proxy.of_url(place.elastic.url) as proxy, Manager(tmp_path, watchdog=2) as manager:
        daemon = start(caes.configure(ElasticSearchConfig={"hosts": [proxy.url]}), manager)
        eventually(lambda: manager.status == "In sync")
        proxy.stall()
        eventually(lambda: "answered nothing" in manager.status)  # a request is on its way
        begun = time.monotonic()
        assert daemon.stop(timeout=40) == 0
        assert 15 < time.monotonic() - begun < 30
        assert "ends without the batch" in daemon.text()
        stopping = manager.times("STOPPING")[0]
        feeds = [when for when in manager.times("WATCHDOG") if when > stopping]
        assert len(feeds) > 20  # no watchdog cuts it short


# --- pause and resume

def state_of(caes):
    return caes.command("status", "--json", code=None).json["pipelines"][0]


def is_paused(caes):
    ready = get(caes, "/readyz")
    assert ready.status_code == 503 and "paused" in ready.text
    metrics = Metrics(caes)
    assert metrics.value("caes_paused") == 1
    assert metrics.value("caes_ready") == metrics.value("caes_stuck") == 0
    page = get(caes, "/").text
    assert "Paused since" in page and "caes-sync resume" in page
    state = state_of(caes)
    assert state["paused"] is True and state["paused_by"] == "operator"
    assert state["state"]["name"] == "paused" and state["state"]["level"] == "attention"
    assert state["healthy"] is True and state["ready"] is False
    return True


def test_pause_and_resume(place, caes, tmp_path):
    place.make()
    with Manager(tmp_path, watchdog=1) as manager:
        daemon = start(caes, manager)
        first = place.write_row(now(), user="before")
        eventually(lambda: place.doc(first))
        assert caes.command("pause").out == "paused; caes-sync resume goes on\n"
        assert caes.command("pause").out == "paused already\n"
        eventually(lambda: is_paused(caes))
        eventually(lambda: manager.status.startswith("Paused since"))
        row = place.write_row(now(), user="meanwhile")
        doc = place.put_doc(now(), user="meanwhile")
        cycles = state_of(caes)["cycles"]
        fed = manager.count("WATCHDOG")
        time.sleep(3)
        assert state_of(caes)["cycles"] == cycles
        eventually(lambda: manager.count("WATCHDOG") >= fed + 6)
        assert place.doc(row) is None and place.row(doc) is None
        # what is asked for beside the cycles is done; what copies by itself is not
        assert caes.command("explain", row).code == 0
        refused = caes.command("load", "--from", "cassandra", code=4)
        assert "paused; caes-sync resume" in refused.err
        # a reload and a restart change nothing
        caes.command("reload")
        eventually(lambda: manager.count("READY") == 2)
        eventually(lambda: is_paused(caes))
        assert daemon.stop() == 0
    daemon = caes.run()
    eventually(lambda: is_paused(caes))
    assert "is paused; caes-sync resume" in daemon.text()
    time.sleep(1.5)
    assert place.doc(row) is None
    assert caes.command("resume", "--json").json == {"paused": False, "changed": True}
    eventually(lambda: place.doc(row) and place.row(doc))
    eventually(lambda: get(caes, "/readyz").status_code == 200)
    assert Metrics(caes).value("caes_paused") == 0
    state = state_of(caes)
    assert state["paused"] is False and state["paused_by"] is None
    assert caes.command("resume").out == "not paused\n"
    assert "paused; copies nothing" in caes.daemons[0].text()
    assert "goes on after a pause of" in daemon.text()


def test_pause_without_a_daemon(place, caes):
    place.make()
    key = place.write_row(now(), user="ana")
    caes.command("pause")
    refused = caes.sync(code=4)
    assert "default is paused; caes-sync resume lets it go on" in refused.err
    assert place.doc(key) is None
    caes.command("resume")
    caes.sync()
    assert place.doc(key)


def test_pause_ends_an_outage_and_resume_shows_it_again(place, caes):
    place.make()
    with Proxy.of_url(place.elastic.url) as proxy:
        caes.configure(ElasticSearchConfig={"hosts": [proxy.url]}).run()
        eventually(lambda: get(caes, "/readyz").status_code == 200)
        proxy.cut()
        eventually(lambda: state_of(caes)["state"]["name"] == "waiting")
        caes.command("pause")
        eventually(lambda: is_paused(caes))
        caes.command("resume")
        eventually(lambda: state_of(caes)["state"]["name"] == "waiting")
        proxy.mend()
        eventually(lambda: get(caes, "/readyz").status_code == 200, 40)


def test_pause_ends_the_daemons_own_comparison(place, caes):
    place.make()
    keys = [place.write_row(now(), user="ana") for _ in range(60)]
    caes.configure(verify={"every": "1s", "rate": 2}).run()  # the first one sees them all
    eventually(lambda: all(place.doc(key) for key in keys))
    time.sleep(3)  # one is under way; it would take half a minute
    caes.command("pause")
    eventually(lambda: state_of(caes)["last_verify"]["failure"])


def test_pause_in_the_middle_of_a_long_cycle(place, caes):
    """It ends between two batches, and is told once nothing is written any more."""
    place.make()
    version, count = now(), 30000
    for _ in range(6):
        place.elastic.bulk(place.index, [(str(uuid.uuid4()), version, {"user": "ana"})
                                         for _ in range(count // 6)])
    caes.run()
    eventually(lambda: place.cql(f"SELECT did FROM {place.keyspace}.data LIMIT 1"), 40, 0.02)
    caes.command("pause")
    written = len(place.rows())
    time.sleep(2)
    assert len(place.rows()) == written < count
    caes.command("resume")
    eventually(lambda: len(place.rows()) == count, 120, 1)


def test_a_state_of_an_older_version(place, caes):
    """What it holds stays, and what is new works."""
    place.make()
    key = place.write_row(now() - 300, user="before the upgrade")
    caes.sync(since=now() - 400)
    with contextlib.closing(sqlite3.connect(caes.config["state"])) as state:
        before = state.execute("SELECT highest_cassandra FROM checkpoint").fetchall()
        version, = state.execute("SELECT highest_cassandra FROM checkpoint").fetchone()
        state.execute("DROP TABLE block")
        state.execute("ALTER TABLE pipeline DROP COLUMN paused_us")
        state.execute("ALTER TABLE pipeline DROP COLUMN compared_us")
        state.execute("""
            CREATE TABLE entry(
              pipeline INTEGER NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,
              seen INTEGER NOT NULL, looks INTEGER NOT NULL, first_look_us INTEGER NOT NULL,
              due_us INTEGER NOT NULL, own INTEGER NOT NULL,
              own_document_high INTEGER, own_document_low INTEGER,
              own_row_high INTEGER, own_row_low INTEGER, own_row_written_us INTEGER,
              PRIMARY KEY(pipeline, key, version)) WITHOUT ROWID""")
        state.execute("INSERT INTO entry SELECT id, ?, ?, 3, 4, 1, ?, 0, 0, 0, 0, 0, 0 FROM pipeline",
                      (key.encode(), version, 2**63 - 1))
        state.execute("PRAGMA user_version = 2")
        state.commit()
    caes.command("pause")
    caes.command("resume")
    with contextlib.closing(sqlite3.connect(caes.config["state"])) as state:
        assert state.execute("SELECT highest_cassandra FROM checkpoint").fetchall() == before
        assert state.execute("SELECT count(*) FROM block").fetchone() == (1,)
    assert caes.counts(caes.sync()) == {}
    assert place.doc(key)


# --- the units

def unit(tmp_path, name):
    """The unit with our program in its place: systemd-analyze looks whether it is there."""
    copy = tmp_path / name
    copy.write_text((UNITS / name).read_text().replace("/usr/bin/caes-sync", PROGRAM))
    return copy


def analyze(*words):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    return subprocess.run(["systemd-analyze", "--no-pager", *map(str, words)], text=True,
                          capture_output=True, timeout=60)


@pytest.mark.parametrize("name", ["caes-sync.service", "caes-sync@.service"])
def test_units_are_valid(tmp_path, name):
    run = analyze("verify", "--man=no", unit(tmp_path, name))
    ours = [line for line in run.stderr.splitlines() if "caes" in line]
    assert run.returncode == 0 and not ours, run.stderr


@pytest.mark.parametrize("name", ["caes-sync.service", "caes-sync@.service"])
def test_units_are_hardened(tmp_path, name):
    run = analyze("security", "--offline=true", "--threshold=20", unit(tmp_path, name))
    assert run.returncode == 0, run.stdout
    assert "OK" in run.stdout.splitlines()[-1], run.stdout


def test_the_template_is_the_unit(tmp_path):
    """But for its configuration, its state and its name."""
    lines = (UNITS / "caes-sync.service").read_text().splitlines()
    other = [line for line in (UNITS / "caes-sync@.service").read_text().splitlines()
             if not line.startswith("# caes-sync@") and not line.startswith("# /var/lib")]
    assert [line.replace("@", "") for line in other if line not in lines] == [
        "Description=caes-sync %i: keeps a Cassandra table and an Elasticsearch index in sync",
        "ExecStart=/usr/bin/caes-sync -c /etc/caes-sync/%i.yaml run",
        "ExecReload=/usr/bin/caes-sync -c /etc/caes-sync/%i.yaml reload",
        "StateDirectory=caes-sync/%i"]
    assert len(other) == len(lines)


@pytest.mark.skipif(os.geteuid() != 0, reason="for root only")
def test_root_leaves_nothing_in_the_services_state(place, caes):
    """What root makes there the service could not open."""
    place.make()
    above = Path("/var/lib/caes-sync")
    was_there = above.exists()
    folder = above / f"test-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        os.chown(folder, 65534, 65534)
        caes.configure(state=str(folder / "state.db"), pidFile=None)
        assert "is of user nobody" in caes.sync(code=2).err
        assert not list(folder.iterdir())
    finally:
        folder.rmdir()
        if not was_there:
            with contextlib.suppress(OSError):
                above.rmdir()
