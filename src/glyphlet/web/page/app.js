// The page: pictures come in, the engine reads them, the view shows what was read.
import { dragged, within } from "./crop.js";
import { drawingPad } from "./draw.js";
import { startEngine, TOKEN } from "./engine.js";
import { cropped, example, pictureFrom } from "./picture.js";
import { listen } from "./inputs.js";
import { byId, lightUp, showError, showOverlay, showPicture, showReading, showStatus } from "./view.js";

let engine = null;
let picture = null;
let area = null; // the part that is read; null is the whole picture
let reading = null;
let asked = ""; // the pattern of the last reading
let turn = 0; // of several readings that were asked for, only the last is shown

async function open(source) {
  const mine = ++turn;
  showError(null);
  try {
    const found = source instanceof Blob ? await pictureFrom(source) : source;
    if (mine !== turn) return;
    [picture, area, reading] = [found, null, null];
    showPicture(picture);
    showReading(null);
    chooseArea(null);
  } catch (error) {
    failed(error);
  }
}

function chooseArea(chosen) {
  area = chosen && within(chosen, picture);
  reading = null;
  byId("whole").hidden = !area;
  const shown = area ?? { left: 0, top: 0, width: picture.width, height: picture.height };
  for (const key of ["left", "top", "width", "height"]) byId(`crop-${key}`).value = shown[key];
  showOverlay(picture, area, null);
  return read();
}

const wanted = () => byId("pattern").value.trim();

async function read() {
  if (!picture || !engine) return;
  const mine = ++turn;
  showError(null);
  showStatus("Reading …");
  asked = wanted();
  try {
    const found = await engine.read(area ? cropped(picture, area) : picture, asked);
    if (mine !== turn) return;
    reading = found;
    showReading(reading);
    showOverlay(picture, area, reading);
    showStatus("");
  } catch (error) {
    if (mine === turn) failed(error);
  }
}

/** When the pattern is another than the one that was asked for last. */
function readAgain() {
  if (wanted() !== asked) read();
}

function failed(error) {
  showStatus("");
  showReading(null);
  if (picture) showOverlay(picture, area, null);
  showError(error);
  byId("token-form").hidden = error.about !== "token";
}

async function copy() {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(reading.text);
  } catch { // plain http, or not allowed
    const field = document.createElement("textarea");
    field.value = reading.text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

function connect() {
  listen({ file: open, picture: open, failed });
  dragged(byId("stage"), () => picture, (moving) => showOverlay(picture, moving ?? area, moving ? null : reading), chooseArea);
  lightUp();
  const pad = drawingPad(byId("pad"), open);
  for (const what of ["read", "undo", "clear"]) byId(`pad-${what}`).addEventListener("click", pad[what]);
  byId("draw").addEventListener("click", () => {
    const shown = byId("drawing").toggleAttribute("hidden") === false;
    byId("draw").setAttribute("aria-expanded", String(shown));
  });
  byId("example").addEventListener("click", () => open(example()));
  byId("whole").addEventListener("click", () => chooseArea(null));
  byId("copy").addEventListener("click", copy);
  byId("crop").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = ["left", "top", "width", "height"].map((key) => [key, Number(byId(`crop-${key}`).value)]);
    chooseArea(Object.fromEntries(given));
  });
  byId("pattern-form").addEventListener("submit", (event) => { event.preventDefault(); readAgain(); });
  byId("pattern").addEventListener("change", readAgain); // Enter is a change and a submit
  byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, byId("token").value.trim());
    start();
  });
}

async function start() {
  showError(null);
  showStatus("Loading the model …");
  try {
    engine = await startEngine();
  } catch (error) {
    return failed(error);
  }
  byId("token-form").hidden = true;
  byId("model").textContent = engine.name ? `reads with ${engine.name}` : "";
  byId("about").textContent = engine.about;
  byId("licences").hidden = !engine.licences;
  byId("patterns").hidden = !engine.patterns;
  showStatus("");
  document.documentElement.dataset.ready = "true";
  await read();
}

connect();
start();
