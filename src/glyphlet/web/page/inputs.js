// The ways in which an image comes: chosen, dropped, pasted, photographed.
import { PageError } from "./errors.js";
import { pixelsOf } from "./picture.js";
import { byId } from "./view.js";

const isImage = (file) => file.type.startsWith("image/") || /\.(png|jpe?g|webp|gif|bmp|avif|tiff?|ico)$/i.test(file.name ?? "");

/** Listens to all of them. `file` is called with a Blob, `photograph` with a picture, `failed` with an error. */
export function listen({ file, picture, failed }) {
  const firstOf = (list, what) => {
    const image = Array.from(list).find(isImage);
    if (image) file(image);
    else failed(new PageError(`There is no image in what was ${what}`, { allowed: "an image file", next: "choose a PNG or a JPEG" }));
  };
  choosing(firstOf);
  dropping(firstOf);
  pasting(file, firstOf, failed);
  photographing(picture, failed);
}

function choosing(firstOf) {
  byId("choose").addEventListener("click", () => byId("file").click());
  for (const id of ["file", "capture"]) {
    byId(id).addEventListener("change", (event) => {
      if (event.target.files.length) firstOf(event.target.files, "chosen");
      event.target.value = ""; // the same file may be chosen again
    });
  }
}

function dropping(firstOf) {
  const over = (is) => byId("drop").classList.toggle("over", is);
  document.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    firstOf(event.dataTransfer.files, "dropped");
  });
}

function pasting(file, firstOf, failed) {
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData.files;
    if (files.length === 0 && event.target.closest?.("input")) return; // text for a field
    event.preventDefault();
    firstOf(files, "pasted");
  });
  byId("paste").hidden = !navigator.clipboard?.read;
  byId("paste").addEventListener("click", async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith("image/"));
        if (type) return file(await item.getType(type));
      }
      firstOf([], "copied");
    } catch {
      failed(new PageError("The browser does not let this page look at the clipboard", { next: "press Ctrl+V, or choose a file" }));
    }
  });
}

/** On a phone its own camera program; elsewhere a dialog with the picture of the camera. */
function photographing(picture, failed) {
  const [dialog, video] = [byId("camera"), byId("video")];
  const close = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    dialog.close();
  };
  byId("photograph").addEventListener("click", async () => {
    if (matchMedia("(pointer: coarse)").matches || !navigator.mediaDevices?.getUserMedia) return byId("capture").click();
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
    } catch {
      return failed(new PageError("There is no camera, or the browser does not allow it", { next: "allow it, or choose a file" }));
    }
    dialog.showModal();
    await video.play();
  });
  byId("shoot").addEventListener("click", () => {
    const taken = pixelsOf(video, video.videoWidth, video.videoHeight);
    close();
    picture(taken);
  });
  byId("camera-close").addEventListener("click", close);
  dialog.addEventListener("cancel", close);
}
