"""The show of `make demo`: every claim that it prints was checked on the servers themselves."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import stores

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("CAES_SYNC", str(ROOT / "build" / "caes-sync"))
BOLD, GREEN, RED, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[0m") \
    if sys.stdout.isatty() else ("", "", "", "")


def title(text):
    print(f"\n{BOLD}== {text}{PLAIN}", flush=True)


def indented(text):
    for line in text.rstrip().splitlines():
        print(f"    {line}", flush=True)


class Show:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="caes-demo-"))
        self.folder.chmod(0o755)  # the servers run under an account of their own
        self.config = self.folder / "config.yaml"
        self.log = self.folder / "daemon.log"
        self.daemon = None
        self.untrue = 0
        self.last_version = 0

    # --- small tools

    def claim(self, text, check, timeout=45):
        """Waits until check() holds; says whether it came true."""
        begun = time.monotonic()
        while not (true := bool(check())) and time.monotonic() - begun < timeout:
            time.sleep(0.1)
        took = time.monotonic() - begun
        mark = f"{GREEN}true {PLAIN}" if true else f"{RED}FALSE{PLAIN}"
        print(f"  {mark} {text}" + (f" (after {took:.1f} s)" if took > 0.5 else ""), flush=True)
        if not true:
            self.untrue += 1
        return true

    def next_version(self):
        """Seconds since 1970, as the demo's applications version their writes; never twice."""
        self.last_version = max(int(time.time()), self.last_version + 1)
        return self.last_version

    def servers(self, *words):
        run = subprocess.run([ROOT / "tools/servers", "--dir", self.folder / "servers", *words],
                             stdout=subprocess.PIPE, text=True)
        if run.returncode:
            raise SystemExit("demo: a server did not start, see above")
        return run.stdout

    def program(self, *words):
        print(f"  $ caes-sync {' '.join(words)}", flush=True)
        run = subprocess.run([PROGRAM, "-c", self.config, *words], capture_output=True, text=True)
        indented(run.stdout + run.stderr)
        return run.returncode

    def has(self, command):
        return subprocess.run([PROGRAM, command, "--help"], capture_output=True).returncode == 0

    def start_daemon(self):
        with open(self.log, "ab") as log:
            # A session of its own: Ctrl-C goes to us, and we end it.
            self.daemon = subprocess.Popen([PROGRAM, "-c", self.config, "run"], stdout=log,
                                           stderr=log, stdin=subprocess.DEVNULL,
                                           start_new_session=True)
        print(f"  $ caes-sync run    (process {self.daemon.pid}, log {self.log})", flush=True)

    def table(self, keys):
        """What both stores hold, side by side."""
        rows = [("key", "in Cassandra", "in Elasticsearch", "version")]
        for key in keys:
            version, doc = self.elastic.get(key) or ("", None)
            rows.append((key[:8], self.brief(self.cassandra.get(key)), self.brief(doc),
                         str(version)))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        print()
        for row in rows:
            print("    " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip())
        print(flush=True)

    @staticmethod
    def brief(content):
        return "-" if content is None else ", ".join(f"{k}: {v}" for k, v in sorted(content.items()))

    def same(self, key, content):
        doc = self.elastic.get(key)
        return self.cassandra.get(key) == content and doc is not None and doc[1] == content

    # --- the acts

    def begin(self):
        title("Two real servers, on loopback only")
        self.servers("start", "cassandra", "elasticsearch")
        where = dict(line.removeprefix("export ").split("=", 1)
                     for line in self.servers("env").splitlines())
        self.elastic = stores.Elastic(where["ELASTICSEARCH_URL"])
        self.cassandra = stores.Cassandra(where["CASSANDRA_HOSTS"], int(where["CASSANDRA_PORT"]))
        version = self.elastic.version()
        why = "the newest; a JDK for it is installed" if int(version.split(".")[0]) >= 9 \
            else "as no JDK 21 or newer was found for 9.x"
        print(f"  Cassandra {self.cassandra.version()} at {where['CASSANDRA_HOSTS']}:"
              f"{where['CASSANDRA_PORT']}\n  Elasticsearch {version} at "
              f"{where['ELASTICSEARCH_URL']} ({why})")

        self.page = f"127.0.0.1:{stores.free_port()}"
        self.config.write_text(json.dumps({  # JSON is YAML
            "interval": 1,
            "ElasticSearchConfig": {"index": "demo", "type": "message",
                                    "hosts": [where["ELASTICSEARCH_URL"]]},
            "CassandraConfig": {"keyspace": "demo", "dataColumnFamily": "messages",
                                "contactPoints": where["CASSANDRA_HOSTS"].split(","),
                                "port": int(where["CASSANDRA_PORT"])},
            "state": str(self.folder / "state.db"), "http": {"listen": self.page},
        }, indent=2))

    def schema(self):
        title("A table of yours; init makes what is missing around it")
        self.cassandra.make_table()
        indented(stores.TABLE)
        code = self.program("init")
        self.claim("init ended well", lambda: code == 0, 0)
        self.claim("the time series table is there", self.cassandra.has_series, 0)
        self.claim("the index has the table's columns",
                   lambda: {"user", "message", "likes"} <= self.elastic.fields(), 0)

    def both_ways(self):
        title("The daemon runs; applications write on both sides")
        self.start_daemon()
        now = self.next_version()
        people = [("ana", "hello from Cassandra", 1), ("bo", "wide rows, narrow minds", 2),
                  ("eve", "consistency is a level", 3), ("ida", "hello from Elasticsearch", 4),
                  ("kim", "relevance is a score", 5), ("zoë", "schemas are for the others", 6)]
        self.records = {}
        for at, (user, message, likes) in enumerate(people):
            key = str(uuid.uuid4())
            content = {"user": user, "message": message, "likes": likes}
            self.records[key] = content
            side = self.cassandra if at < 3 else self.elastic
            side.write(key, now, content)
        self.keys = list(self.records)
        print("  Python driver: BATCH of time series entry and row, three times\n"
              f"  HTTP:          PUT /demo/_doc/<key>?version={now}&version_type=external, "
              "three times")
        for key in self.keys[:3]:
            self.claim(f"{self.records[key]['user']}'s row of Cassandra is in Elasticsearch",
                       lambda key=key: self.same(key, self.records[key]))
        for key in self.keys[3:]:
            self.claim(f"{self.records[key]['user']}'s document of Elasticsearch is in Cassandra",
                       lambda key=key: self.same(key, self.records[key]))
        self.claim("their versions came along", lambda: all(
            self.elastic.get(key)[0] == now and now in self.cassandra.versions(key)
            for key in self.keys))
        self.table(self.keys)

    def conflicts(self):
        title("Both sides write the same record")
        newer, tie = self.keys[0], self.keys[3]
        now, later = self.next_version(), self.next_version()
        self.elastic.write(newer, now, {"user": "ana", "message": "older", "likes": 1})
        last = {"user": "ana", "message": "newer, from Cassandra", "likes": 100}
        self.cassandra.write(newer, later, last)
        print(f"  {newer[:8]}: Elasticsearch writes version {now}, Cassandra {later}")
        mine = {"user": "ida", "message": "same version, from Elasticsearch", "likes": 200}
        self.elastic.write(tie, now, mine)
        self.cassandra.write(tie, now, {"user": "ida", "message": "same version", "likes": 0})
        print(f"  {tie[:8]}: both write version {now}")
        self.claim("the newer version won, on both sides", lambda: self.same(newer, last))
        self.claim("the tie went to Elasticsearch, on both sides", lambda: self.same(tie, mine))
        self.table([newer, tie])
        self.records |= {newer: last, tie: mine}

    def killed(self):
        title("The daemon is killed (SIGKILL); writes go on; it starts again")
        self.daemon.kill()
        self.daemon.wait()
        now = self.next_version()
        key, other = str(uuid.uuid4()), self.keys[1]
        first = {"user": "max", "message": "while you were out", "likes": 7}
        second = {"user": "bo", "message": "edited while you were out", "likes": 8}
        self.elastic.write(key, now, first)
        self.cassandra.write(other, now, second)
        self.start_daemon()
        self.claim("the document written meanwhile is in Cassandra", lambda: self.same(key, first))
        self.claim("the row edited meanwhile is in Elasticsearch",
                   lambda: self.same(other, second))
        self.records |= {key: first, other: second}
        self.claim("both stores hold these seven records and no others", lambda: (
            self.elastic.all() == self.cassandra.all() == self.records))

    def more(self):
        if self.has("verify"):
            title("verify compares both stores, record by record")
            code = self.program("verify")
            self.claim("verify found both equal", lambda: code == 0, 0)
        if stores.http_ok(f"http://{self.page}/healthz"):
            title("The status page")
            self.claim(f"http://{self.page}/ is up",
                       lambda: stores.http_ok(f"http://{self.page}/"), 10)

    def stay(self):
        title("The daemon goes on; Ctrl-C ends everything. Try it:")
        key = self.keys[0]
        print(f"  curl '{self.elastic.url}/demo/_doc/{key}'\n"
              f"  curl -XPUT '{self.elastic.url}/demo/_doc/{key}?version='$(date +%s)"
              "'&version_type=external' -H 'Content-Type: application/json' "
              "-d '{\"user\": \"you\", \"message\": \"hi\", \"timestamp\": '$(date +%s)'}'\n"
              "  (the row follows; what the daemon says:)", flush=True)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            while self.daemon.poll() is None:
                if text := log.read():
                    indented(text)
                time.sleep(0.3)
        self.untrue += 1
        print(f"{RED}the daemon ended by itself{PLAIN}")

    def end(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
        if self.untrue and self.log.exists():
            title("What the daemon said")
            indented("\n".join(self.log.read_text(errors="replace").splitlines()[-40:]))
        subprocess.run([ROOT / "tools/servers", "--dir", self.folder / "servers", "clean"],
                       start_new_session=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def play(self):
        self.begin()
        self.schema()
        self.both_ways()
        self.conflicts()
        self.killed()
        self.more()


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    show = Show()
    try:
        show.play()
        print(f"\n{show.untrue or 'None'} of these claims "
              f"{'was' if show.untrue < 2 else 'were'} false.", flush=True)
        if os.environ.get("DEMO_EXIT") != "1":
            show.stay()
    except KeyboardInterrupt:
        print()
        if os.environ.get("DEMO_EXIT") == "1":
            show.untrue += 1  # it did not come to its end
    finally:
        show.end()
    sys.exit(1 if show.untrue else 0)


main()
