// node node_vectors.mjs PAGE_FOLDER VECTORS: prints, of each case, whether preprocess.js gives the bits of the vectors.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, vectors] = process.argv.slice(2);
const { normalise, prepare } = await import(pathToFileURL(join(folder, "preprocess.js")));

function rgba(bytes, mode) {
  const found = new Uint8Array((bytes.length / mode.length) * 4).fill(255);
  for (let i = 0; i < found.length / 4; i++) {
    for (let c = 0; c < 4; c++) {
      if (c < mode.length || (c < 3 && mode === "L")) found[4 * i + c] = bytes[mode === "L" ? i : i * mode.length + c];
    }
  }
  return found;
}

const results = JSON.parse(readFileSync(vectors, "utf8")).cases.map((entry) => {
  const pixels = rgba(Buffer.from(entry.image, "base64"), entry.mode);
  const line = prepare(pixels, entry.width, entry.height, entry.geometry);
  const tensor = normalise(line.pixels, entry.geometry);
  return {
    name: entry.name,
    widths: line.scaled === entry.scaled_width && line.padded === entry.padded_width,
    pixels: Buffer.from(line.pixels).equals(Buffer.from(entry.pixels, "base64")),
    tensor: createHash("sha256").update(Buffer.from(tensor.buffer)).digest("hex") === entry.sha256,
  };
});
console.log(JSON.stringify(results));
