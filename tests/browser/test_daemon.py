"""The status page of a real daemon between real servers."""
from urllib.parse import urlsplit

import requests
from proxy import Proxy
from support import eventually, now


def copied(browser, way):
    counts = browser.texts(selector=f"#{way}-default .counts dd")
    return int(counts[0].replace(",", ""))


def test_records_flow(place, caes, browser, shots):
    place.make()
    caes.run()
    eventually(lambda: browser.open(url=caes.status_url + "/")["status"] == 200)
    eventually(lambda: browser.text(selector="h1") == "All is well")
    assert "not asked yet" not in browser.text(selector=".flow")
    for i in range(30):
        place.write_row(now(), user=f"row {i}", message="hello")
    for i in range(7):
        place.put_doc(now(), user=f"document {i}", message="hello")
    eventually(lambda: copied(browser, "to-elasticsearch") == 30)  # without opening it again
    eventually(lambda: copied(browser, "to-cassandra") == 7)
    eventually(lambda: float(browser.text(selector="#to-elasticsearch-default .rate")) > 0)
    assert place.keyspace in browser.text(selector=".flow")
    place.put_doc(now(), key="no-uuid", message="a secret of the payload")
    eventually(lambda: browser.text(selector="h1") == "Needs a look")
    letters = browser.text(selector=".letters")
    assert "no-uuid" in letters and "is no uuid" in letters
    assert "secret" not in browser.evaluate(expression="document.documentElement.outerHTML")
    browser.screenshot(path=str(shots / "daemon-flowing-1200-light.png"))
    assert browser.complaints() == [] and browser.axe() == []


def test_an_outage_is_shown_and_cleared(place, caes, browser, shots):
    place.make()
    with Proxy.of_url(place.elastic.url) as proxy:
        caes.configure(ElasticSearchConfig={"hosts": [proxy.url]})
        caes.run()
        eventually(lambda: browser.open(url=caes.status_url + "/", width=390)["status"] == 200)
        eventually(lambda: browser.text(selector="h1") == "All is well")
        proxy.cut()
        eventually(lambda: "Waiting for Elasticsearch since" in browser.text(selector="#verdict"))
        assert browser.text(selector="h1") in ("Needs a look", "Trouble")
        assert f":{proxy.port}" in browser.text(selector="#verdict")
        assert "does not answer" in browser.text(selector=".box.down")
        browser.screenshot(path=str(shots / "daemon-outage-390-light.png"))
        key = place.write_row(now(), user="waits", message="hello")
        proxy.mend()
        eventually(lambda: browser.text(selector="h1") == "All is well", 40)
        assert browser.texts(selector=".box.down") == []
        eventually(lambda: place.doc(key))


def test_a_token_is_asked_for(place, caes, browser):
    place.make()
    caes.configure(http={"token": "open-sesame"}).run()
    url = caes.status_url + "/"
    eventually(lambda: requests.get(url, timeout=5).status_code == 401)
    origin = f"http://{urlsplit(url).netloc}"
    login = {"username": "me", "password": "open-sesame", "origin": origin}
    eventually(lambda: browser.open(url=url, credentials=login)["status"] == 200)
    eventually(lambda: browser.text(selector="h1") == "All is well")
    before = browser.text(selector="#as-of")
    eventually(lambda: browser.text(selector="#as-of") != before)  # so do its refreshes
