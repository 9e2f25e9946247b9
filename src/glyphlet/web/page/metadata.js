// What a model file says about itself, taken from its bytes: no ONNX library is needed. See docs/file-format.md.

const MARKER = "glyphlet-sha256:";
const FEATURES = ["charset.case", "lines.single", "geometry.width", "geometry.squeeze"];
const HEADS = ["ctc", "sequence"];
const CALIBRATIONS = ["none", "beta"];

/** The entries of `metadata_props` (field 14 of an ONNX ModelProto) as a Map; other fields are skipped. */
export function metadataEntries(bytes) {
  const entries = new Map();
  for (const [number, field] of fields(bytes)) {
    if (number !== 14) continue;
    const pair = new Map(fields(field)); // field 1 is the key, field 2 the value
    entries.set(text(pair.get(1)), text(pair.get(2)));
  }
  return entries;
}

/** The fields of one protobuf message that are bytes: [number, Uint8Array]. Numbers are stepped over. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      if (at >= bytes.length) throw new Error("the file ends inside a field");
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = varint();
      if (at + length > bytes.length) throw new Error("the file ends inside a field");
      yield [Math.floor(tag / 8), bytes.subarray(at, at + length)];
      at += length;
    } else throw new Error(`there is no protobuf field of kind ${kind}`);
  }
}

const text = (bytes) => new TextDecoder().decode(bytes ?? new Uint8Array());

/** Whether the digest in a file is that of the file; null where there is none, or where it cannot be computed (plain http). */
export async function isWhole(bytes) {
  const start = lastIndex(bytes, MARKER) + MARKER.length;
  if (start < MARKER.length || !globalThis.crypto?.subtle) return null;
  const zeroed = bytes.slice();
  zeroed.fill(0x30, start, start + 64);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", zeroed));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === text(bytes.subarray(start, start + 64));
}

function lastIndex(bytes, marker) {
  const codes = Array.from(marker, (char) => char.charCodeAt(0));
  for (let at = bytes.length - codes.length; at >= 0; at--) {
    if (codes.every((code, i) => bytes[at + i] === code)) return at;
  }
  return -1;
}

/** The description of a model file. Throws where the file asks for what this reader cannot do. */
export function description(bytes) {
  const json = metadataEntries(bytes).get("glyphlet");
  if (json === undefined) throw new Error("the file is not a Glyphlet model: it has no description");
  const found = JSON.parse(json);
  if (found.format !== 1) throw new Error(`the model file has format ${found.format}, and this page reads format 1`);
  const unknown = found.features.filter((name) => !FEATURES.includes(name));
  if (unknown.length) throw new Error(`the model file needs ${unknown.join(", ")}, which this page cannot do`);
  if (!HEADS.includes(found.head)) throw new Error(`the head ${found.head} of the model file is not known to this page`);
  if (!CALIBRATIONS.includes(found.calibration.kind)) {
    throw new Error(`the calibration ${found.calibration.kind} of the model file is not known to this page`);
  }
  return found;
}

/** The characters of a charset, one code point each: character i is class i + 1. */
export const characters = (found) => Array.from(found.charset.text);
