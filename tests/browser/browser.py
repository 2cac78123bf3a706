"""The headless browser of browser.mjs, for Python."""
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "build" / "browser"


class Browser:
    """with Browser() as browser: browser.open(url=…); browser.text(selector="h1")"""

    def __enter__(self):
        env = {**os.environ, "NODE_PATH": str(MODULES / "node_modules")}
        self.process = subprocess.Popen(["node", str(Path(__file__).with_suffix(".mjs")),
                                         str(MODULES)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env)
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __getattr__(self, name):
        def call(**options):
            self.process.stdin.write(json.dumps({"do": name, **options}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            answer = json.loads(line) if line else {"error": "the browser has ended"}
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return answer["result"]
        return call
