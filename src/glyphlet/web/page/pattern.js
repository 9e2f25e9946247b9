// Reading under a pattern: the most probable text that is legal, as glyphlet/decode/decoding.py reads it.
import { align } from "./align.js";
import { MARGIN, search, thin } from "./beam.js";
import { logProbability, readingOf, runs } from "./decode.js";
import { legalTexts } from "./named.js";
import { quoted } from "./regex.js";

const BEAM = 8;
const CHECKED_BEAM = 64; // where texts are proposed to a check
const THRESHOLD = 1e-3;
const [LEAST_MARGIN, LEAST_THRESHOLD] = [1e-250, 1e-6];
const MORE_THAN_HALF = Math.log(0.5);

/** A decoder, as `decode` of decode.js is one, that writes only texts which match a pattern. Throws where the pattern is wrong. */
export function patternDecoder(pattern, description) {
  const { automaton, check } = legalTexts(pattern, description);
  const width = check ? CHECKED_BEAM : BEAM;
  return (logits, found, line) => {
    const signs = (labels) => labels.map((label) => Array.from(found.charset.text)[label - 1]).join("");
    const passes = (labels) => !check || check(signs(labels));
    const greedy = runs(logits.best, logits).map((run) => run.label);
    const total = automaton.accepts(greedy) && passes(greedy) ? logProbability(logits, greedy) : -Infinity;
    if (total > MORE_THAN_HALF) return readingOf(logits.best, logits, found, line, Math.exp(total)); // no other can be as probable
    const { labels, times, reason } = searched(logits, automaton, width, passes, check ? -1 : greedy.length, `the pattern ${quoted(pattern)}`);
    if (reason) {
      const { raw } = readingOf(logits.best, logits, found, line, 0);
      return { text: "", confidence: 0, characters: [], raw, reason };
    }
    const same = labels.join() === greedy.join();
    const path = same ? logits.best : align(logits, labels, times);
    return readingOf(path, logits, found, line, Math.exp(same && total > -Infinity ? total : logProbability(logits, labels)));
  };
}

/** The text of a line as classes and the steps it was found in; or why there is none. `length` is that of the greedy text; -1 under a check. */
function searched(logits, automaton, width, passes, length, what) {
  if (automaton.need[0] > logits.steps) {
    return { reason: `${what} needs at least ${automaton.need[0]} time steps, and the line has ${logits.steps}` };
  }
  for (const whole of [false, true]) { // the busy steps of a line are nearly always enough
    const { steps, found } = candidates(logits, automaton, width, whole, length);
    const first = found.find(({ labels }) => passes(labels));
    if (first) return { labels: first.labels, times: steps.times };
    if (found.length) return { reason: `none of the ${found.length} most probable texts of ${what} passes its check` };
  }
  throw new Error("no legal text was found, though one fits");
}

/**
 * The texts of a line, best first. Where all of them are improbable, and yet so long as what stands there, the search goes again with what
 * it had dropped for being so.
 */
function candidates(logits, automaton, width, whole, length) {
  const look = (threshold, margin) => {
    const steps = thin(logits, automaton, whole, threshold, margin);
    return { steps, found: search(steps, automaton, width, margin) };
  };
  const first = look(THRESHOLD, MARGIN);
  if (!first.found.length || first.found[0].score >= Math.log(MARGIN)) return first;
  if (length < 0 || Math.abs(first.found[0].labels.length - length) > Math.max(3, Math.floor(length / 4))) return first;
  const margin = Math.max(Math.exp(first.found[0].score) / 10, LEAST_MARGIN);
  return look(Math.max(margin, LEAST_THRESHOLD), margin);
}
