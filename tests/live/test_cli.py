"""The command line: exit codes, messages, the background daemon. Needs no server: the ones in the
configuration are out of reach, which a daemon must bear."""
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time

import pytest
from support import PROGRAM, eventually, free_port

SEED = """\
interval: 60
ElasticSearchConfig:
    index: stream
    type: log
CassandraConfig:
    keyspace: logs
    dataColumnFamily: data
    timeseriesColumnFamily: ts
    timeseriesIdFieldName: id
    dataIdFieldName: did
    timestampFieldName: timestamp
logging:
  version: 1
  formatters:
      simple:
        format:  '%(asctime)s %(levelname)s %(name)s %(message)s'
        datefmt: '%Y/%m/%d %H:%M:%S'
  handlers:
      console:
        class: logging.StreamHandler
        formatter: simple
        level: DEBUG
  loggers:
      caes:
        level: DEBUG
        handlers: [console]
        propagate: false
  root:
    level: INFO
    handlers: [console]
"""


class Home:
    """A home folder with a configuration whose servers are not there."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "c.yaml"
        self.log = folder / "state.log"
        self.env = {**os.environ, "HOME": str(folder)}
        self.env.pop("CAES_CONFIG", None)
        self.write()

    def write(self, extra="", interval=0.2):
        self.file.write_text(f"""\
interval: {interval}
ElasticSearchConfig:
  index: i
  hosts: http://127.0.0.1:{free_port()}
CassandraConfig:
  keyspace: k
  dataColumnFamily: d
  contactPoints: 127.0.0.1:{free_port()}
  requestTimeout: 1
state: {self.folder}/state.db
{extra}""")

    def __call__(self, *words, code=0, program=PROGRAM, file=True):
        argv = [program, *(["-c", str(self.file)] if file else []), *words]
        run = subprocess.run(argv, capture_output=True, text=True, env=self.env, timeout=60,
                             cwd=self.folder)
        print("$", *argv, "->", run.returncode, run.stdout, run.stderr)
        assert run.returncode == code
        return run

    def pid(self):
        return json.loads(self("status", "--json").stdout)["pid"]

    def said(self, text):
        """Waits for the log; a daemon may wait for a server for some seconds before it reacts."""
        return eventually(lambda: self.log.exists() and text in self.log.read_text(), 30)


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.write()
    subprocess.run([PROGRAM, "-c", str(made.file), "stop"], env=made.env, capture_output=True)


def one_line(text):
    assert text.count("\n") == 1 and text.endswith("\n"), text
    return text[:-1]


def gone(pid):
    for _ in range(1500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("words, message", [
    ([], 'caes-sync: no command; caes-sync help lists them'),
    (["sink"], 'caes-sync: unknown command "sink"; did you mean "sync"?'),
    (["synchronise"], 'caes-sync: unknown command "synchronise"; caes-sync help lists all'),
    (["--jsom", "status"], 'caes-sync: unknown option "--jsom"; did you mean "--json"?'),
    (["stop", "--json"], 'caes-sync: option --json does not belong to stop; see caes-sync help stop'),
    (["help", "nonsense"], 'caes-sync: no help on "nonsense"; caes-sync help lists the commands'),
    (["run", "--pipeline", "x"], 'caes-sync: there is no pipeline "x" in {file}; it has "default"'),
])
def test_usage(home, words, message):
    run = home(*words, code=2)
    assert one_line(run.stderr) == message.format(file=home.file)
    assert run.stdout == ""


def test_help(home):
    text = home("help", file=False).stdout
    assert home("--help", file=False).stdout == text
    commands = [line.split()[0] for line in text.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    assert {"run", "start", "stop", "status", "sync", "init", "init-config"} <= set(commands)
    for command in commands:
        assert home(command, "--help").stdout == home("help", command).stdout
    assert "CassandraConfig.ttl" in home("help", "configuration").stdout
    assert home("version").stdout == home("--version").stdout
    assert home("version").stdout.startswith("caes-sync ")


@pytest.mark.parametrize("words", [["help"], ["--help"], ["--version"], ["init-config", "--print"]])
def test_full_stdout(home, words):
    with open("/dev/full", "w") as full:
        run = subprocess.run([PROGRAM, *words], env=home.env, stdout=full, stderr=subprocess.PIPE,
                             text=True)
    assert run.returncode == 5
    assert one_line(run.stderr) == "caes-sync: can't write to stdout"


@pytest.mark.parametrize("text, message", [
    ("intervall: 5\n", '{file}:1: intervall: unknown key; did you mean "interval"?'),
    ("interval: 1\n\tx: 2\n", "{file}:2: a tab in the indentation; use spaces"),
    ("CassandraConfig:\n  port: 0\n",
     '{file}:2: CassandraConfig.port: "0" is out of range; give 1 to 65535'),
])
@pytest.mark.parametrize("command", ["run", "start", "stop", "status", "sync", "init"])
def test_wrong_configuration(home, command, text, message):
    home.file.write_text(text)
    assert one_line(home(command, code=2).stderr) == message.format(file=home.file)


def test_odd_files(home):
    home.file.unlink()
    assert "No such file" in one_line(home("run", code=2).stderr)
    os.mkfifo(home.file)
    assert "not a regular file" in one_line(home("run", code=2).stderr)
    home.file.unlink()
    home.file.write_text("#" * (1024 * 1024 + 1))
    assert "larger than" in one_line(home("run", code=2).stderr)


def test_search_order(home):
    assert "init-config" in one_line(home("status", code=2, file=False).stderr)
    (home.folder / ".caes").mkdir()
    (home.folder / ".caes/config.yaml").write_text("a: 1\n")
    assert ".caes/config.yaml:1: a:" in home("status", code=2, file=False).stderr
    home.env["CAES_CONFIG"] = "other.yaml"
    (home.folder / "other.yaml").write_text("b: 1\n")
    assert f"{home.folder}/other.yaml:1: b:" in home("status", code=2, file=False).stderr
    assert one_line(home("status", code=4).stderr).startswith("caes-sync: not running")


def test_seed_file(home):
    home.file.write_text(SEED)
    assert "not running" in one_line(home("status", code=4).stderr)


def test_init_config(home):
    home.env.pop("CAES_CONFIG", None)
    run = home("init-config", file=False)
    written = home.folder / ".caes/config.yaml"
    assert str(written) in run.stdout
    assert written.stat().st_mode & 0o777 == 0o600
    before = written.read_text()
    assert "is there already" in one_line(home("init-config", code=2, file=False).stderr)
    assert written.read_text() == before
    assert "ElasticSearchConfig.index: is missing" in home("status", code=2, file=False).stderr
    for key in ("index", "keyspace", "dataColumnFamily"):
        before = before.replace(f"  {key}:\n", f"  {key}: x{key.lower()}\n")
    written.write_text(before)
    home("status", code=4, file=False)
    assert home("init-config", "--print").stdout.startswith("# caes-sync")


def test_secrets_stay_secret(home):
    home.env["PW"] = "hush-hush"
    home.write("log: {level: debug}")
    text = home.file.read_text().replace("  keyspace: k\n", "  keyspace: k\n  username: u\n"
                                         "  password: ${PW}\n")
    home.file.write_text(text)
    home("start")
    pid = home.pid()
    time.sleep(1)
    assert "hush" not in home("status").stdout
    assert b"hush" not in open(f"/proc/{pid}/cmdline", "rb").read()
    home("stop")
    assert "hush" not in home.log.read_text()


def test_daemon(home):
    assert "not running" in one_line(home("stop", code=4).stderr)
    assert json.loads(home("status", "--json", code=4).stdout) == {"running": False, "healthy": False}
    run = home("start")
    pid = home.pid()
    assert run.stdout == f"started (pid {pid})\n"
    assert os.getsid(pid) != os.getsid(0)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    for fd in range(3):
        assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
    assert f"running already (pid {pid}" in one_line(home("start", code=4).stderr)
    assert f"running already (pid {pid}" in one_line(home("run", code=4).stderr)
    assert f"running already (pid {pid}" in one_line(home("sync", code=4).stderr.splitlines()[-1] + "\n")
    status = json.loads(home("status", "--json").stdout)
    assert status["running"] and status["healthy"] and status["pipelines"][0]["name"] == "default"
    assert "pipelines[1].name: default\n" in home("status").stdout
    failure = eventually(lambda: json.loads(home("status", "--json").stdout)["pipelines"][0]["failure"])
    assert "refused" in failure["message"] and failure["for_seconds"] >= 0
    assert os.stat(home.folder / "state.sock").st_mode & 0o777 == 0o600
    assert home("stop").stdout == f"stopped (pid {pid})\n"
    assert gone(pid)
    assert not (home.folder / "state.sock").exists()
    assert not (home.folder / "state.pid").exists()
    assert " started (pid" in home.log.read_text() and " stopped" in home.log.read_text()


@pytest.mark.parametrize("closed", [[0], [0, 1, 2]])
def test_closed_standard_streams(home, closed):
    """Nothing else may get their numbers: neither the log's nor the state's lines belong there."""
    run = subprocess.run([PROGRAM, "-c", str(home.file), "start"], env=home.env, timeout=60,
                         preexec_fn=lambda: [os.close(fd) for fd in closed])
    assert run.returncode == 0
    pid = home.pid()
    for fd in range(3):
        assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
    home("stop")


def test_after_a_crash(home):
    home("start")
    pid = home.pid()
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert (home.folder / "state.pid").exists()
    home("status", code=4)
    (home.folder / "state.pid").write_text(f"{os.getpid()}\n")
    assert "not running" in home("stop", code=4).stderr
    home("start")
    assert home.pid() != pid


def test_restart_and_the_old_name(home, tmp_path):
    program = tmp_path / "caes-sync-daemon"
    program.symlink_to(PROGRAM)
    home("start", program=program)
    first = home.pid()
    home("restart", program=program)
    assert home.pid() != first
    home("stop", program=program)
    home("restart", program=program)
    assert "use caes-sync sync" in home("sync", program=program, code=2).stderr


def test_failed_start(home):
    blocked = home.folder / "file"
    blocked.write_text("")
    home.write(f"pidFile: {blocked}/x.pid")
    assert one_line(home("start", code=5).stderr).startswith("caes-sync: can't open")
    home.write("log: {file: /no/such/folder/x.log}")
    line = home.file.read_text().count("\n", 0, home.file.read_text().index("log:")) + 1
    assert one_line(home("start", code=2).stderr) == (
        f"{home.file}:{line}: log.file: can't write /no/such/folder/x.log (No such file or "
        "directory); name a file that can be written")
    home.write()
    (home.folder / "state.db").write_text("this is no database, and long enough to be sure of it " * 50)
    assert one_line(home("start", code=5).stderr).startswith("caes-sync: ")


def test_reload(home):
    assert "not running" in one_line(home("reload", code=4).stderr)
    home("start")
    pid = home.pid()
    home.write("log: {level: debug}", interval=0.3)
    assert home("reload").stdout == "reloaded\n"
    assert home.said("reads its configuration again")
    home.write("nonsense: 1")
    assert "nonsense: unknown key" in one_line(home("reload", code=2).stderr)
    os.kill(pid, signal.SIGHUP)
    assert home.said("goes on with the old configuration")
    # What shows only when it is put to use; the old file goes on to be written.
    home.write("log: {file: /no/such/folder/x.log}")
    home("reload")
    assert home.said("log.file: can't write /no/such/folder/x.log")
    home.write("log: {level: debug}")
    os.kill(pid, signal.SIGHUP)
    eventually(lambda: home.log.read_text().count("reads its configuration again") == 2, 30)
    assert home.pid() == pid


def test_signals_at_any_moment(home):
    """Also while a reload is at work; and what was told to stop, stops."""
    home("start")
    pid = home.pid()
    for at in range(60):
        os.kill(pid, signal.SIGHUP)
        time.sleep(0.001 * (at % 7))
    assert home.said("reads its configuration again")
    assert home.pid() == pid
    os.kill(pid, signal.SIGTERM)
    with contextlib.suppress(ProcessLookupError):  # gone already
        os.kill(pid, signal.SIGHUP)
    assert gone(pid)
    assert not (home.folder / "state.pid").exists()


def test_a_server_that_hangs_does_not_hold_a_stop(home):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        text = home.file.read_text().replace(
            "  requestTimeout: 1\n", "  connectTimeout: 1h\n  requestTimeout: 1h\n")
        lines = [f"  contactPoints: 127.0.0.1:{deaf.getsockname()[1]}"
                 if "contactPoints" in line else line for line in text.splitlines()]
        home.file.write_text("\n".join(lines))
        home("start")
        pid = home.pid()
        assert home("stop").stdout == f"stopped (pid {pid})\n"
    assert gone(pid)
    assert "ends without the batch" in home.log.read_text()
    assert not (home.folder / "state.sock").exists()
    assert not (home.folder / "state.pid").exists()


def test_log_moves(home):
    home("start")
    moved = home.folder / "moved.log"
    home.log.rename(moved)
    os.kill(home.pid(), signal.SIGHUP)
    assert home.said("reads its configuration again")
    home("stop")
    assert "stopped" in home.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_in_the_foreground(home, number):
    run = subprocess.Popen([PROGRAM, "-c", home.file, "run"], env=home.env, stderr=subprocess.PIPE,
                           text=True)
    for line in run.stderr:
        if " started (pid" in line:
            break
    assert home.pid() == run.pid
    run.send_signal(number)
    rest = run.stderr.read()
    assert run.wait(30) == 0
    assert " INFO caes stopped" in rest


def test_json_log(home):
    home.write("log: {format: json}")
    run = subprocess.Popen([PROGRAM, "-c", home.file, "run"], env=home.env, stderr=subprocess.PIPE,
                           text=True)
    first = json.loads(run.stderr.readline())
    assert set(first) == {"time", "level", "logger", "message"}
    run.terminate()
    for line in run.stderr:
        if not line.startswith("=="):  # what a sanitizer says
            json.loads(line)
    assert run.wait(30) == 0


def test_one_shot_without_servers(home):
    run = home("sync", "--json", code=3)
    assert set(json.loads(run.stdout)) == {"to_elasticsearch", "to_cassandra"}
    assert run.stderr.splitlines()[-1].startswith("caes-sync: ")
    home("init", code=3)


def test_socket_bears_rubbish(home):
    home("start")
    path = str(home.folder / "state.sock")
    held = []
    for text in (b"\n\n", b"{}\n", b'{"command":7}\n', b'{"command":"stop"}\n', b"\xff\x00" * 4000):
        one = socket.socket(socket.AF_UNIX)
        one.connect(path)
        try:
            one.sendall(text)
        except OSError:
            pass
        held.append(one)
    assert json.loads(home("status", "--json").stdout)["running"]
    for one in held:
        one.close()


def test_locked_pid_file_names_nobody(home):
    """Another program holds the file: neither stopped nor killed by mistake."""
    path = home.folder / "state.pid"
    with open(path, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "holds no process id" in one_line(home("stop", code=5).stderr)
