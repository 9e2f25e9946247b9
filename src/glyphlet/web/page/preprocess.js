// From RGBA pixels to the array that a model reads, with the bits of glyphlet.image (docs/file-format.md, "Preprocessing").
// vectors.json proves it: images, and the arrays that must come out.

/** RGBA over white: RGB. `pixels` has width * height * 4 values of 8 bits. */
export function overWhite(pixels) {
  const rgb = new Uint8Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4) {
    const alpha = pixels[from + 3];
    const white = 255 * (255 - alpha) + 127;
    for (let c = 0; c < 3; c++) rgb[to++] = Math.floor((pixels[from + c] * alpha + white) / 255);
  }
  return rgb;
}

/** RGB to grey: ITU-R 601 luma in whole numbers. */
export function grey(rgb) {
  const found = new Uint8Array(rgb.length / 3);
  for (let from = 0, to = 0; from < rgb.length; from += 3) {
    found[to++] = (19595 * rgb[from] + 38470 * rgb[from + 1] + 7471 * rgb[from + 2] + 32768) >> 16;
  }
  return found;
}

/** To the nearest whole number, halves to the even one. */
function roundHalfEven(value) {
  const below = Math.floor(value);
  const over = value - below;
  return over > 0.5 || (over === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** For each of `size` outputs: the first input, and the weights from there on with 22 binary places. */
function weights(inputs, size) {
  const scale = inputs / size;
  const reach = Math.max(scale, 1);
  return Array.from({ length: size }, (_, x) => {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(inputs, Math.trunc(centre + reach + 0.5));
    const real = [];
    for (let i = first; i < last; i++) real.push(Math.max(0, 1 - Math.abs((i - centre + 0.5) * (1 / reach))));
    const sum = real.reduce((total, weight) => total + weight, 0);
    return { first, fixed: Int32Array.from(real, (weight) => Math.trunc((weight / sum) * 2 ** 22 + 0.5)) };
  });
}

/**
 * Pillow's BILINEAR along one axis. `pixels` is seen as (outer, inputs, inner); (outer, size, inner) comes out.
 * Columns of (H, W, C): outer = H, inner = C. Rows: outer = 1, inner = W * C.
 */
function resample(pixels, outer, inputs, inner, size) {
  if (inputs === size) return pixels;
  const found = new Uint8Array(outer * size * inner);
  const all = weights(inputs, size);
  for (let o = 0; o < outer; o++) {
    for (let x = 0; x < size; x++) {
      const { first, fixed } = all[x];
      for (let i = 0; i < inner; i++) {
        let sum = 2 ** 21;
        let at = (o * inputs + first) * inner + i;
        for (let n = 0; n < fixed.length; n++, at += inner) sum += pixels[at] * fixed[n];
        found[(o * size + x) * inner + i] = Math.min(255, sum >> 22);
      }
    }
  }
  return found;
}

/** The width that an image is scaled to, before it is padded. */
export function scaledWidth(width, height, geometry) {
  return geometry.width || Math.max(1, roundHalfEven((width * geometry.height) / height / (geometry.squeeze ?? 1)));
}

/**
 * Scale a line to the height of the model and pad it on the right.
 * Takes (H, W, C) of 8 bits; gives `pixels` (C, height, padded) of 8 bits, `scaled`, `padded` and the `width` before.
 */
export function fit(pixels, width, height, geometry) {
  const { height: rows, channels } = geometry;
  const scaled = scaledWidth(width, height, geometry);
  if (scaled > geometry.max_width) {
    throw new Error(
      `the image is ${width} x ${height} pixels, ${scaled} wide at height ${rows}. Allowed: lines up to ` +
        `${geometry.max_width} pixels wide at this height. Next: crop the line, or cut it into pieces.`,
    );
  }
  const columns = resample(pixels, height, width, channels, scaled);
  const lines = resample(columns, 1, height, scaled * channels, rows);
  const step = geometry.width_step;
  const padded = Math.ceil(Math.max(scaled, geometry.min_width) / step) * step;
  const found = new Uint8Array(channels * rows * padded);
  for (let c = 0, to = 0; c < channels; c++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < padded; x++, to++) {
        if (x < scaled || geometry.padding === "edge") found[to] = lines[(y * scaled + Math.min(x, scaled - 1)) * channels + c];
      }
    }
  }
  return { pixels: found, scaled, padded, width };
}

/** 8 bits to the float32 that a model takes: x * a - b, each rounded to float32. */
export function normalise(pixels, geometry) {
  const factor = Math.fround(1 / (255 * geometry.std));
  const shift = Math.fround(geometry.mean / geometry.std);
  return Float32Array.from(pixels, (value) => Math.fround(value * factor) - shift);
}

/** RGBA pixels to a line: what `glyphlet.image.prepare` does behind decoding. */
export function prepare(rgba, width, height, geometry) {
  const rgb = overWhite(rgba);
  return fit(geometry.channels === 1 ? grey(rgb) : rgb, width, height, geometry);
}
