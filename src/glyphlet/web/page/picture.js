// Pixels: from files, from a video, and parts of them. A picture is {pixels (RGBA), width, height, blob}; `blob` is the file, if it is one.
import { PageError } from "./errors.js";

export const MAX_PIXELS = 50_000_000;

/** The picture in an image file, upright. */
export async function pictureFrom(blob) {
  const picture = (await exactly(blob)) ?? (await byCanvas(blob));
  return { ...picture, blob };
}

/**
 * With WebCodecs, where the browser has it: pixels that are partly transparent keep their colours to the bit.
 * Only for kinds of files that can be transparent, and not where Exif data may turn them: it does not turn them upright.
 */
async function exactly(blob) {
  if (!globalThis.ImageDecoder || !["image/png", "image/webp", "image/gif"].includes(blob.type)) return null;
  const data = await blob.arrayBuffer();
  if (/exif/i.test(new TextDecoder("latin1").decode(data))) return null;
  if (!data.byteLength) return null; // the other way says what is wrong
  const decoder = new ImageDecoder({ data, type: blob.type, colorSpaceConversion: "none" });
  try {
    const { image } = await decoder.decode();
    const { width, height } = image.visibleRect;
    checkSize(width, height);
    const pixels = new Uint8ClampedArray(width * height * 4);
    if (!["RGBA", "RGBX", "BGRA", "BGRX"].includes(image.format)) return null;
    await image.copyTo(pixels, { layout: [{ offset: 0, stride: width * 4 }] });
    straighten(pixels, image.format);
    image.close();
    return { pixels, width, height };
  } catch (error) {
    if (error instanceof PageError) throw error;
    return null; // the other way says what is wrong
  } finally {
    decoder.close();
  }
}

/** Bytes of another order as RGBA. */
function straighten(pixels, format) {
  for (let at = 0; at < pixels.length; at += 4) {
    if (format[0] === "B") [pixels[at], pixels[at + 2]] = [pixels[at + 2], pixels[at]];
    if (format[3] === "X") pixels[at + 3] = 255;
  }
}

async function byCanvas(blob) {
  try {
    const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", colorSpaceConversion: "none" });
    const found = pixelsOf(bitmap, bitmap.width, bitmap.height);
    bitmap.close();
    return found;
  } catch (error) {
    if (error instanceof PageError) throw error;
    return byElement(blob);
  }
}

/** For what `createImageBitmap` does not take: drawings (SVG), and older browsers, which do not know its options. */
async function byElement(blob) {
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  try {
    await image.decode();
    return pixelsOf(image, image.naturalWidth, image.naturalHeight);
  } catch (error) {
    if (error instanceof PageError) throw error;
    throw new PageError("This is not an image that the browser can open, or it is damaged", {
      allowed: "PNG, JPEG, WebP, GIF, BMP and what else the browser knows", next: "save it again as PNG",
    });
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** What can be drawn on a canvas, over white. */
export function pixelsOf(source, width, height) {
  checkSize(width, height);
  const context = blank(width, height);
  context.drawImage(source, 0, 0);
  return { pixels: context.getImageData(0, 0, width, height).data, width, height, blob: null };
}

function blank(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  return context;
}

function checkSize(width, height) {
  if (width * height > MAX_PIXELS) {
    throw new PageError(`The image has ${width} x ${height} pixels`, {
      allowed: `up to ${MAX_PIXELS.toLocaleString("en")}`, next: "cut out the line first",
    });
  }
}

/** A part of a picture; `area` has left, top, width and height in whole pixels. */
export function cropped({ pixels, width }, area) {
  const found = new Uint8ClampedArray(area.width * area.height * 4);
  for (let y = 0; y < area.height; y++) {
    const start = ((area.top + y) * width + area.left) * 4;
    found.set(pixels.subarray(start, start + area.width * 4), y * area.width * 4);
  }
  return { pixels: found, width: area.width, height: area.height, blob: null };
}

/** The file of a picture; one that is none yet becomes a PNG. */
export function fileOf(picture) {
  if (picture.blob) return picture.blob;
  const context = blank(picture.width, picture.height);
  context.putImageData(new ImageData(picture.pixels, picture.width, picture.height), 0, 0);
  return new Promise((resolve) => context.canvas.toBlob(resolve, "image/png"));
}

/** What is not white, with a white margin of this share of its height on each side; null where all is white. */
export function inked({ pixels, width, height }, share) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[(y * width + x) * 4] > 200) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
  }
  if (right < 0) return null;
  const ink = cropped({ pixels, width }, { left, top, width: right + 1 - left, height: bottom + 1 - top });
  const margin = Math.round(share * ink.height);
  const context = blank(ink.width + 2 * margin, ink.height + 2 * margin);
  context.putImageData(new ImageData(ink.pixels, ink.width, ink.height), margin, margin);
  return pixelsOf(context.canvas, context.canvas.width, context.canvas.height);
}

/** A line in a font of the system, for a first look. */
export function example(text = "Invoice 0423: 17.50") {
  const context = blank(480, 56);
  context.fillStyle = "#111";
  context.font = "34px Georgia, 'Times New Roman', serif";
  context.textBaseline = "middle";
  context.fillText(text, 14, 30, 452);
  return inked(pixelsOf(context.canvas, 480, 56), 0.3);
}
