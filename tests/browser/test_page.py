"""The status page as people see it, in states that are made up."""
import pytest
from support import eventually

WIDE, PHONE = 1200, 390
SCENES = {
    "well": ("All is well", "In sync"),
    "starting": ("Starting", "The first cycle is under way"),
    "dead": ("Needs a look", "In sync, but for 1,204 changes in the dead letters"),
    "outage": ("Trouble", "Waiting for Elasticsearch since"),
    "stuck": ("Trouble", "Stuck: no cycle was completed and no request acknowledged for 6 min 4"),
    "gap": ("Trouble", "Changes may be missing"),
    "two": ("Trouble", "users: Waiting for Elasticsearch since"),
}


@pytest.mark.parametrize("name", SCENES)
def test_states(scene, browser, shots, name):
    heading, words = SCENES[name]
    url = scene(name).url
    for width in (WIDE, PHONE):
        for dark in (False, True):
            opened = browser.open(url=url, width=width, dark=dark)
            assert opened == {"status": 200, "requests": [url]}  # nothing from elsewhere
            assert browser.text(selector="h1") == heading
            assert words in browser.text(selector="#verdict")
            assert heading in browser.title()
            assert browser.axe() == []
            assert browser.evaluate(expression="document.documentElement.scrollWidth") <= width
            browser.screenshot(path=str(shots / f"{name}-{width}-{'dark' if dark else 'light'}.png"))
            assert browser.complaints() == []


def test_the_picture(scene, browser):
    browser.open(url=scene("well").url)
    flow = browser.text(selector=".flow")
    for text in ("Cassandra", "logs.data", "10.0.3.11", "version 5.0.9", "caes-sync", "in sync",
                 "last complete cycle 4.", "Elasticsearch", "stream", "version 9.5.3",
                 "212/s", "0.35/s"):
        assert text in flow, text
    to_es, to_cassandra = browser.texts(selector=".way")
    for text in ("To Elasticsearch", "lag", "212", "1,204,733", "1,022", "at most 4 min 45 s"):
        assert text in to_es, text
    assert "To Cassandra" in to_cassandra and "3,310" in to_cassandra
    facts = browser.text(selector=".facts")
    assert "Last verify\nnever" in facts and "Ready\nyes" in facts and "8,712" in facts
    assert "None: every change could be copied." in browser.text(selector=".letters")


def test_an_outage_in_the_picture(scene, browser):
    browser.open(url=scene("outage").url)
    assert "does not answer" in browser.text(selector=".box.down")
    assert "Elasticsearch" in browser.text(selector=".box.down")
    assert browser.texts(selector=".lanes.cut") != []
    assert "3 min 1" in browser.texts(selector=".late")[0]
    assert "no: Elasticsearch is down" in browser.text(selector=".facts")


def test_facts_without_script(scene, browser):
    browser.open(url=scene("dead").url, script=False)
    text = browser.text()
    for fact in ("Needs a look", "logs.data", "212", "4.", "007", "not the canonical form", "1,201 more",
                 "Last verify", "at most 4 min 45 s"):
        assert fact in text, fact


def test_what_others_wrote_stays_text(scene, browser):
    browser.open(url=scene("dead").url)
    assert "<script>document.title='owned'</script>" in browser.text(selector=".letters")
    assert "<img src=x onerror=alert(1)>" in browser.text(selector=".letters")
    assert browser.evaluate(expression="document.images.length") == 0
    assert "owned" not in browser.title()


def test_it_stays_where_people_are(scene, browser):
    """Newer pages come in without taking focus or selection away."""
    browser.open(url=scene("dead").url)
    browser.focus(selector=".scroll")
    browser.evaluate(expression="window.mark = document.querySelector('.scroll'), "
                                "getSelection().selectAllChildren(document.querySelector('td'))")
    before = browser.text(selector="#as-of")
    eventually(lambda: browser.text(selector="#as-of") != before)
    assert browser.evaluate(expression="document.activeElement === window.mark")
    assert browser.evaluate(expression="getSelection().toString().trim()") == "007"


def test_values_of_the_plot(scene, browser):
    browser.open(url=scene("well").url)
    box = browser.evaluate(expression="document.querySelector('.plot').getBoundingClientRect().toJSON()")
    browser.hover(selector=".plot >> nth=0", x=int(box["width"] * 139 / 239), y=20)
    tip = browser.text(selector=".tip >> nth=0")
    assert tip in ("25 min ago: 5 min", "25 min ago: 4.8 min"), tip
    browser.hover(selector=".plot >> nth=0", x=box["width"] - 0.5, y=20)
    assert browser.text(selector=".tip >> nth=0").startswith("now: ")


def test_a_daemon_that_is_gone(scene, browser):
    first = scene("well")
    browser.open(url=first.url)
    first.__exit__()
    eventually(lambda: browser.text(selector="h1") == "No answer")
    assert "has not answered since" in browser.text(selector="#verdict")
    assert browser.axe() == []
    scene("outage", first.port)
    eventually(lambda: browser.text(selector="h1") == "Trouble")
    assert "No answer" not in browser.title()


def test_a_loop_that_stands_still(scene, browser):
    browser.open(url=scene("still").url)
    assert browser.text(selector="h1") == "All is well"
    eventually(lambda: "the daemon's loop has stood still for 1" in
               browser.text(selector="#verdict"), 30)
    assert browser.text(selector="h1") == "Trouble"
