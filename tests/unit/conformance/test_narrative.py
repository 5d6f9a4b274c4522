"""XHTML that may stand in a narrative, and what may not."""

import pytest

from gateway.conformance import narrative

OPEN = '<div xmlns="http://www.w3.org/1999/xhtml">'


@pytest.mark.parametrize(
    "inner",
    ["葡萄糖 5.6", "<p>a<br/>b<br></p>", '<table class="x"><tr><td colspan="2">1</td></tr></table>', '<img src="#a" alt="x"/>', "&nbsp;x"],
)  # fmt: skip
def test_plain_xhtml_passes(inner):
    div = f"{OPEN}{inner}</div>"
    assert narrative.fault(div) == ""
    assert not narrative.empty(div)


@pytest.mark.parametrize(
    ("div", "word"),
    [
        (f"{OPEN}<script>alert(1)</script></div>", "script"),
        (f'{OPEN}<p onclick="x()">a</p></div>', "onclick"),
        (f'{OPEN}<a href="JavaScript:x">a</a></div>', "script"),
        (f"{OPEN}<p>a</div>", "closes"),
        (f"{OPEN}a", "never closed"),
        (f"{OPEN}a</div></p>", "closes"),
        ("<p>a</p>", "begin"),
        (f"{OPEN}<!DOCTYPE html>a</div>", "DOCTYPE"),
        (f"{OPEN}<?php x ?>a</div>", "php"),
        (f"{OPEN}<form><input/></form></div>", "form"),
    ],
)
def test_what_a_browser_could_run_or_stumble_over_does_not(div, word):
    assert word in narrative.fault(div)


@pytest.mark.parametrize("inner", ["", "  ", "<p> </p>", "<br/>"])
def test_a_narrative_without_text_or_picture_is_empty(inner):
    assert narrative.empty(f"{OPEN}{inner}</div>")
