"""tools/docs-check finds what it is there to find: one fault is made in a copy of the documents, and told
with its place. The copy without a fault passes."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build/venv/bin/python"
if Path(sys.prefix).resolve() != (ROOT / "build/venv").resolve():
    os.execv(PYTHON, [PYTHON, *sys.argv])
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))
from docslib import check, programs  # noqa: E402

RULES, BOARD = "docs/prometheus/alerts.yaml", "docs/grafana/caes-sync.json"


class DocsCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for page in ROOT.glob("*.md"):
            shutil.copy(page, self.root)
        shutil.copytree(ROOT / "docs", self.root / "docs")
        # What pages outside of docs/ link to is there, if empty.
        for page in [*self.root.glob("*.md"), *self.root.glob("docs/**/*.md")]:
            for link in re.findall(r"\]\(([^)#:\s]+)", page.read_text(encoding="utf-8")):
                target = page.parent / link
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.touch()
        (self.root / "src").mkdir()
        (self.root / "tools").mkdir(exist_ok=True)
        shutil.copy(ROOT / "tools/screens", self.root / "tools/screens")

    def check(self):
        return "".join(f"{fault}\n" for fault in check.faults(self.root, programs.find(ROOT)))

    def change(self, name, old, new):
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def found(self, text, lines=1):
        out = self.check()
        self.assertIn(text, out)
        self.assertEqual(out.count("\n"), lines, out)

    def append(self, text, name="docs/load.md"):
        with open(self.root / name, "a", encoding="utf-8") as page:
            page.write(f"\n{text}\n")

    # --- as it is

    def test_nothing(self):
        self.assertEqual(self.check(), "")

    def test_the_command_itself(self):
        self.append("[there](nowhere.md)")
        argv = [ROOT / "tools/docs-check", "--root", self.root]
        run = subprocess.run(argv, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("nowhere.md is dead", run.stdout)
        (self.root / "docs/nowhere.md").touch()
        self.assertEqual(subprocess.run(argv, check=False).returncode, 0)

    def test_write_makes_pages_anew(self):
        self.append("Something that somebody wrote by hand.", "docs/METRICS.md")
        argv = [ROOT / "tools/docs-check", "--write", "--root", self.root]
        self.assertEqual(subprocess.run(argv, check=False).returncode, 0)

    # --- generated pages

    def test_stale_pages(self):
        for page in ("configuration", "types", "METRICS", "status-json"):
            self.append("Something that somebody wrote by hand.", f"docs/{page}.md")
        out = self.check()
        for page in ("configuration", "types", "METRICS", "status-json"):
            self.assertIn(f"docs/{page}.md:1: is stale", out)
        self.assertEqual(out.count("\n"), 4)

    def test_stale_because_of_its_source(self):
        self.change("docs/status.schema.json", "Process id.", "Id of the process.")
        self.found("docs/status-json.md:1: is stale")

    # --- links

    def test_dead_link(self):
        self.append("See [there](nowhere.md).")
        self.found("the link to nowhere.md is dead: there is no such file")

    def test_dead_anchor(self):
        self.append("See [there](types.md#no-such-heading) and [here](#nor-this).")
        self.found("the link to types.md#no-such-heading is dead: there is no such heading", 2)

    def test_dead_picture(self):
        self.append("![a picture](missing.svg)")
        self.found("the link to missing.svg is dead")

    def test_link_out_of_the_tree(self):
        self.append("[up](../../../etc/passwd)")
        self.found("is dead")

    def test_link_in_a_block_or_in_ticks_is_none(self):
        self.append("```\n[a](b.md)\n```\n\n`[a](b.md)`, [else](https://example.org/x)")
        self.assertEqual(self.check(), "")

    def test_lonely_page(self):
        (self.root / "docs/lonely.md").write_text("# Lonely\n")
        self.found("docs/lonely.md:1: no other page links to this one")

    # --- names

    def test_unknown_command(self):
        self.append("Use `caes-sync frobnicate`.")
        self.found("caes-sync has no command frobnicate")

    def test_unknown_option(self):
        self.append("Use `caes-sync load --from cassandra --quickly`.")
        self.found("caes-sync load has no option --quickly")

    def test_known_commands(self):
        self.append("`caes-sync -c x.yaml load --from cassandra`, `caes-sync dlq show KEY`, "
                    "`caes-sync run --since V`, `caes-sync --version`")
        self.assertEqual(self.check(), "")

    def test_unknown_key(self):
        self.append("Set `CassandraConfig.tttl`, not `CassandraConfig.ttl`.")
        self.found("CassandraConfig.tttl is no key of the configuration")

    def test_unknown_metric(self):
        self.append("Watch `caes_lags_seconds` and `caes_cycle_seconds_bucket`.")
        self.found("caes_lags_seconds is no metric")

    # --- messages, states, alerts

    def test_message_that_the_docs_do_not_know(self):
        source = self.root / "src/new.c"
        source.write_text('log_info(log, "all is fine with %s", name);\n'
                          'log_error(log, "%s: the moon is "\n          "%d km away", name, km);\n'
                          'log_warning(log, "%s: %s", a, b);\n')
        self.found('docs/operations.md:1: does not tell what "the moon is" means (src/new.c)')
        self.append("| …: the moon is … km away | … |", "docs/operations.md")
        self.assertEqual(self.check(), "")

    def test_state_and_alert_that_the_docs_do_not_know(self):
        self.change("docs/operations.md", "| `stuck` |", "| `stick` |")
        self.change(RULES, "alert: CaesSyncGap", "alert: CaesSyncAbyss")
        self.found("does not tell what the state stuck means", 2)

    # --- blocks

    def test_block_in_a_language_that_nothing_runs(self):
        self.append("```perl\nprint 1\n```")
        self.found("a block of perl")

    def test_command_without_a_language(self):
        self.append("```\n$ caes-sync verify\n```")
        self.found("a command that nothing runs")

    def test_not_run_needs_a_reason(self):
        self.append("<!-- not-run: -->\n```sh\nsystemctl start x\n```")
        self.found("not-run says nothing")

    def test_not_run_with_a_reason(self):
        self.append("<!-- not-run: needs systemd -->\n```sh\nsystemctl start x\n```\n\n"
                    "```shell\n# not-run: needs systemd\nsystemctl start x\n```")
        self.assertEqual(self.check(), "")

    def test_remark_without_a_block(self):
        self.append("<!-- exit: 1 -->\nNo block.")
        self.found("exit is not followed by a block")

    def test_block_without_an_end(self):
        self.append("```sh\ntrue")
        self.found("the block has no end")

    def test_output_of_nothing(self):
        self.append("```text\nfine\n```")
        self.found("a text block is what the sh or cql block before it prints")

    def test_screen_of_nobody(self):
        self.append("<!-- screen: invented -->\n```\n$ caes-sync verify\n```")
        self.found("tools/screens makes no invented")

    # --- Prometheus and Grafana

    def test_rule_with_a_metric_that_does_not_exist(self):
        self.change(RULES, "caes_ready == 0", "caes_readiness == 0")
        self.found("CaesSyncNotReady: caes_readiness is no metric")

    def test_rule_with_a_label_that_does_not_exist(self):
        self.change(RULES, "caes_gap == 1", 'caes_gap{server="cassandra"} == 1')
        self.found("CaesSyncGap: caes_gap has no label server")

    def test_rule_that_is_no_promql(self):
        self.change(RULES, "caes_gap == 1", "caes_gap == == 1")
        self.found("CaesSyncGap: is no PromQL")

    def test_rule_that_is_no_yaml(self):
        self.change(RULES, "groups:", "groups: [")
        self.found(f"{RULES}:1: can't be read")

    def test_rule_with_an_unknown_key_or_duration(self):
        self.change(RULES, "for: 2m", "for: 2 minutes")
        self.found("CaesSyncDown: for is no duration")

    def test_nested_in_functions(self):
        self.change(RULES, "(rate(caes_retries_total[10m]))", "(rate(caes_retry_total[10m]))")
        self.found("CaesSyncRetries: caes_retry_total is no metric")

    def test_dashboard_with_a_metric_that_does_not_exist(self):
        self.change(BOARD, "caes_cycle_seconds_bucket", "caes_cycles_seconds_bucket")
        self.found("caes_cycles_seconds_bucket is no metric")

    def test_dashboard_with_an_unknown_variable(self):
        self.change(BOARD, '"caes_ready{instance=~\\"$instance\\"', '"caes_ready{instance=~\\"$host\\"')
        self.found("there is no variable host")

    def test_dashboard_that_is_no_json(self):
        self.append(",", BOARD)
        self.found(f"{BOARD}:1: can't be read")

    def test_dashboard_with_a_variable_of_nothing(self):
        board = json.loads((self.root / BOARD).read_text(encoding="utf-8"))
        board["templating"]["list"][1]["query"]["query"] = "label_values(caes_nothing, instance)"
        (self.root / BOARD).write_text(json.dumps(board), encoding="utf-8")
        self.found("asks for nothing that exists")


unittest.main()
