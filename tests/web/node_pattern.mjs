// node node_pattern.mjs PAGE_FOLDER CASES: decodes logits under patterns. CASES is a JSON list of {pattern, charset, logits (T x K)};
// prints for each the reading, or {error}.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, cases] = process.argv.slice(2);
const part = (name) => import(pathToFileURL(join(folder, name)));
const { Logits, decode } = await part("decode.js");
const { patternDecoder } = await part("pattern.js");

const decoders = new Map(); // a pattern is compiled once
function decoderOf(pattern, found) {
  if (pattern === null) return decode;
  if (!decoders.has(pattern)) decoders.set(pattern, patternDecoder(pattern, found));
  return decoders.get(pattern);
}

const results = JSON.parse(readFileSync(cases, "utf8")).map(({ pattern, charset, logits }) => {
  const found = { charset, head: "ctc", time_stride: 4 };
  const line = { scaled: logits.length * 4, width: logits.length * 8 };
  try {
    return decoderOf(pattern, found)(new Logits(Float32Array.from(logits.flat()), logits.length, logits[0].length), found, line);
  } catch (error) {
    return { error: error.message, about: error.about };
  }
});
console.log(JSON.stringify(results));
