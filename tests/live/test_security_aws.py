"""Requests signed the AWS way, as managed OpenSearch wants them."""
import pytest
from aws import aws_gate
from support import Caes, Place, eventually, now

KEYS = {"AKIDSTATIC": ("secret/of+static", None), "AKIDTEMPORARY": ("secret/of+temporary", "tok+en/==")}
STATIC = {"accessKeyId": "AKIDSTATIC", "secretAccessKey": "secret/of+static"}


@pytest.fixture(scope="module")
def place(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made.make()


@pytest.fixture
def keys():
    return dict(KEYS)


@pytest.fixture
def gate(place, keys):
    with aws_gate(place.elastic.url, keys) as made:
        yield made
        # Whatever was refused for its signature alone is a bug.
        assert not [one for one in made.refused if "signature we calculated" in one]


@pytest.fixture
def caes(place, tmp_path, gate):
    with Caes(place, tmp_path) as runner:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                     "AWS_REGION", "AWS_DEFAULT_REGION"):
            runner.env.pop(name, None)
        yield runner.configure(ElasticSearchConfig={
            "hosts": [gate.url], "aws": {"region": "eu-central-1", **STATIC}})


def credentials(file, access="AKIDTEMPORARY", profile="default", **changes):
    secret, token = KEYS[access]
    lines = [f"[{profile}]", f"aws_access_key_id = {access}",
             f"aws_secret_access_key={changes.get('secret', secret)}"]
    if token:
        lines.append(f"aws_session_token = {changes.get('token', token)}")
    file.write_text("# written by a tool\n[other]\naws_access_key_id = AKIDOTHER\n" +
                    "\n".join(lines) + "\n")
    return str(file)


def both_ways(place, caes):
    row, doc = place.write_row(now(), user="ana"), place.put_doc(now(), user="bob")
    caes.sync()
    assert place.doc(row) and place.row(doc)


def refusal(caes, *words):
    result = caes.sync(code=3)
    line = result.err.strip().splitlines()[-1]
    assert all(word in line for word in words), line
    assert not any(secret in result.err for secret, _ in KEYS.values())
    return line


def test_keys_in_the_configuration(place, caes, gate):
    both_ways(place, caes)
    assert not gate.refused
    assert any(path.endswith("/_bulk?filter_path=items.%2A.status%2Citems.%2A.error%2Cerror%2C"
                             "status") for _, path, _ in gate.passed)


def test_every_command(place, caes, gate):
    """Whatever a command asks of the server is signed right."""
    keys = [place.write_row(now(), user="ana", message="m" * 20000) for _ in range(120)]
    caes.sync()
    caes.command("check", code=None)
    caes.command("verify", "--json", code=None)
    caes.command("repair", "--dry-run", code=None)
    caes.command("explain", keys[0])
    caes.command("load", "--from", "cassandra", code=None)
    caes.command("load", "--from", "elasticsearch", code=None)
    caes.configure(ElasticSearchConfig={"index": place.index + ".new"})
    caes.command("init", code=None)
    place.elastic.drop(place.index + ".new")
    assert not gate.refused
    assert {method for method, _, _ in gate.passed} >= {"GET", "POST", "PUT"}


def test_temporary_keys(place, caes):
    caes.configure(ElasticSearchConfig={"aws": {
        "accessKeyId": "AKIDTEMPORARY", "secretAccessKey": KEYS["AKIDTEMPORARY"][0],
        "sessionToken": KEYS["AKIDTEMPORARY"][1]}})
    both_ways(place, caes)


def test_keys_of_the_environment(place, caes):
    secret, token = KEYS["AKIDTEMPORARY"]
    caes.env |= {"AWS_ACCESS_KEY_ID": "AKIDTEMPORARY", "AWS_SECRET_ACCESS_KEY": secret,
                 "AWS_SESSION_TOKEN": token}
    caes.configure(ElasticSearchConfig={"aws": {"accessKeyId": None, "secretAccessKey": None}})
    both_ways(place, caes)


def test_the_region_of_the_environment(place, caes):
    caes.env["AWS_REGION"] = "eu-central-1"
    caes.configure(ElasticSearchConfig={"aws": {"region": None}})
    both_ways(place, caes)


@pytest.mark.parametrize("profile", [None, "sync"])
def test_keys_of_a_file(profile, place, caes, tmp_path):
    file = credentials(tmp_path / "credentials", profile=profile or "default")
    extra = {"profile": profile} if profile else {}
    caes.configure(ElasticSearchConfig={"aws": None})
    caes.configure(ElasticSearchConfig={"aws": {"region": "eu-central-1", "credentialsFile": file,
                                                **extra}})
    both_ways(place, caes)


def test_a_rotated_file_is_taken_at_reload(place, caes, keys, tmp_path):
    file = tmp_path / "credentials"
    caes.configure(ElasticSearchConfig={"aws": None})
    caes.configure(ElasticSearchConfig={"aws": {"region": "eu-central-1",
                                                "credentialsFile": credentials(file)}})
    daemon = caes.run()
    before = place.write_row(now(), user="ana")
    eventually(lambda: place.doc(before))
    keys["AKIDTEMPORARY"] = ("secret/of+temporary", "the-next-token")
    after = place.write_row(now(), user="ana")
    eventually(lambda: "is expired" in daemon.text())
    credentials(file, token="the-next-token")
    caes.command("reload")
    eventually(lambda: place.doc(after), 30)
    assert "the-next-token" not in daemon.text() and "tok+en" not in daemon.text()
    assert daemon.stop() == 0


def test_keys_that_are_refused(caes, gate):
    caes.configure(ElasticSearchConfig={"aws": {"accessKeyId": "AKIDNOBODY"}})
    refusal(caes, gate.url, "403", "token included in the request is invalid", "look at aws")


def test_a_wrong_region(caes, gate):
    caes.configure(ElasticSearchConfig={"aws": {"region": "us-east-1"}})
    refusal(caes, gate.url, "scoped to", "look at aws")


@pytest.mark.parametrize("aws, words", [
    ({"secretAccessKey": None}, ["aws", "belong together"]),
    ({"accessKeyId": None, "secretAccessKey": None}, ["aws.region", "no credentials"]),
    ({"region": None}, ["aws", "no region"]),
    ({"accessKeyId": None, "secretAccessKey": None, "credentialsFile": "/nowhere"},
     ["aws.credentialsFile", "name a readable one"]),
])
def test_a_configuration_that_is_wrong(aws, words, caes):
    line = caes.configure(ElasticSearchConfig={"aws": aws}).sync(code=2).err.strip()
    assert str(caes.file) in line and all(word in line for word in words)


def test_a_wrong_secret_is_noticed(place, caes, tmp_path):
    """The verifier verifies: one letter more, and nothing passes."""
    with aws_gate(place.elastic.url, KEYS) as gate:
        caes.configure(ElasticSearchConfig={"hosts": [gate.url],
                                            "aws": {"secretAccessKey": "secret/of+staticx"}})
        refusal(caes, gate.url, "signature we calculated does not match", "look at aws")
        assert not gate.passed
