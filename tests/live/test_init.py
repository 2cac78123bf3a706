"""init for scripts: one JSON object. (What it creates is tested beside what uses it.)"""


def test_as_json(place, caes):
    place.make_tables()
    told = caes.command("init", "--dry-run", "--json").json
    assert told["dry_run"] and told["created"] == 1
    assert told["text"].startswith(f"PUT /{place.index}\n")
    assert caes.command("init", "--json").json == told | {"dry_run": False}
    assert place.elastic.mapping(place.index)["properties"].keys() >= place.columns.keys()
    assert caes.command("init", "--json").json == {"dry_run": False, "created": 0, "text": ""}
