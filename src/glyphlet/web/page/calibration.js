// What a confidence means, and what is no text: the correction that a model file carries, as glyphlet/decode/calibration.py applies it.
import { quoted } from "./regex.js";

const NOTHING = "no text was found: the image is blank, or shows nothing that this model reads";
const BOUND = 3; // a text that had to be legal may be so many times as unsure, in logarithms, before it is asked whether there is any
const NEVER = 10; // one that is so many times as unsure does not stand there
const CERTAIN = 1e-12; // no probability is taken to be closer to 0 or 1 than this

/**
 * A reading with corrected confidences and spans, or without text where nothing was to be read. One with a reason is left as it is.
 * `alone`, where a reading is bound to a pattern, gives what the network reads by itself: that says whether there is text.
 */
export function calibrated(reading, { calibration }, line, alone = null) {
  if (calibration.kind === "none" || reading.reason) return reading;
  const empty = (reason) => ({ ...reading, text: "", confidence: 0, characters: [], reason });
  if (rejects(reading, calibration.least, alone ? BOUND : 1)) {
    if (alone && calibration.least !== null && sureness(reading) < NEVER * calibration.least) {
      const mean = short(Math.exp(sureness(reading)));
      return empty(`no legal text is likely: the best is ${quoted(reading.text)}, and the model gives its characters ${mean} on average`);
    }
    const sole = alone ? alone() : reading;
    if (rejects(sole, calibration.least)) return empty(reasonOf(sole, calibration.least));
  }
  const shift = ((calibration.shift ?? 0) * line.width) / line.scaled;
  const moved = (edge) => (edge === null || !shift ? edge : Math.min(Math.max(edge - shift, 0), line.width));
  const characters = reading.characters.map(({ char, confidence, left, right }) => ({
    char, confidence: corrected(confidence, calibration.character), left: moved(left), right: moved(right),
  }));
  return { ...reading, confidence: corrected(reading.confidence, calibration.line), characters };
}

/** The mean log-probability of a character. */
const sureness = ({ confidence, characters }) => Math.log(Math.max(confidence, 1e-300)) / Math.max(characters.length, 1);

const rejects = (reading, least, times = 1) => least !== null && (!reading.text || sureness(reading) < times * least);

function reasonOf(reading, least) {
  if (!reading.text) return NOTHING;
  return `no text was found: the model gives a character ${short(Math.exp(sureness(reading)))} on average, below ${short(Math.exp(least))}`;
}

/** Beta calibration (Kull, Silva Filho and Flach 2017). */
function corrected(probability, [a, b, c]) {
  if (a === 1 && b === 1 && c === 0) return probability;
  const p = Math.min(Math.max(probability, CERTAIN), 1 - CERTAIN);
  return 1 / (1 + Math.exp(-(a * Math.log(p) - b * Math.log1p(-p) + c)));
}

/** Two digits that count, as Python's `.2g` writes them. */
function short(value) {
  if (value >= 1e-4 || value === 0) return String(Number(value.toPrecision(2)));
  const [mantissa, exponent] = value.toExponential(1).split("e-");
  return `${Number(mantissa)}e-${exponent.padStart(2, "0")}`;
}
