"""How an image comes into the page: dropped, pasted, drawn, photographed, cropped; and how the text goes out. In Chromium."""

import base64

import numpy as np
import pytest

from web.conftest import LINE, png, shown


class TestWaysIn:
    @pytest.mark.parametrize("way", ["drop", "paste"])
    def test_dropped_and_pasted(self, visit, way):
        program = """([way, text]) => {
            const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "line.png", { type: "image/png" }));
            const options = { bubbles: true, cancelable: true };
            const event = way === "drop" ? new DragEvent("drop", { ...options, dataTransfer: data })
                                         : new ClipboardEvent("paste", { ...options, clipboardData: data });
            document.body.dispatchEvent(event);
        }"""
        found = visit()
        found.page.evaluate(program, [way, base64.b64encode(png(LINE)).decode()])
        found.page.wait_for_selector("#text .char")
        assert found.read() == "Total 12.50"

    def test_text_that_is_pasted_is_no_image(self, visit):
        found = visit()
        found.page.evaluate("""() => {
            const data = new DataTransfer();
            data.setData("text/plain", "hello");
            document.body.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, clipboardData: data }));
        }""")
        found.page.wait_for_selector("#error:not([hidden])")
        assert "no image in what was pasted" in found.page.text_content("#error")

    def test_drawn(self, visit, reader):
        found = visit()
        found.page.click("#draw")
        assert found.page.get_attribute("#draw", "aria-expanded") == "true"
        box = found.page.query_selector("#pad").bounding_box()
        for number in range(4):  # four strokes from top to bottom
            x = box["x"] + 60 + 40 * number
            found.page.mouse.move(x, box["y"] + 20)
            found.page.mouse.down()
            found.page.mouse.move(x, box["y"] + box["height"] - 20, steps=3)
            found.page.mouse.up()
        found.page.click("#pad-undo")
        found.page.click("#pad-read")
        text = found.read()
        assert len(text.replace(" ", "")) == 3
        assert set(text) <= set("1lI|!/i ")
        found.page.click("#pad-clear")
        blank = "() => { const c = document.querySelector('#pad'); return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.every((v) => v === 255) }"
        assert found.page.evaluate(blank)

    def test_photographed(self, visit):
        found = visit(permissions=["camera"])
        found.page.click("#photograph")
        found.page.wait_for_selector("#camera[open]")
        found.page.wait_for_timeout(400)
        found.page.click("#shoot")
        found.read()
        assert not found.page.is_visible("#camera")
        assert int(found.page.get_attribute("#canvas", "width")) > 100

    def test_a_phone_opens_its_own_camera(self, visit):
        found = visit(has_touch=True, is_mobile=True)
        with found.page.expect_file_chooser() as chooser:
            found.page.tap("#photograph")
        assert chooser.value.element.get_attribute("capture") == "environment"
        chooser.value.set_files({"name": "photo.png", "mimeType": "image/png", "buffer": png(LINE)})
        assert found.read() == "Total 12.50"

    def test_cropped_with_the_mouse_and_with_numbers(self, visit, reader):
        page_of_two = np.vstack([LINE, np.full((30, LINE.shape[1], 3), 245, np.uint8), LINE])
        height, width = page_of_two.shape[:2]
        found = visit()
        found.give(png(page_of_two))
        box = found.page.query_selector("#stage").bounding_box()
        scale = box["height"] / height
        found.page.mouse.move(box["x"] + 1, box["y"] + 1)
        found.page.mouse.down()
        found.page.mouse.move(box["x"] + box["width"] - 2, box["y"] + LINE.shape[0] * scale, steps=4)
        found.page.mouse.up()
        assert found.read() == "Total 12.50"
        assert found.page.is_visible("#whole")
        found.page.click("#whole")
        assert found.page.input_value("#crop-height") == str(height)

        found.page.click("#crop-details summary")
        for key, value in (("top", LINE.shape[0] + 30), ("height", LINE.shape[0]), ("width", width), ("left", 0)):
            found.page.fill(f"#crop-{key}", str(value))
        found.page.press("#crop-left", "Enter")
        assert found.read() == reader.read_one(LINE).text
        first = found.page.query_selector("#overlay rect:not(.frame)")
        assert float(first.get_attribute("y")) == LINE.shape[0] + 30

    def test_the_example(self, visit, reader):
        found = visit()
        found.page.click("#example")
        assert found.read() == reader.read_one(shown(found)).text != ""

    def test_the_text_is_copied(self, visit):
        found = visit(permissions=["clipboard-read", "clipboard-write"])
        found.give(png(LINE))
        found.page.click("#copy")
        found.page.wait_for_selector("#copy:has-text('Copied')")
        assert found.page.evaluate("() => navigator.clipboard.readText()") == "Total 12.50"
