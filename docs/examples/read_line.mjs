// Read one line with a Glyphlet model file in node: onnxruntime-web alone.
//
//   npm install onnxruntime-web
//   node read_line.mjs MODEL IMAGE          prints the reading as JSON
//
// IMAGE is a PGM or PPM (P5 or P6, 8 bits), since node decodes no images. Each step has its section in docs/file-format.md.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web/wasm";

const FEATURES = ["charset.case", "lines.single", "geometry.width", "geometry.squeeze"]; // what this program can do

function check(good, problem) {
  if (!good) throw new Error(problem);
}

/** The description of a model: the value of "glyphlet" in metadata_props, field 14 of the ONNX file, which is a protobuf message. */
function description(data) {
  const start = data.lastIndexOf("glyphlet-sha256:") + 16;
  const zeroed = Buffer.from(data).fill("0", start, start + 64);
  check(createHash("sha256").update(zeroed).digest("hex") === data.toString("latin1", start, start + 64), "the file is damaged");
  const entries = fields(data).filter(([field]) => field === 14);
  const pairs = entries.map(([, entry]) => fields(entry).map(([, bytes]) => bytes.toString()));
  const about = JSON.parse(new Map(pairs).get("glyphlet"));
  check(about.format === 1 && about.features.every((name) => FEATURES.includes(name)), "a newer reader is needed");
  check(["none", "beta"].includes(about.calibration.kind), "a newer reader is needed");
  return about;
}

/** [number, bytes] of the fields of a message that are bytes. */
function fields(data) {
  const found = [];
  let at = 0;
  const varint = () => {
    for (let value = 0, place = 1; ; place *= 128) {
      value += (data[at] & 127) * place;
      if (data[at++] < 128) return value;
    }
  };
  while (at < data.length) {
    const tag = varint();
    if (tag % 8 === 0) varint();
    else if (tag % 8 === 2) {
      const length = varint();
      found.push([tag >> 3, data.subarray(at, at + length)]);
      at += length;
    } else at += tag % 8 === 1 ? 8 : 4;
  }
  return found;
}

/** A PGM or PPM as whole numbers (H, W, C), C as the model wants it. */
function decode(data, channels) {
  const [header, kind, width, height] = /^(P[56])\s+(\d+)\s+(\d+)\s+255\s/.exec(data.toString("latin1", 0, 64)) ?? [];
  check(header, "the image is no PGM or PPM of 8 bits");
  const own = kind === "P6" ? 3 : 1;
  const at = (pixel, c) => data[header.length + pixel * own + (own === 3 ? c : 0)];
  const grey = (pixel) => (19595 * at(pixel, 0) + 38470 * at(pixel, 1) + 7471 * at(pixel, 2) + 32768) >> 16;
  const value = (_, i) => (channels === 1 ? grey(i) : at(Math.floor(i / 3), i % 3));
  return { width: Number(width), height: Number(height), pixels: Array.from({ length: width * height * channels }, value) };
}

/** A triangle filter along the middle axis of (outer, inputs, inner), with 22 binary places: Pillow's BILINEAR. */
function resample(pixels, outer, inputs, inner, size) {
  if (inputs === size) return pixels;
  const found = [];
  const scale = inputs / size;
  const reach = Math.max(scale, 1); // at least 1 pixel to each side
  const filters = Array.from({ length: size }, (_, x) => {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const count = Math.min(inputs, Math.trunc(centre + reach + 0.5)) - first;
    const weights = Array.from({ length: count }, (_, i) => Math.max(0, 1 - Math.abs((first + i + 0.5 - centre) / reach)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, fixed: weights.map((weight) => Math.trunc((weight / sum) * 2 ** 22 + 0.5)) };
  });
  for (let o = 0; o < outer; o++) {
    for (const { first, fixed } of filters) {
      for (let i = 0; i < inner; i++) {
        const sum = fixed.reduce((a, weight, n) => a + weight * pixels[(o * inputs + first + n) * inner + i], 2 ** 21);
        found.push(Math.min(255, sum >> 22));
      }
    }
  }
  return found;
}

const halfToEven = (value) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** The input of the model, and how wide the image stands in it. */
function prepare({ pixels, width, height }, geometry) {
  const { channels, height: rows, width_step: step, mean, std } = geometry;
  const scaled = geometry.width || Math.max(1, halfToEven((width * rows) / height / (geometry.squeeze ?? 1)));
  check(scaled <= geometry.max_width, `the line is ${scaled} pixels wide at ${rows} rows`);
  const columns = resample(pixels, height, width, channels, scaled); // columns first, then rows
  const lines = resample(columns, 1, height, scaled * channels, rows);
  const padded = Math.ceil(Math.max(scaled, geometry.min_width) / step) * step;
  const [factor, shift] = [Math.fround(1 / (255 * std)), Math.fround(mean / std)];
  const input = Float32Array.from({ length: channels * rows * padded }, (_, i) => {
    const [c, y, x] = [Math.floor(i / padded / rows), Math.floor(i / padded) % rows, i % padded];
    const outside = x >= scaled && geometry.padding === "black";
    return Math.fround((outside ? 0 : lines[(y * scaled + Math.min(x, scaled - 1)) * channels + c]) * factor) - shift;
  });
  return { tensor: new ort.Tensor("float32", input, [1, channels, rows, padded]), scaled };
}

const logAdd = (...logs) => {
  const most = Math.max(...logs);
  return most === -Infinity ? most : most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
};

/** The probability of a text under CTC: the sum over all its paths (Graves et al. 2006, section 4.1). */
function textProbability(logs, labels) {
  const states = [0, ...labels.flatMap((label) => [label, 0])]; // blank, first character, blank, ...
  const skips = states.map((label, s) => s > 1 && label !== 0 && label !== states[s - 2]);
  let alpha = states.map((label, s) => (s < 2 ? logs[0][label] : -Infinity));
  for (const step of logs.slice(1)) {
    alpha = states.map((label, s) => logAdd(alpha[s], s ? alpha[s - 1] : -Infinity, skips[s] ? alpha[s - 2] : -Infinity) + step[label]);
  }
  return Math.exp(logAdd(...alpha.slice(-2)));
}

/** Greedy: equal neighbours are merged, blanks dropped. */
function readCtc(logs, path, chars, edge) {
  const [characters, labels] = [[], []];
  for (let start = 0, stop; start < path.length; start = stop) {
    for (stop = start + 1; path[stop] === path[start]; ) stop++;
    const label = path[start];
    if (label === 0) continue;
    const sure = Math.exp(Math.max(...logs.slice(start, stop).map((step) => step[label])));
    characters.push([chars[label - 1], sure, edge(start), edge(stop)]);
    labels.push(label);
  }
  return [characters, textProbability(logs, labels)];
}

/** One class a step up to the stop, class 0; nobody knows where they stand. */
function readSequence(logs, path, chars) {
  const end = path.includes(0) ? path.indexOf(0) : path.length;
  const sure = logs.slice(0, end + 1).map((step, t) => Math.exp(step[path[t]]));
  const characters = path.slice(0, end).map((label, t) => [chars[label - 1], sure[t], null, null]);
  return [characters, sure.reduce((a, b) => a * b, 1)];
}

/** A calibrated probability. */
function corrected(probability, [a, b, c]) {
  const p = Math.min(Math.max(probability, 1e-12), 1 - 1e-12);
  return 1 / (1 + Math.exp(-(a * Math.log(p) - b * Math.log1p(-p) + c)));
}

/** What the model file says of its confidences, of spans that stand too far right, and of what is no text. */
function calibrated([characters, confidence], found, ratio, width) {
  if (found.kind === "none") return [characters, confidence];
  const mean = Math.log(Math.max(confidence, 1e-300)) / Math.max(characters.length, 1);
  if (found.least !== null && (!characters.length || mean < found.least)) return [[], 0]; // no text was found
  const shift = (found.shift ?? 0) * ratio;
  const moved = (edge) => edge === null ? edge : Math.min(Math.max(edge - shift, 0), width);
  const signs = characters.map(([char, sure, left, right]) => [char, corrected(sure, found.character), moved(left), moved(right)]);
  return [signs, corrected(confidence, found.line)];
}

ort.env.wasm.numThreads = 1;
const [model, file] = process.argv.slice(2);
if (!file) throw new Error("node read_line.mjs MODEL IMAGE.pgm");
const data = readFileSync(model);
const about = description(data);
const image = decode(readFileSync(file), about.geometry.channels);
const { tensor, scaled } = prepare(image, about.geometry);
const session = await ort.InferenceSession.create(new Uint8Array(data), { executionProviders: ["wasm"], logSeverityLevel: 3 });
const { logits } = await session.run({ image: tensor });
const [, steps, classes] = logits.dims;
const logs = Array.from({ length: steps }, (_, t) => {
  const step = Array.from(logits.data.subarray(t * classes, (t + 1) * classes));
  const sum = logAdd(...step);
  return step.map((value) => value - sum);
});
const path = logs.map((step) => step.indexOf(Math.max(...step)));
const edge = (t) => (Math.min(t * about.time_stride, scaled) * image.width) / scaled;
const chars = Array.from(about.charset.text);
const found = about.head === "sequence" ? readSequence(logs, path, chars) : readCtc(logs, path, chars, edge);
const [characters, confidence] = calibrated(found, about.calibration, image.width / scaled, image.width);
console.log(JSON.stringify({ text: characters.map(([char]) => char).join(""), confidence, characters }));
