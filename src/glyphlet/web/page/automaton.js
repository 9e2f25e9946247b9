// Which texts are legal: a deterministic automaton over the classes of a model, as glyphlet/decode/automaton.py and pattern.py make it.
// Thompson 1968 for the automaton with empty moves, Rabiner and Scott 1959 for the subset construction.
import { parse, patternError, quoted } from "./regex.js";

const MAX_STATES = 20_000;

/**
 * An automaton whose start is state 0. `groups`: the classes that no state tells apart. `moves`: for each state a Map from group to
 * state. `need`, `length`: the fewest steps, and characters, to a legal end. `tight`: where one step more is needed if the last step
 * has written the one class of a group.
 */
export class Automaton {
  constructor(groups, moves, accepting) {
    this.groups = groups.map((members) => [...members].sort((a, b) => a - b));
    this.accepting = accepting;
    const { need, tight } = needs(groups, moves, accepting);
    this.need = need;
    this.tight = tight;
    this.length = needs(groups.map(() => [0, 0]), moves, accepting).need; // no class has to follow itself
    this.targets = moves.map((of) => new Map([...of].filter(([, state]) => need[state] < Infinity).sort((a, b) => a[0] - b[0])));
    this.groupOf = new Map(this.groups.flatMap((members, group) => members.map((label) => [label, group])));
  }

  accepts(labels) {
    let state = 0;
    for (const label of labels) {
      state = this.targets[state].get(this.groupOf.get(label));
      if (state === undefined) return false;
    }
    return this.accepting[state];
  }

  isTight(state, group) {
    return this.tight.has(`${state} ${group}`) ? 1 : 0;
  }
}

/** The fewest steps to a legal end, breadth first from the ends, and where equal neighbours need one more. */
function needs(groups, moves, accepting) {
  const before = moves.map(() => []);
  moves.forEach((of, state) => of.forEach((target, group) => before[target].push([state, group])));
  const need = moves.map(() => Infinity);
  const tight = new Set();
  const waiting = new Map([[0, accepting.flatMap((end, state) => (end ? [[state, -1]] : []))]]);
  for (let cost = 0; waiting.size; cost++) {
    const ways = new Map();
    for (const [state, group] of waiting.get(cost) ?? []) {
      if (need[state] !== Infinity && !ways.has(state)) continue;
      need[state] = cost;
      if (!ways.has(state)) ways.set(state, new Set());
      ways.get(state).add(group);
    }
    waiting.delete(cost);
    for (const [state, of] of ways) {
      const [group] = of;
      if (of.size === 1 && group >= 0 && groups[group].length === 1) tight.add(`${state} ${group}`);
    }
    for (const state of ways.keys()) {
      for (const [source, group] of before[state]) {
        if (need[source] !== Infinity) continue;
        const at = cost + 1 + (tight.has(`${state} ${group}`) ? 1 : 0);
        if (!waiting.has(at)) waiting.set(at, []);
        waiting.get(at).push([source, group]);
      }
    }
  }
  return { need, tight };
}

/** An automaton from moves by class; classes that always lead to the same states become one group. */
export function fromClasses(moves, accepting) {
  const columns = new Map();
  moves.forEach((of, state) => of.forEach((target, label) => columns.set(label, `${columns.get(label) ?? ""}${state}>${target} `)));
  const groups = new Map();
  for (const label of [...columns.keys()].sort((a, b) => a - b)) {
    const column = columns.get(label);
    groups.set(column, [...(groups.get(column) ?? []), label]);
  }
  const byGroup = moves.map((of) => {
    const found = new Map();
    [...groups.values()].forEach(([label], group) => { if (of.has(label)) found.set(group, of.get(label)); });
    return found;
  });
  return new Automaton([...groups.values()], byGroup, accepting);
}

/** The automaton of a regular expression that matches a text as a whole. */
export function compile(pattern, charset) {
  const machine = new Machine(pattern, charset);
  const [first, last] = machine.add(parse(pattern, charset.characters.join("")));
  const found = determinize(machine, first, last);
  if (found.need[0] === Infinity) {
    const missing = [...machine.missing].slice(0, 5).map((char) => `'${char}'`);
    throw patternError(
      `pattern ${quoted(pattern)} allows no text that the model can write${missing.length ? `: ${missing.join(", ")} not in the charset` : ""}`,
      `texts of the ${charset.characters.length} characters of the charset`,
      "correct the pattern, or choose a model that has the characters",
    );
  }
  return found;
}

/** States joined by empty moves (`free`) and by at most one move on a set of classes each (`on`). */
class Machine {
  constructor(pattern, charset) {
    Object.assign(this, { pattern, charset, free: [], on: [], missing: new Set() });
  }

  state() {
    if (this.free.length >= MAX_STATES) throw tooLarge(this.pattern);
    this.free.push([]);
    this.on.push(null);
    return this.free.length - 1;
  }

  /** The first and the last state of a part. */
  add(node) {
    if (node.members) {
      const [first, last] = [this.state(), this.state()];
      this.on[first] = { classes: this.classes(node.members), to: last };
      return [first, last];
    }
    if (node.part) return this.repeat(node);
    if (node.options) {
      const [first, last] = [this.state(), this.state()];
      for (const option of node.options) this.free[this.append(first, option)].push(last);
      return [first, last];
    }
    const first = this.state();
    return [first, node.parts.reduce((last, part) => this.append(last, part), first)];
  }

  /** A part behind a state; its last state. */
  append(state, node) {
    const [start, end] = this.add(node);
    this.free[state].push(start);
    return end;
  }

  repeat({ part, low, high }) {
    const first = this.state();
    let last = first;
    for (let n = 0; n < low; n++) last = this.append(last, part);
    if (high === Infinity) {
      this.free[this.append(last, part)].push(last);
      return [first, last];
    }
    const out = this.state();
    for (let n = low; n < high; n++) {
      this.free[last].push(out);
      last = this.append(last, part);
    }
    this.free[last].push(out);
    return [first, out];
  }

  classes(members) {
    const found = new Set();
    for (const member of members) {
      const label = this.charset.label(member);
      if (label !== undefined) found.add(label);
      else if (members.length === 1) this.missing.add(member);
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Those states, and all that empty moves lead to, ascending. */
  closure(states) {
    const [seen, waiting] = [new Set(states), [...states]];
    while (waiting.length) {
      for (const target of this.free[waiting.pop()]) {
        if (!seen.has(target)) {
          seen.add(target);
          waiting.push(target);
        }
      }
    }
    return [...seen].sort((a, b) => a - b);
  }
}

function determinize(machine, first, last) {
  const { groups, inside } = groupsOf(machine);
  const start = machine.closure([first]);
  const [numbers, waiting, moves] = [new Map([[start.join(), 0]]), [start], []];
  for (const states of waiting) { // it grows on the way
    const targets = new Map();
    for (const state of states) {
      const on = machine.on[state];
      for (const group of on ? inside.get(on.classes.join()) : []) targets.set(group, [...(targets.get(group) ?? []), on.to]);
    }
    const move = new Map();
    for (const group of [...targets.keys()].sort((a, b) => a - b)) {
      const target = machine.closure(targets.get(group));
      const key = target.join();
      if (!numbers.has(key)) {
        if (numbers.size >= MAX_STATES) throw tooLarge(machine.pattern);
        numbers.set(key, numbers.size);
        waiting.push(target);
      }
      move.set(group, numbers.get(key));
    }
    moves.push(move);
  }
  return new Automaton(groups, moves, waiting.map((states) => states.includes(last)));
}

/** The classes that occur, those together that are in the same sets; and the groups of each set. */
function groupsOf(machine) {
  const sets = new Map(machine.on.filter(Boolean).map(({ classes }) => [classes.join(), classes]));
  const where = new Map();
  for (const [key, members] of sets) for (const label of members) where.set(label, [...(where.get(label) ?? []), key]);
  const found = new Map();
  for (const label of [...where.keys()].sort((a, b) => a - b)) {
    const key = where.get(label).join("|");
    found.set(key, [...(found.get(key) ?? []), label]);
  }
  const groups = [...found.values()];
  const inside = new Map([...sets].map(([key, members]) => {
    const has = new Set(members);
    return [key, groups.flatMap(([label], group) => (has.has(label) ? [group] : []))];
  }));
  return { groups, inside };
}

const tooLarge = (pattern) =>
  patternError(`pattern ${quoted(pattern)} needs an automaton of more than ${MAX_STATES} states`, `up to ${MAX_STATES}`, "lower the repeats");
