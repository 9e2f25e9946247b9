// Readings in the browser itself: the model and onnxruntime-web lie beside the page.
import * as ort from "./onnxruntime-web/ort.js";
import { PageError } from "./errors.js";
import { Model } from "./model.js";
import { patternDecoder } from "./pattern.js";

export const TOKEN = ""; // nobody is asked for one
const beside = (path) => new URL(path, import.meta.url).href;

export async function startEngine() {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: beside("onnxruntime-web/ort-wasm-simd-threaded.wasm") };
  ort.env.logLevel = "error";
  const [model, site] = await Promise.all([load("model.onnx").then(opened), load("site.json").then((response) => response.json())]);
  return {
    name: model.description.name,
    about: `Images stay in this browser. The page loads ${(site.bytes / 1e6).toFixed(1)} MB once and asks no other address.`,
    licences: true,
    patterns: model.description.head === "ctc",
    read: ({ pixels, width, height }, pattern) => model.read(pixels, width, height, decoder(pattern, model.description)),
  };
}

let kept = { pattern: "" };

/** The decoder of a pattern; undefined for the plain one. The last one is kept. */
function decoder(pattern, description) {
  if (kept.pattern !== pattern) kept = { pattern, decode: pattern ? patternDecoder(pattern, description) : undefined };
  return kept.decode;
}

async function opened(response) {
  return Model.open(ort, new Uint8Array(await response.arrayBuffer()));
}

async function load(path) {
  const response = await fetch(beside(path)).catch(() => null);
  if (!response?.ok) throw new PageError(`${path} cannot be loaded`, { next: "check the network, and load the page again" });
  return response;
}
