// From logits to readings, as glyphlet.decode does it (docs/file-format.md, "Decoding").
import { characters } from "./metadata.js";

/** Steps with a row of classes each: the float32 output of a model for one line. */
export class Logits {
  constructor(values, steps, classes) {
    this.values = values;
    this.steps = steps;
    this.classes = classes;
    this.best = new Int32Array(steps); // the most probable class of each step, of equal ones the first
    this.normalizers = new Float64Array(steps); // log-sum-exp over the classes
    for (let t = 0; t < steps; t++) this.#look(t);
  }

  #look(t) {
    const row = this.values.subarray(t * this.classes, (t + 1) * this.classes);
    let best = 0;
    for (let k = 1; k < row.length; k++) if (row[k] > row[best]) best = k;
    let total = 0;
    for (let k = 0; k < row.length; k++) total += Math.exp(row[k] - row[best]);
    this.best[t] = best;
    this.normalizers[t] = row[best] + Math.log(total);
  }

  /** The log-posterior of a class at a step. */
  log(t, label) {
    return this.values[t * this.classes + label] - this.normalizers[t];
  }
}

/** The sum of probabilities that are given as logarithms. */
function logAdd(...values) {
  const most = Math.max(...values);
  return most === -Infinity ? most : most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/** The log-probability of a text, as classes, under CTC: the sum over all its paths (Graves et al. 2006, section 4.1). */
export function logProbability(logits, labels) {
  const states = [0, ...labels.flatMap((label) => [label, 0])]; // blank, first character, blank, ...
  let alpha = states.map((label, s) => (s < 2 ? logits.log(0, label) : -Infinity));
  for (let t = 1; t < logits.steps; t++) {
    const before = alpha;
    alpha = states.map((label, s) => {
      const skip = s > 1 && label !== 0 && label !== states[s - 2]; // the blank between unequal neighbours may be left out
      const ways = logAdd(before[s], s > 0 ? before[s - 1] : -Infinity, skip ? before[s - 2] : -Infinity);
      return ways + logits.log(t, label);
    });
  }
  return Math.min(0, logAdd(...alpha.slice(-2)));
}

/** The runs of equal classes on a path without the blanks: {label, start, stop, confidence}. */
export function runs(path, logits) {
  const found = [];
  for (let t = 0; t < path.length; t++) {
    const label = path[t];
    const confidence = Math.exp(logits.log(t, label));
    const last = found[found.length - 1];
    if (t > 0 && label === path[t - 1]) {
      last.stop = t + 1;
      last.confidence = Math.max(last.confidence, confidence);
    } else {
      found.push({ label, start: t, stop: t + 1, confidence });
    }
  }
  return found.filter((run) => run.label !== 0);
}

/** A reading from a path of classes: text, confidence, and where each character stands in pixels of the original image. */
export function readingOf(path, logits, found, line, confidence) {
  const signs = [blankSign(found), ...characters(found)];
  const edge = (step) => Math.min(step * found.time_stride, line.scaled) * (line.width / line.scaled);
  const written = runs(path, logits).map((run) => ({
    char: signs[run.label], confidence: run.confidence, left: edge(run.start), right: edge(run.stop),
  }));
  const text = written.map((character) => character.char).join("");
  return { text, confidence, characters: written, raw: Array.from(path, (label) => signs[label]).join("") };
}

/** How a blank is printed: the first of these that is no character of the charset. */
function blankSign(found) {
  return Array.from("_-·∅").find((sign) => !found.charset.text.includes(sign)) ?? "∅";
}

function greedy(logits, found, line) {
  const labels = runs(logits.best, logits).map((run) => run.label);
  return readingOf(logits.best, logits, found, line, Math.exp(logProbability(logits, labels)));
}

function sequence(logits, found) {
  const signs = characters(found);
  const written = [];
  let confidence = 1;
  for (let t = 0; t < logits.steps; t++) {
    const sure = Math.exp(logits.log(t, logits.best[t]));
    confidence *= sure;
    if (logits.best[t] === 0) break; // the stop counts, and ends the text
    written.push({ char: signs[logits.best[t] - 1], confidence: sure, left: null, right: null });
  }
  const text = written.map((character) => character.char).join("");
  return { text, confidence, characters: written, raw: text };
}

/** The plain reading of one line, by the head of its model. `line` comes from preprocess.js, `found` from metadata.js. */
export function decode(logits, found, line) {
  return found.head === "sequence" ? sequence(logits, found) : greedy(logits, found, line);
}
