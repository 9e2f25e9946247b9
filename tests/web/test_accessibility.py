"""Whether everybody can use the page: by keyboard, with a screen reader, in the dark, on a phone. In Chromium."""

import re

import numpy as np
import pytest

from glyphlet.web import PAGE
from web.conftest import LINE, png, shown


class TestForEverybody:
    def test_the_keyboard_alone(self, visit, reader):
        """Tab reaches everything in the order of the page, Enter works, and the focus is seen."""
        found = visit()
        order = []
        for _ in range(6):
            found.page.keyboard.press("Tab")
            order.append(found.page.evaluate("() => document.activeElement.id || document.activeElement.className"))
            style = found.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert style == "solid"
        assert order == ["skip", "choose", "photograph", "draw", "paste", "example"]
        found.page.keyboard.press("Enter")
        assert found.read() == reader.read_one(shown(found)).text != ""
        found.page.keyboard.press("Tab")
        assert found.page.evaluate("() => document.activeElement.id") == "copy"

    def test_every_control_has_a_name_and_every_id_one_owner(self, visit):
        found = visit()
        found.page.click("#example")
        found.read()
        nameless = found.page.evaluate("""() => [...document.querySelectorAll("button, input, canvas, meter, video, dialog, [role=region]")]
            .filter((e) => !(e.textContent.trim() || e.labels?.length || e.getAttribute("aria-label") || e.getAttribute("aria-labelledby")))
            .map((e) => e.outerHTML)""")
        assert nameless == []
        html = (PAGE / "index.html").read_text(encoding="utf-8")
        ids = re.findall(r'\bid="([^"]+)"', html)
        assert len(ids) == len(set(ids))
        named = re.findall(r'(?:aria-(?:labelledby|describedby|controls)|for|list)="([^"]+)"', html)
        assert {name for names in named for name in names.split()} <= set(ids)
        assert '<html lang="en">' in html
        headings = [int(level) for level in re.findall(r"<h(\d)", html)]
        assert headings[0] == 1
        assert max(headings) == 2

    def test_results_and_errors_are_spoken(self, visit):
        found = visit()
        found.give(png(LINE))
        assert found.page.get_attribute("#spoken", "role") == "status"
        assert re.fullmatch(r"Read: Total 12\.50\. Confidence \d+ %\.", found.page.text_content("#spoken"))
        assert found.page.get_attribute("#error", "role") == "alert"

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_colours_have_contrast(self, visit, scheme):
        """WCAG 2.1, 1.4.3: 4.5 to 1 for text, against the paper and the card."""
        found = visit(color_scheme=scheme)
        names = ["paper", "card", "ink", "quiet", "accent", "on-accent", "sure", "unsure", "doubtful"]
        colours = found.page.evaluate(
            "(names) => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim())",
            names,
        )
        of = dict(zip(names, map(luminance, colours), strict=True))
        for name in ("ink", "quiet", "sure", "unsure", "doubtful"):
            assert contrast(of[name], of["paper"]) >= 4.5, name
        assert contrast(of["ink"], of["card"]) >= 4.5
        assert contrast(of["accent"], of["on-accent"]) >= 4.5

    def test_a_phone_has_no_sideways_scroll_and_large_buttons(self, visit):
        found = visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
        found.give(png(np.hstack([LINE] * 4)))
        found.page.click("#draw")
        found.page.click("#crop-details summary")
        found.page.click("#characters summary")
        assert found.page.evaluate("() => document.documentElement.scrollWidth") <= 360
        for button in found.page.query_selector_all("button:visible"):
            assert button.bounding_box()["height"] >= 44

    def test_colour_is_not_the_only_cue_and_motion_can_be_refused(self, visit):
        found = visit(reduced_motion="reduce")
        lines = found.page.evaluate("""() => ["sure", "unsure", "doubtful"].map((level) => {
            const sign = document.querySelector(`#legend .${level}`);
            return getComputedStyle(sign).textDecorationLine + " " + getComputedStyle(sign).textDecorationStyle;
        })""")
        assert lines == ["none solid", "underline dashed", "underline double"]
        assert (
            found.page.evaluate("() => getComputedStyle(document.querySelector('#choose')).transitionDuration") == "0s"
        )


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
