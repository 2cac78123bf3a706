"""What can be said of the packaging without building a package."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from spdx_tools.spdx.model import RelationshipType
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from support import PROGRAM, ROOT

FILES = """
bin/caes-sync
bin/caes-sync-daemon
share/bash-completion/completions/caes-sync
share/bash-completion/completions/caes-sync-daemon
share/doc/caes-sync/CHANGELOG.md
share/doc/caes-sync/LICENSE
share/doc/caes-sync/README.md
share/doc/caes-sync/docs/configuration.md
share/doc/caes-sync/docs/install.md
share/doc/caes-sync/examples/config.yaml
share/fish/vendor_completions.d/caes-sync.fish
share/man/man1/caes-sync-daemon.1
share/man/man1/caes-sync.1
share/man/man5/caes-sync.yaml.5
share/zsh/site-functions/_caes-sync
""".split()


def test_make_install(tmp_path):
    env = {**os.environ, "DESTDIR": str(tmp_path / "to")}
    run = subprocess.run(["cmake", "--install", "build", "--prefix", "/opt/caes"], cwd=ROOT,
                         env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    prefix = tmp_path / "to" / "opt" / "caes"
    assert [f for f in FILES if not (prefix / f).is_file()] == []
    assert os.readlink(prefix / "bin/caes-sync-daemon") == "caes-sync"
    assert [p.name for p in (tmp_path / "to").iterdir()] == ["opt"]
    run = subprocess.run([prefix / "bin/caes-sync-daemon", "sync"], capture_output=True, text=True)
    assert run.returncode == 2 and "only knows start, stop and restart" in run.stderr
    for name, words in [("man/man1/caes-sync.1", ["help", "--man"]),
                        ("zsh/site-functions/_caes-sync", ["completion", "zsh"]),
                        ("doc/caes-sync/examples/config.yaml", ["init-config", "--print"])]:
        told = subprocess.run([prefix / "bin/caes-sync", *words], capture_output=True, text=True)
        # the first line of a manual page has a date
        assert told.stdout.splitlines()[1:] == \
            (prefix / "share" / name).read_text().splitlines()[1:], name


def test_links_of_the_installed_documents(tmp_path):
    env = {**os.environ, "DESTDIR": str(tmp_path)}
    subprocess.run(["cmake", "--install", "build", "--prefix", "/"], cwd=ROOT, env=env,
                   capture_output=True, check=True)
    folder = tmp_path / "share/doc/caes-sync"
    pages = [*folder.glob("*.md"), *folder.glob("docs/*.md")]
    assert len(pages) > 8
    missing = [(page.name, link) for page in pages
               for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
               if not (page.parent / link).exists() and
               (ROOT / page.relative_to(folder).parent / link).exists()]  # else it is dead there too
    assert missing == []


@pytest.fixture(scope="module")
def sbom(tmp_path_factory):
    file = tmp_path_factory.mktemp("sbom") / "caes-sync.spdx.json"
    run = subprocess.run([ROOT / "packaging/sbom", PROGRAM], capture_output=True, text=True,
                         env={**os.environ, "SOURCE_DATE_EPOCH": "86400"})
    assert run.returncode == 0 and run.stderr == "", run.stderr
    file.write_text(run.stdout)
    return file


def test_sbom_is_valid(sbom):
    assert validate_full_spdx_document(parse_file(str(sbom))) == []
    assert json.loads(sbom.read_text())["creationInfo"]["created"] == "1970-01-02T00:00:00Z"


def test_sbom_names_what_is_linked(sbom):
    document = parse_file(str(sbom))
    packages = {p.name: p for p in document.packages}
    assert packages["caes-sync"].version == subprocess.run(
        [PROGRAM, "version"], capture_output=True, text=True).stdout.split()[1]
    linked = {r.related_spdx_element_id.removeprefix("SPDXRef-") for r in document.relationships
              if r.relationship_type == RelationshipType.DYNAMIC_LINK}
    needed = subprocess.run(["objdump", "-p", PROGRAM], capture_output=True, text=True).stdout
    for library in re.findall(r"NEEDED +(\S+)\.so", needed):
        stem = library.removeprefix("lib")
        names = {"c": "libc6", "m": "libc6", "ssl": "libssl3", "crypto": "libssl3", "z": "zlib1g",
                 "gcc_s": "libgcc-s1", "stdc++": "libstdc--6", "yaml-0": "libyaml-0-2"}
        if stem in ("asan", "ubsan", "ld-linux-x86-64"):
            continue
        assert any(l.startswith(names.get(stem, "lib" + stem)) for l in linked), (library, linked)
    assert "uthash-dev" in packages
    for name, package in packages.items():
        if name != "caes-sync":
            told = subprocess.run(["dpkg-query", "-W", "-f", "${Version}\n", name],
                                  capture_output=True, text=True).stdout.split()
            assert package.version in told


def test_dockerfile():
    hadolint = Path(sys.executable).parent / "hadolint"
    run = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True,
                         text=True)
    assert (run.stdout, run.returncode) == ("", 0)
    steps = (ROOT / "Dockerfile").read_text()
    assert "build-dep" in steps and "RUN packaging/build-deb" in steps
    assert re.findall(r"^USER (.*)", steps, re.M) == ["986:986"]
    copied = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.M))
    source = (ROOT / "packaging/build-deb").read_text()
    needed = set(re.search(r"^cp -a (.*) \"\$source\"$", source, re.M)[1].split())
    assert copied == needed
    assert all((ROOT / name).exists() for name in copied)


def test_the_version_stands_in_one_place():
    version = subprocess.run([PROGRAM, "version"], capture_output=True, text=True).stdout.split()[1]
    found = subprocess.run(["git", "grep", "-lF", version, "--", ".", ":!tests", ":!docs"],
                           cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert found == ["CHANGELOG.md", "CMakeLists.txt"]
