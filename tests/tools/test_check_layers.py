"""tools/check-layers sees what it is there to see."""
import subprocess
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-layers"


class CheckLayers(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "CMakeLists.txt").write_text("set(CAES_LAYERS base io app)\n")
            for name, text in files.items():
                path = root / "src" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            run = subprocess.run([TOOL, root], capture_output=True, text=True)
            self.assertEqual(run.stderr, "")
            self.assertEqual(run.returncode, 1 if run.stdout else 0)
            return run.stdout

    def test_clean_tree(self):
        self.assertEqual(self.check({
            "base/a.h": "#ifndef BASE_A_H\n#define BASE_A_H\n#endif\n",
            "base/a.c": '/* why */\n#include "base/a.h"\n\n#include <stdio.h>\n',
            "io/b.c": '#include <x/y.h>\n#include "base/a.h"\n',
        }), "")

    def test_upward_include(self):
        out = self.check({"io/b.c": '#include "base/a.h"\n#include "app/c.h"\n'})
        self.assertIn("src/io/b.c:2: io must not include", out)

    def test_unguarded_header(self):
        self.assertIn("no include guard", self.check({"io/b.h": "int x;\n"}))
        self.assertEqual(self.check({"io/b.h": "#pragma once\n"}), "")

    def test_own_header_not_first(self):
        out = self.check({"io/b.h": "#pragma once\n", "io/b.c": '#include <a.h>\n#include "io/b.h"\n'})
        self.assertIn("must be its first include", out)

    def test_include_without_folder(self):
        self.assertIn("relative to src/", self.check({"io/b.c": '#include "b.h"\n'}))

    def test_unknown_folder(self):
        self.assertIn("not in the layer list", self.check({"extra/b.c": ""}))


unittest.main()
