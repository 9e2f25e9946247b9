// A frame around a part of the picture: dragged over it, or given in numbers.

const LEAST = 3; // pixels of the screen; less is a click

/** Lets an area be dragged on `stage`. `moved` is told of it on the way, `chosen` at the end; both in pixels of the picture. */
export function dragged(stage, size, moved, chosen) {
  let start = null;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    const { width, height } = size();
    const within = (value, most) => Math.min(most, Math.max(0, value));
    return {
      x: within(((event.clientX - box.left) * width) / box.width, width),
      y: within(((event.clientY - box.top) * height) / box.height, height),
      screen: [event.clientX, event.clientY],
    };
  };
  const far = (a, b) => Math.abs(a.screen[0] - b.screen[0]) > LEAST && Math.abs(a.screen[1] - b.screen[1]) > LEAST;

  stage.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || start) return;
    start = { ...place(event), pointer: event.pointerId };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (start?.pointer !== event.pointerId) return;
    const here = place(event);
    if (far(start, here)) moved(areaBetween(start, here));
  });
  stage.addEventListener("pointerup", (event) => {
    if (start?.pointer !== event.pointerId) return;
    const [from, here] = [start, place(event)];
    start = null;
    if (far(from, here)) chosen(areaBetween(from, here));
  });
  stage.addEventListener("pointercancel", () => { start = null; moved(null); });
}

function areaBetween(a, b) {
  const [left, top] = [Math.floor(Math.min(a.x, b.x)), Math.floor(Math.min(a.y, b.y))];
  return { left, top, width: Math.max(1, Math.ceil(Math.max(a.x, b.x)) - left), height: Math.max(1, Math.ceil(Math.max(a.y, b.y)) - top) };
}

/** An area cut down to a picture; null where nothing is left or it is the whole. */
export function within(area, { width, height }) {
  const left = Math.min(width - 1, Math.max(0, Math.round(area.left)));
  const top = Math.min(height - 1, Math.max(0, Math.round(area.top)));
  const found = {
    left, top, width: Math.min(width - left, Math.max(1, Math.round(area.width))), height: Math.min(height - top, Math.max(1, Math.round(area.height))),
  };
  return found.width === width && found.height === height ? null : found;
}
