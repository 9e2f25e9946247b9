// The most probable legal texts of a line: prefix beam search under an automaton, as glyphlet/decode/steps.py and beam.py have it.
// Hannun et al. 2014, arXiv 1408.2873, algorithm 1.

export const MARGIN = 1e-5; // what is this much less probable than the best there is is dropped
const LEAST = -300; // the logarithm below which a posterior counts as this
const [TINY, SMALLEST] = [1e-100, 5e-324];

/**
 * The steps at which something happens, with the classes that matter there; sure blanks in a row become one `plain` step.
 * Under an automaton the two best classes of each group are kept, so that a legal text can always be written.
 */
export function thin(logits, automaton, whole, threshold, margin) {
  const { steps, classes } = logits;
  const found = { steps: [], times: [], tail: 1 };
  let plain = 0; // the logarithm of the blanks since the last busy step
  let any = false;
  for (let t = 0; t < steps; t++) {
    const bound = Math.fround(logits.normalizers[t] + Math.log(threshold));
    const above = (label) => logits.values[t * classes + label] > bound;
    let busy = whole;
    for (let label = 1; label < classes && !busy; label++) busy = above(label);
    if (!busy) {
      plain += Math.max(logits.log(t, 0), LEAST);
      any = true;
      continue;
    }
    const step = { plain: any ? Math.exp(Math.max(plain, LEAST)) : null, blank: posterior(logits, t, 0), kept: new Map(), likely: [] };
    for (const label of legal(logits, t, automaton, above)) {
      const y = posterior(logits, t, label);
      step.kept.set(label, y);
      if (y > margin) step.likely.push([label, y, automaton.groupOf.get(label)]);
    }
    found.steps.push(step);
    found.times.push(t);
    [plain, any] = [0, false];
  }
  found.tail = Math.exp(Math.max(plain, LEAST));
  return found;
}

const posterior = (logits, t, label) => Math.exp(Math.max(logits.log(t, label), LEAST));

/** The classes that are looked at in a step, ascending. */
function legal(logits, t, automaton, above) {
  const found = [];
  for (const members of automaton.groups) {
    const kept = new Set(members.length <= 2 ? members : members.filter(above));
    for (let n = 0, taken = new Set(); members.length > 2 && n < 2; n++) {
      let best = -1;
      for (const label of members) {
        if (!taken.has(label) && (best < 0 || logits.log(t, label) > logits.log(t, best))) best = label;
      }
      taken.add(best);
      kept.add(best);
    }
    found.push(...kept);
  }
  return found.sort((a, b) => a - b);
}

class Prefix {
  constructor(parent, label, state, automaton, group) {
    Object.assign(this, { parent, label, state, children: new Map() });
    this.need = automaton.need[state];
    this.length = automaton.length[state];
    this.needAfter = this.need + (parent ? automaton.isTight(state, group) : 0);
  }

  labels() {
    const found = [];
    for (let prefix = this; prefix.parent; prefix = prefix.parent) found.push(prefix.label);
    return found.reverse();
  }
}

/** The most probable legal texts, best first: {labels, score}. At most `width`; none where none fits into the steps. */
export function search(steps, automaton, width, margin) {
  return new Search(automaton, width, margin).run(steps);
}

class Search {
  constructor(automaton, width, margin) {
    Object.assign(this, { automaton, width, margin });
    this.longest = automaton.need.reduce((most, need) => (need < Infinity ? Math.max(most, need) : most), 0) + 1;
    this.scale = 0;
    this.top = 1;
  }

  run({ steps, tail }) {
    let beam = [[new Prefix(null, 0, 0, this.automaton), 1, 0]];
    let left = steps.length;
    let room = left + steps.filter((step) => step.plain !== null).length;
    for (const step of steps) {
      left -= 1;
      room -= step.plain === null ? 1 : 2;
      if (step.plain !== null) beam = beam.map(([prefix, b, n]) => [prefix, (b + n) * step.plain, 0]);
      beam = this.prune(this.extend(beam, step, left, room), left, room);
    }
    const found = beam.map(([prefix, b, n]) => ({ labels: prefix.labels(), score: Math.log(b + n) + Math.log(tail) + this.scale }));
    return found.sort((a, b) => b.score - a.score || compare(a.labels, b.labels));
  }

  /** Every prefix with a blank, with its last character again, and with each character that may follow. */
  extend(beam, step, left, room) {
    const found = new Map(beam.map(([prefix, b, n]) => [prefix, [(b + n) * step.blank, n * (step.kept.get(prefix.label) ?? 0)]]));
    const floor = this.floor(beam, found, left, room);
    const [hurried, urgent] = [[], new Map()];
    for (const [prefix, b, n] of beam) {
      const way = (label) => (label === prefix.label ? b : b + n); // a character again needs a blank between
      if (prefix.need <= room && prefix.length <= left) {
        const table = this.automaton.targets[prefix.state];
        for (const [label, y, group] of step.likely) {
          if (!table.has(group)) continue;
          const p = way(label) * y;
          const child = prefix.children.get(label);
          const cell = child && found.get(child);
          if (cell) cell[1] += p;
          else if (p > floor) found.set(child ?? this.child(prefix, label, group, table.get(group)), [0, p]);
        }
        continue;
      }
      if (!urgent.has(prefix.state)) urgent.set(prefix.state, this.urgent(prefix.state, step, left, room));
      for (const to of urgent.get(prefix.state)) {
        const p = way(to.label) * to.y;
        if (p > 0) hurried.push([p, prefix, to]);
      }
    }
    if (hurried.length > this.width) hurried.sort((a, b) => b[0] - a[0]).splice(this.width);
    for (const [p, prefix, { label, group, state }] of hurried) {
      const child = prefix.children.get(label) ?? this.child(prefix, label, group, state);
      if (!found.has(child)) found.set(child, [0, 0]);
      found.get(child)[1] += p;
    }
    return found;
  }

  /** Below this a new prefix is not begun: of a full beam only what beats the worst of them can stay. */
  floor(beam, found, left, room) {
    const least = this.margin * this.top;
    if (beam.length !== this.width) return least;
    const worth = ([prefix, [b, n]]) => (prefix.needAfter <= room && prefix.length <= left ? b + n : 0);
    return Math.max(least, Math.min(...Array.from(found, worth)));
  }

  /** How a prefix goes on that cannot wait: what must come is not dropped for being improbable. */
  urgent(from, step, left, room) {
    const { targets, groupOf, need, length } = this.automaton;
    const ways = [...step.kept].map(([label, y]) => ({ label, y, group: groupOf.get(label), state: targets[from].get(groupOf.get(label)) }));
    return ways.filter(({ state, group }) => state !== undefined && need[state] + this.automaton.isTight(state, group) <= room && length[state] <= left);
  }

  child(prefix, label, group, state) {
    const made = new Prefix(prefix, label, state, this.automaton, group);
    prefix.children.set(label, made);
    return made;
  }

  /** The best prefixes that can still be finished; all times a factor where they become too small. */
  prune(found, left, room) {
    if (left < this.longest) {
      for (const [prefix, cell] of found) {
        if (prefix.needAfter <= room && prefix.length <= left) continue;
        cell[1] = 0;
        if (prefix.need > room || prefix.length > left) cell[0] = 0;
      }
    }
    let scored = Array.from(found, ([prefix, [b, n]]) => [b + n, prefix, b, n]);
    const least = Math.max(this.margin * scored.reduce((most, entry) => Math.max(most, entry[0]), 0), SMALLEST);
    scored = scored.filter((entry) => entry[0] >= least);
    if (scored.length > this.width) scored.sort((a, b) => b[0] - a[0]).splice(this.width);
    const top = scored.length ? Math.max(...scored.map((entry) => entry[0])) : 1;
    const small = top <= TINY;
    this.top = top < TINY ? 1 : top;
    if (small) this.scale += Math.log(top);
    return scored.map(([, prefix, b, n]) => (small ? [prefix, b / top, n / top] : [prefix, b, n]));
  }
}

/** By the first class that differs; the shorter one first where none does. */
function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
