"""The verdict core in JavaScript answers as the one in Python does: the same vectors, in a real browser."""

import json
from pathlib import Path

import pytest
from django.urls import reverse

from windows import Window

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
HERE = Path(__file__).parent
RUN = HERE.joinpath("core_vectors.js").read_text("utf-8")


@pytest.fixture
def page(live_server, chromium):
    """A page of the site on which script runs."""
    window = Window(chromium, live_server)
    window.go(reverse("public:home"))
    yield window.page
    assert not window.faults
    window.close()


def differing(page, run: str, name: str, changed=lambda told: None) -> list[str]:
    """What the core in JavaScript answers otherwise than the vectors of this name say."""
    vectors = json.loads((HERE.parent / "vectors" / f"{name}.json").read_text("utf-8"))
    changed(vectors)
    return page.evaluate(
        f"async vectors => {{ {RUN}; return {run}(await import('/static/ui/gate/core.js'), vectors) }}", vectors)


@pytest.mark.parametrize(("run", "name"), [
    ("statusLists", "statuslist"), ("bundles", "bundle"), ("presenting", "presenting"), ("gateLog", "gatelog"),
    ("vouchers", "voucher")])
def test_the_core_answers_in_a_browser_as_it_does_in_python(page, run, name):
    assert differing(page, run, name) == []


def test_a_vector_that_is_wrong_is_seen(page):
    def other_way_round(told):
        told["cases"][0]["answer"]["colour"] = "red"
        told["unreadable"][0]["error"] = "list-value"
    assert len(differing(page, "presenting", "presenting", other_way_round)) == 2
