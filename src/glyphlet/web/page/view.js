// What the page shows of a reading: the text, how sure it is, and where each character stands.

const SVG = "http://www.w3.org/2000/svg";
export const byId = (id) => document.getElementById(id);

/** How sure a model is, as a class of the style sheet. */
export const level = (confidence) => (confidence >= 0.9 ? "sure" : confidence >= 0.5 ? "unsure" : "doubtful");

export const percent = (value) => `${value > 0.9995 && value < 1 ? "> 99.9" : Number((100 * value).toFixed(value < 0.1 ? 1 : 0))} %`;

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

/** The result of a reading; `null` hides it. */
export function showReading(reading) {
  for (const id of ["result", "characters"]) byId(id).hidden = !reading;
  if (!reading) return;
  const { text, characters, confidence, reason } = reading;
  byId("text").replaceChildren(...characters.map(signOf));
  byId("text").hidden = !text;
  byId("legend").hidden = byId("copy").hidden = byId("characters").hidden = !text;
  byId("reason").hidden = Boolean(text);
  byId("reason").textContent = text ? "" : nothing(reading);
  byId("sure").hidden = Boolean(reason);
  byId("meter").value = confidence;
  byId("confidence").textContent = percent(confidence);
  byId("spoken").textContent = text ? `Read: ${text}. Confidence ${percent(confidence)}.` : nothing(reading);
  byId("rows").replaceChildren(...characters.map(rowOf));
}

const nothing = ({ reason }) => (reason ? `Nothing was read: ${reason}.` : "Nothing was read: the model sees no text here.");

function signOf({ char, confidence }, number) {
  const made = element("span", { className: `char ${level(confidence)}`, title: `${char} ${percent(confidence)}` }, char);
  made.dataset.number = number;
  return made;
}

function rowOf({ char, confidence, left, right }) {
  const columns = left === null ? "not known" : `${Math.round(left)} to ${Math.round(right)}`;
  const sign = element("span", { className: `char ${level(confidence)}` }, char === " " ? "space" : char);
  return element("tr", {}, element("td", {}, sign), element("td", {}, percent(confidence)), element("td", {}, columns));
}

/** The picture on its canvas, in a size that suits the page. */
export function showPicture({ pixels, width, height }) {
  const canvas = Object.assign(byId("canvas"), { width, height });
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  const stage = byId("stage");
  stage.style.width = `${Math.round(width * Math.min(4, 420 / height))}px`;
  stage.style.aspectRatio = `${width} / ${height}`;
  byId("overlay").setAttribute("viewBox", `0 0 ${width} ${height}`);
  byId("hint").textContent =
    height * 2 > width && height > 80
      ? "One line is read at a time: drag a frame around a line."
      : "Drag a frame around a part to read only that.";
  byId("picture").hidden = false;
  document.body.classList.add("has-picture");
}

/** The frame, and the spans of a reading, over the picture. `area` is null for the whole picture. */
export function showOverlay({ width, height }, area, reading) {
  const inner = area ?? { left: 0, top: 0, width, height };
  const shapes = [];
  if (area) {
    const around = `M0 0H${width}V${height}H0Z`;
    const hole = `M${inner.left} ${inner.top}v${inner.height}h${inner.width}v${-inner.height}Z`;
    shapes.push(shape("path", { d: around + hole, class: "shade" }));
    shapes.push(shape("rect", { x: inner.left, y: inner.top, width: inner.width, height: inner.height, class: "frame" }));
  }
  for (const [number, { left, right, confidence }] of (reading?.characters ?? []).entries()) {
    if (left === null) continue;
    const place = { x: inner.left + left, y: inner.top, width: Math.max(right - left, 0.5), height: inner.height };
    shapes.push(shape("rect", { ...place, class: level(confidence), "data-number": number }));
  }
  byId("overlay").replaceChildren(...shapes);
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A character under the pointer lights up, in the text and over the picture. */
export function lightUp() {
  const lit = (number) => {
    for (const made of document.querySelectorAll("[data-number]")) made.classList.toggle("lit", made.dataset.number === number);
  };
  byId("text").addEventListener("pointerover", (event) => lit(event.target.dataset.number));
  byId("text").addEventListener("pointerleave", () => lit(undefined));
  byId("stage").addEventListener("pointermove", (event) => {
    const under = document.elementsFromPoint(event.clientX, event.clientY).find((made) => made.dataset?.number && made.closest("svg"));
    lit(under?.dataset.number);
  });
  byId("stage").addEventListener("pointerleave", () => lit(undefined));
}

/** What is going on; empty for nothing. */
export function showStatus(text) {
  byId("status").textContent = text;
}

/** What went wrong: beside the pattern where that is at fault. `null` is nothing. */
export function showError(error) {
  const ofPattern = error?.about === "pattern";
  for (const [id, shown] of [["error", error && !ofPattern], ["pattern-error", error && ofPattern]]) {
    byId(id).hidden = !shown;
    byId(id).textContent = shown ? error.message : "";
  }
  byId("pattern").setAttribute("aria-invalid", String(Boolean(ofPattern)));
}
