// Patterns that have a name, with their check digits, as glyphlet/decode/named.py has them.
import { compile, fromClasses } from "./automaton.js";
import { Charset } from "./charset.js";
import { patternError, quoted } from "./regex.js";

const DIGITS = "0123456789";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const FILLER = "<";
const value = (char) => (char === FILLER ? 0 : (DIGITS + UPPER).indexOf(char));

/** An automaton from a function that follows a state (an array) by a character; null is nowhere. */
function explored(start, follow, ends, alphabet) {
  return (charset) => {
    const chars = Array.from(alphabet).filter((char) => charset.label(char) !== undefined);
    const [numbers, states, moves] = [new Map([[start.join(), 0]]), [start], []];
    for (const state of states) { // it grows on the way
      const move = new Map();
      for (const char of chars) {
        const target = follow(state, char);
        if (!target) continue;
        const key = target.join();
        if (!numbers.has(key)) {
          numbers.set(key, states.length);
          states.push(target);
        }
        move.set(charset.label(char), numbers.get(key));
      }
      moves.push(move);
    }
    return fromClasses(moves, states.map(ends));
  };
}

// Luhn (ISO/IEC 7812-1): digits so far; the sum if an even number is to come, if an odd one is; whether a digit must follow.
const [SHORTEST, LONGEST] = [12, 19];
const TWICE = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
function luhn([count, even, odd, gap], char) {
  if (" -".includes(char)) return gap || count === 0 || count === LONGEST ? null : [count, even, odd, 1];
  if (count === LONGEST) return null;
  return [count + 1, (odd + Number(char)) % 10, (even + TWICE[Number(char)]) % 10, 0];
}

// ISO 6346: letters and digits times powers of 2, by 11, by 10. Letters count 10 to 38 without the multiples of 11.
const LETTER = Array.from({ length: 29 }, (_, n) => n + 10).filter((n) => n % 11);
function container([place, total], char) {
  const allowed = place < 3 ? UPPER : place < 4 ? "UJZ" : DIGITS;
  if (place === 11 || !allowed.includes(char)) return null;
  if (place === 10) return (total % 11) % 10 === Number(char) ? [11, 0] : null;
  const number = DIGITS.includes(char) ? Number(char) : LETTER[UPPER.indexOf(char)];
  return [place + 1, (total + number * 2 ** place) % 11];
}

// Lines of machine-readable zones (ICAO Doc 9303): fields with a check digit each, and in some lines one for all; weights 7, 3, 1.
const WEIGHTS = [7, 3, 1];
const MRZ = DIGITS + UPPER + FILLER;
const KINDS = { x: MRZ, a: UPPER + FILLER, 0: DIGITS, o: DIGITS + FILLER, s: "MFX" + FILLER, p: "P", i: "ACIV" };
const range = (start, stop) => Array.from({ length: stop - start }, (_, n) => start + n);
/** A line: what may stand at each place, by KINDS; [place of a check digit, its first place, behind its last]; what the last digit is for. */
function mrz(kinds, fields, all = []) {
  const end = kinds.length;
  const places = Array.from(kinds, (kind, place) => {
    const field = fields.find(([, first, stop]) => first <= place && place < stop);
    const outer = all.includes(place) ? WEIGHTS[all.indexOf(place) % 3] : 0;
    return { allowed: KINDS[kind], inner: field ? WEIGHTS[(place - field[1]) % 3] : 0, outer };
  });
  const follow = ([place, field, total], char) => {
    if (place === end || !places[place].allowed.includes(char)) return null;
    const { inner, outer } = places[place];
    const number = value(char);
    if (fields.some(([at]) => at === place) && field !== number) return null;
    if (place === end - 1) return all.length && total !== number ? null : [end, 0, 0];
    return [place + 1, inner ? (field + number * inner) % 10 : 0, (total + number * outer) % 10];
  };
  return { build: explored([0, 0, 0], follow, ([place]) => place === end, MRZ) };
}
const HOLDER = `${"x".repeat(9)}0aaa${"0".repeat(7)}s${"0".repeat(7)}`;
const NUMBER_AND_DATES = [[9, 0, 9], [19, 13, 19], [27, 21, 27]];
const whole = (stop) => [...range(0, 10), ...range(13, 20), ...range(21, stop)];

// Dates of the Gregorian calendar, years 1000 to 2999: days, their months, their years.
const YEAR = "[12]\\d{3}";
const LEAP = "(?:[12]\\d(?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)";
const DAYS = [
  ["(?:0[1-9]|[12]\\d|3[01])", "(?:0[13578]|1[02])", YEAR],
  ["(?:0[1-9]|[12]\\d|30)", "(?:0[469]|11)", YEAR],
  ["(?:0[1-9]|1\\d|2[0-8])", "02", YEAR],
  ["29", "02", LEAP],
];
const dates = (...layouts) => layouts.flatMap((layout) => DAYS.map((day) => layout(...day))).join("|");

// IBAN (ISO 13616): the countries of each length; the remainder by 97 is checked of what is found.
const LENGTHS = {
  15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
  22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
  25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
  30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
};
const IBAN = Object.entries(LENGTHS).flatMap(([length, countries]) => {
  const head = `(?:${countries.replaceAll(" ", "|")})\\d{2}`;
  const [fours, rest] = [Math.floor((length - 4) / 4), (length - 4) % 4];
  return [`${head}[A-Z0-9]{${length - 4}}`, `${head}(?: [A-Z0-9]{4}){${fours}}${rest ? ` [A-Z0-9]{${rest}}` : ""}`];
}).join("|");
export function ibanIsRight(text) {
  const plain = text.replaceAll(" ", "").toUpperCase();
  if (plain.length < 5 || !/^[0-9A-Z]+$/.test(plain)) return false;
  return Array.from(plain.slice(4) + plain.slice(0, 4), value).reduce((rest, n) => (rest * (n > 9 ? 100 : 10) + n) % 97, 0) === 1;
}

const regular = (pattern) => (charset) => compile(pattern, charset);
const NAMED = new Map([
  ["luhn", { build: explored([0, 0, 0, 0], luhn, ([count, even, , gap]) => count >= SHORTEST && even === 0 && !gap, DIGITS + " -") }],
  ["iban", { build: regular(IBAN), check: ibanIsRight }],
  ["iso6346", { build: explored([0, 0], container, ([place]) => place === 11, UPPER + DIGITS) }],
  ["mrz-td1-number", mrz(`iaaaa${"x".repeat(9)}0${"x".repeat(15)}`, [[14, 5, 14]])],
  ["mrz-td1-dates", mrz(`${"0".repeat(7)}s${"0".repeat(7)}aaa${"x".repeat(11)}0`, [[6, 0, 6], [14, 8, 14]])],
  ["mrz-td1-names", mrz("a".repeat(30), [])],
  ["mrz-td2", mrz(`${HOLDER}${"x".repeat(7)}0`, NUMBER_AND_DATES, whole(35))],
  ["mrz-td2-names", mrz(`i${"a".repeat(35)}`, [])],
  ["mrz-td3", mrz(`${HOLDER}${"x".repeat(14)}o0`, [...NUMBER_AND_DATES, [42, 28, 42]], whole(43))],
  ["mrz-td3-names", mrz(`p${"a".repeat(43)}`, [])],
  ["date", { build: regular(dates((d, m, y) => `${y}-${m}-${d}`, (d, m, y) => `${d}\\.${m}\\.${y}`, (d, m, y) => `${d}/${m}/${y}`, (d, m, y) => `${d}-${m}-${y}`)) }],
  ["date-us", { build: regular(dates((d, m, y) => `${m}/${d}/${y}`)) }],
]);

/** The automaton of a pattern or of a name, and the check that a text must pass beside it, if there is one. */
export function legalTexts(pattern, description) {
  const charset = new Charset(description);
  const named = NAMED.get(pattern);
  if (!named) return { automaton: compile(pattern, charset), check: null };
  const automaton = named.build(charset);
  if (automaton.need[0] === Infinity) {
    throw patternError(`the pattern ${quoted(pattern)} needs characters that the model cannot write`,
      `texts of the ${charset.characters.length} characters of the charset`, "choose a model that has them");
  }
  return { automaton, check: named.check ?? null };
}
