// node node_read.mjs PAGE_FOLDER ORT_MODULE MODEL IMAGES [PATTERN]: prints the readings of raw images as JSON.
// IMAGES is a JSON list of {width, height, rgba (base64)}.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ortModule, modelFile, images, pattern] = process.argv.slice(2);
const part = (name) => import(pathToFileURL(join(folder, name)));
const ort = await import(pathToFileURL(ortModule));
ort.env.wasm.numThreads = 1;
const { Model } = await part("model.js");
const model = await Model.open(ort, new Uint8Array(readFileSync(modelFile)));
const decoder = pattern ? (await part("pattern.js")).patternDecoder(pattern, model.description) : undefined;
const readings = [];
const started = performance.now();
for (const { width, height, rgba } of JSON.parse(readFileSync(images, "utf8"))) {
  readings.push(await model.read(new Uint8Array(Buffer.from(rgba, "base64")), width, height, decoder));
}
console.log(JSON.stringify({ ms: performance.now() - started, readings }));
