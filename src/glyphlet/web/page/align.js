// Where the characters of a text stand: the most probable path that collapses to it (Viterbi 1967), as glyphlet/decode/align.py has it.

/** The class of each time step. `times` are the steps at which a character may stand; the plain ones between them count as one. */
export function align(logits, labels, times) {
  const states = [0, ...labels.flatMap((label) => [label, 0])];
  const { rows, owners } = rowsOf(logits, states, times);
  const skip = states.map((label, s) => s > 1 && label !== 0 && label !== states[s - 2]);
  const at = (row, s) => (s < 0 ? -Infinity : row[s]);
  const scores = [rows[0].map((value, s) => (s < 2 ? value : -Infinity))];
  for (const row of rows.slice(1)) {
    const before = scores[scores.length - 1];
    scores.push(row.map((value, s) => value + Math.max(before[s], at(before, s - 1), skip[s] ? before[s - 2] : -Infinity)));
  }
  const path = new Int32Array(logits.steps);
  const end = states.length - 1;
  let state = end && at(scores[scores.length - 1], end - 1) > scores[scores.length - 1][end] ? end - 1 : end;
  for (let r = rows.length - 1; ; r--) {
    if (owners[r] >= 0) path[owners[r]] = states[state];
    if (r === 0) return path;
    const before = scores[r - 1];
    const [same, one, two] = [before[state], at(before, state - 1), skip[state] ? before[state - 2] : -Infinity];
    state -= same >= one && same >= two ? 0 : one >= two ? 1 : 2; // of equal ways the shortest step back
  }
}

/** The log-posteriors of the states in each row, and the time step of the row; -1 for plain steps in a row, which are blank. */
function rowsOf(logits, states, times) {
  const busy = new Set(times);
  const [rows, owners] = [[], []];
  for (let t = 0; t < logits.steps; ) {
    if (busy.has(t)) {
      rows.push(states.map((label) => logits.log(t, label)));
      owners.push(t++);
      continue;
    }
    let sum = 0;
    while (t < logits.steps && !busy.has(t)) sum += logits.log(t++, 0);
    rows.push(states.map((label) => (label === 0 ? sum : -Infinity)));
    owners.push(-1);
  }
  return { rows, owners };
}
