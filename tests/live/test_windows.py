"""Windows of the index that leave out what earlier ones gave: nothing may be missed by it."""
import time
import uuid

import pytest
from support import eventually, now


@pytest.fixture
def busy(place, caes):
    """A daemon that has more in its windows than it reads again."""
    place.make()
    caes.configure(interval=0.1, sync={"settle": 1, "overlap": 30})
    daemon = caes.run()
    fill(place)
    yield place
    daemon.kill()


def fill(place):
    version = now()
    place.elastic.bulk(place.index, [(uuid.uuid4(), version, {"user": "many"}) for _ in range(400)])
    eventually(lambda: len(place.rows()) % 400 == 0 and len(place.rows()) > 0)
    time.sleep(1)


def test_late_and_repeated_writes(busy):
    late = busy.put_doc(now() - 20, user="late")  # found when the whole overlap is read
    key = busy.put_doc(now(), user="one")
    eventually(lambda: busy.row(key) == {"user": "one"})
    time.sleep(1.1)
    busy.put_doc(now(), key, user="two")
    eventually(lambda: busy.row(key) == {"user": "two"})
    eventually(lambda: busy.row(late) == {"user": "late"})


def test_late_entries_among_many(place, caes):
    """The whole overlap is several pages; nothing of a page may be passed by."""
    place.make()
    caes.configure(interval=0.1, sync={"settle": 1, "overlap": 16})
    daemon = caes.run()
    for part in range(1, 7):
        documents = [(uuid.uuid4(), now(), {"user": "many"}) for _ in range(5000)]
        place.elastic.bulk(place.index, documents)
        eventually(lambda count=5000 * part: len(place.rows()) == count, timeout=60)
    for age in 6, 9, 13:
        place.put_doc(now(), user="new")
        time.sleep(3)  # the looks at the one before it draw the windows down to it
        version = now() - age
        key = place.write_row(version, user="late")
        eventually(lambda: place.doc(key) == (version, {"user": "late"}), timeout=60)
    daemon.kill()


def test_an_index_that_is_made_anew(busy):
    """Its sequence numbers begin at 0 again, below those that were dealt with."""
    busy.elastic.drop(busy.index)
    busy.make_index()
    key = busy.put_doc(now(), user="first")
    eventually(lambda: busy.row(key) == {"user": "first"})


def test_several_shards(place, caes):
    """Each has sequence numbers of its own."""
    place.make_tables()
    place.make_index(shards=3)
    caes.configure(interval=0.1, sync={"settle": 1, "overlap": 30})
    daemon = caes.run()
    fill(place)
    keys = [place.put_doc(now(), user=str(i)) for i in range(30)]
    eventually(lambda: all(place.row(key) == {"user": str(i)} for i, key in enumerate(keys)))
    daemon.kill()
