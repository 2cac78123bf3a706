"""Documents that are no JSON. Servers take them, keep them as they came and give them back so: with
comments, in what is almost UTF-8."""
import uuid

import pytest
from state import dead_letters

ODD = [b'"user": "comment" /* " */', b'"user": "half \xed\xa0\xbd"', b'"other": "\xc0\x80"']


@pytest.fixture(params=["modern", "2.4.6"])
def side(request):
    names = ("place", "caes") if request.param == "modern" else ("place2", "caes2")
    return [request.getfixturevalue(name) for name in names]


def test_they_are_dead_letters_and_the_rest_goes_on(side):
    place, caes = side
    place.make()
    caes.configure(sync={"settle": 0.5})
    good = [place.put_doc(10 + i, user="good") for i in range(30)]
    odd = []
    for number, fields in enumerate(ODD):
        key, version = str(uuid.uuid4()), 20 + number
        stamp = {"timestamp": version} if place.elastic.stamped else {}
        place.elastic.call("PUT", f"/{place.index}/{place.elastic.type}/{key}",
                           b'{"timestamp": %d, %s}' % (version, fields), version=version,
                           version_type="external", **stamp)
        odd.append(key)
    row = place.write_row(30, user="row")
    result = caes.sync(since=9, code=1)
    assert caes.counts(result) == {"to_cassandra.copied": 30, "to_cassandra.dead": len(odd),
                                   "to_elasticsearch.copied": 1}
    assert set(place.rows()) == {*good, row}
    assert {key for key, _ in dead_letters(caes)} == set(odd)
    assert caes.counts(caes.sync()) == {}, "known by now, and said once"
