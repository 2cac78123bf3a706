"""The documentation does what it says: each page's commands and configurations, in their order, against
the real servers (docs/contributing.md tells the rules). And: what doesn't work is found."""
import json
import sys

import jsonschema
import pytest
import requests
from support import PROGRAM, ROOT, eventually, free_port, now

sys.path.insert(0, str(ROOT / "tools"))
from docslib import pages, running  # noqa: E402

PAGES = [page for page in pages.all_pages(ROOT) if page.runs]
SCHEMA = json.loads((ROOT / "docs/status.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def runner(servers, tmp_path):
    """Makes runners of pages; what they started ends with the test."""
    made = []

    def make(page):
        old = page.options.get("elasticsearch") == ["2.4.6"]
        if old and not servers.elasticsearch2:
            pytest.skip("Elasticsearch 2.4.6 is not running")
        made.append(running.Runner(
            page, tmp_path, PROGRAM, ROOT / "build/venv",
            servers.elasticsearch2 if old else servers.elasticsearch,
            (servers.cassandra_hosts[0], servers.cassandra_port), f"127.0.0.1:{free_port()}"))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, runner):
    assert runner(page).all() > 0


WRONG = {
    "a command that fails": "```sh\ncaes-sync frobnicate\n```\n",
    "a command in the middle that fails": "```sh\nfalse\necho fine\n```\n",
    "another exit code": "<!-- exit: 4 -->\n```sh\ncaes-sync help\n```\n",
    "another output": "```sh\necho fine\n```\n\n```text\nexcellent\n```\n",
    "more output": "```sh\necho fine; echo more\n```\n\n```text\nfine\n```\n",
    "a key that does not exist": "```yaml\nsync:\n  overlab: 60\n```\n",
    "a value that is none": "```yaml\ninterval: often\n```\n",
    "no YAML": "```yaml\na: [\n```\n",
    "no JSON": "```json\n{\"a\": }\n```\n",
    "no CQL": "```cql\nSELEKT * FROM system.local;\n```\n",
    "a table that is not there": "```cql\nSELECT * FROM system.nowhere;\n```\n",
    "a file that is no configuration": "<!-- file: c.yaml -->\n```yaml\nCassandraConfig:\n  kspace: x\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_does_not_work_is_found(text, runner, tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# Page\n\n" + text)
    with pytest.raises(AssertionError, match=r"^page\.md:\d+: "):
        runner(pages.read(path, "page.md")).all()


def test_what_works_is_not(runner, tmp_path):
    path = tmp_path / "page.md"
    path.write_text("""# Page
<!-- docs: names elsewhere -->

```cql
CREATE KEYSPACE elsewhere WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
DESCRIBE KEYSPACES;
```

```text
…
…elsewhere…
…
```

<!-- exit: 4 -->
```sh
caes-sync -c c.yaml status
```

```yaml
interval: 5
```
""".replace("<!-- exit", """<!-- file: c.yaml -->
```yaml
ElasticSearchConfig:
  index: elsewhere
CassandraConfig:
  keyspace: elsewhere
  dataColumnFamily: data
```

<!-- exit"""))
    assert runner(pages.read(path, "page.md")).all() == 4


# --- /status.json is what docs/status-json.md says


def strict(node):
    """The schema, closed: a member that it doesn't name is an error."""
    if isinstance(node, dict):
        node = {key: strict(value) for key, value in node.items()}
        if "properties" in node:
            node |= {"additionalProperties": False, "required": list(node["properties"])}
    elif isinstance(node, list):
        node = [strict(value) for value in node]
    return node


def conforms(answer):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(answer, strict(SCHEMA))
    return answer


def status(caes):
    return requests.get(caes.status_url + "/status.json", timeout=15).json()


def test_status_json(place, caes):
    place.make({"user": "text", "likes": "int"},
               {"user": {"type": "keyword"}, "likes": {"type": "keyword"}})
    caes.configure(verify={"every": 2}, sync={"settle": 0.5}).run()
    place.put_doc(now(), user="x", likes="very many")
    full = eventually(lambda: (s := status(caes)["pipelines"][0])["letters"] and s["last_verify"]
                      and s, 60)
    assert len(full["history"]["to_cassandra"]["lag_seconds"]) > 0
    conforms(status(caes))
    conforms(caes.command("status", "--json").json)


def test_status_json_of_an_outage(place, caes):
    caes.configure(CassandraConfig={"contactPoints": ["127.0.0.1"], "port": free_port()}).run()
    answer = eventually(lambda: (s := status(caes))["pipelines"][0]["failure"] and s)
    assert conforms(answer)["pipelines"][0]["state"]["name"] == "waiting"


def test_status_json_knows_its_words():
    """The lists of states and levels are those of the program."""
    source = (ROOT / "src/status/judge.h").read_text(encoding="utf-8")
    state = SCHEMA["$defs"]["pipeline"]["properties"]["state"]["properties"]
    assert all(f'"{name}"' in source for name in state["name"]["enum"] + state["level"]["enum"])
    assert source.count("    X(") == len(state["name"]["enum"])
