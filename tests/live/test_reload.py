"""A reload on real servers."""
import signal

from proxy import Proxy
from support import eventually, now


def test_since_outlives_a_reload_until_a_cycle_is_complete(place, caes):
    place.make()
    place.write_row(now(), user="newest")
    caes.sync()
    old = place.write_row(10, user="older than the checkpoint")
    with Proxy.of_url(place.elastic.url) as proxy:
        caes.configure(ElasticSearchConfig={"hosts": [proxy.url]})
        proxy.cut()
        daemon = caes.run(since=5)
        eventually(lambda: "trying again" in daemon.text())
        daemon.signal(signal.SIGHUP)
        eventually(lambda: "reads its configuration again" in daemon.text())
        assert place.doc(old) is None
        proxy.mend()
        eventually(lambda: place.doc(old) == (10, {"user": "older than the checkpoint"}), 40)
        daemon.signal(signal.SIGHUP)
        eventually(lambda: daemon.text().count("reads its configuration again") == 2)
        later = place.write_row(now(), user="after it")
        eventually(lambda: place.doc(later))
    assert daemon.stop() == 0
