// A pad to write on with a mouse, a finger or a pen.
import { inked, pixelsOf } from "./picture.js";

const PEN = 11; // pixels of the pad
const MARGIN = 0.3; // of the height of the ink; cropped closer, `digits` reads far less of what is drawn
const PAUSE = 900; // milliseconds without a stroke after which the pad is read

/** Lets a canvas be written on. `drawn` is called with the picture of the ink. */
export function drawingPad(canvas, drawn) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const strokes = [];
  let pen = null; // the pointer that draws
  let waiting = 0;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  const paint = () => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(context, { strokeStyle: "#000", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
  };
  const read = () => {
    clearTimeout(waiting);
    const ink = inked(pixelsOf(canvas, canvas.width, canvas.height), MARGIN);
    if (ink) drawn(ink);
  };
  const change = () => {
    paint();
    clearTimeout(waiting);
    if (strokes.length) waiting = setTimeout(read, PAUSE);
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button > 0) return;
    pen = event.pointerId;
    canvas.setPointerCapture(pen);
    clearTimeout(waiting);
    strokes.push([place(event)]);
    paint();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    strokes.at(-1).push(place(event));
    paint();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId !== pen) return;
      pen = null;
      change();
    });
  }
  paint();
  return {
    read,
    undo: () => { strokes.pop(); change(); },
    clear: () => { strokes.length = 0; change(); },
  };
}
