// The tree of a regular expression: the part of the language that says what a text looks like. As glyphlet/regex.py has it.
import { PageError } from "./errors.js";

const DIGITS = "0123456789";
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const CLASSES = { d: DIGITS, w: LETTERS + LETTERS.toUpperCase() + DIGITS + "_", s: " " };
const SUPPORTED = "literals, ., [a-z], [^a-z], \\d \\w \\s \\D \\W \\S, \\uXXXX, (groups), |, ?, *, +, {n}, {n,m}; ^ and $ at the ends";
const LOOKING = {
  "?=": "a lookahead", "?!": "a negative lookahead", "?<=": "a lookbehind", "?<!": "a negative lookbehind",
  "?P=": "a backreference", "?#": "a comment", "?>": "an atomic group", "?(": "a condition",
};
const ESCAPES = { b: "a word boundary", B: "a word boundary", A: "an anchor", Z: "an anchor", p: "a Unicode property" };
// What Python's str.isdigit knows beside decimal digits: superscripts, circled digits and the like.
const OTHER_DIGITS = /[\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792]/u;
const KNOWN = {
  D: (char) => /\p{Nd}/u.test(char) || OTHER_DIGITS.test(char),
  W: (char) => /[\p{L}\p{N}_]/u.test(char),
  S: (char) => /[\s\x1c-\x1f\x85]/u.test(char) && char !== "\ufeff",
};

/** A text in quotes, as Python's repr writes it. */
export function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replaceAll("\\", "\\\\");
  return mark + (mark === "'" ? inner.replaceAll("'", "\\'") : inner) + mark;
}

export const patternError = (problem, allowed, next) => new PageError(problem, { allowed, next, about: "pattern" });

/**
 * The tree of a pattern: {members} (one of these characters), {parts} (one after the other), {options} (one of them) or
 * {part, low, high} (repeated; high is Infinity where there is no bound). `all` is what `.` and `[^...]` choose from.
 */
export function parse(pattern, all) {
  return new Parser(pattern, Array.from(all)).parse();
}

const MAX_RANGED = 200000; // characters that all ranges of a pattern may have together

class Parser {
  constructor(pattern, all) {
    this.pattern = pattern;
    this.chars = Array.from(pattern);
    this.all = all;
    this.at = 0;
    this.ranged = 0;
  }

  parse() {
    if (this.peek() === "^") this.at++;
    const found = this.alternatives(0);
    if (this.at < this.chars.length) throw this.error("a ')' without its '('");
    return found;
  }

  peek(ahead = 0) {
    return this.chars[this.at + ahead] ?? "";
  }

  startsWith(text) {
    return this.chars.slice(this.at, this.at + text.length).join("") === text;
  }

  error(what, at = this.at) {
    return patternError(`pattern ${quoted(this.pattern)}, character ${at + 1}: ${what}`, SUPPORTED, "correct the pattern");
  }

  alternatives(depth) {
    if (depth > 50) throw this.error("more than 50 groups inside each other");
    const options = [this.sequence(depth)];
    while (this.peek() === "|") {
      this.at++;
      options.push(this.sequence(depth));
    }
    return options.length === 1 ? options[0] : { options };
  }

  sequence(depth) {
    const parts = [];
    while (this.peek() && !"|)".includes(this.peek())) {
      if (this.peek() === "$" && ["", "|", ")"].includes(this.peek(1))) {
        this.at++;
        continue;
      }
      const part = this.atom(depth);
      const [low, high] = this.repeat();
      if (this.peek() && "*+?{".includes(this.peek())) throw this.error("a repeat of a repeat");
      parts.push(low === 1 && high === 1 ? part : { part, low, high });
    }
    return parts.length === 1 ? parts[0] : { parts };
  }

  repeat() {
    const [start, char] = [this.at, this.peek()];
    const simple = { "?": [0, 1], "*": [0, Infinity], "+": [1, Infinity] };
    if (!char || !"?*+{".includes(char)) return [1, 1];
    if (char !== "{") this.at++;
    const bounds = char === "{" ? this.counts(start) : simple[char];
    if (this.peek() === "?") this.at++; // a lazy repeat matches the same texts
    else if (this.peek() === "+") throw this.error("a possessive repeat");
    return bounds;
  }

  counts(start) {
    const stop = this.chars.indexOf("}", start);
    const [, low, comma, high] = /^(\d{0,6})(?:(,)(\d{0,6}))?$/.exec(this.chars.slice(start + 1, Math.max(stop, start)).join("")) ?? [];
    if (stop < 0 || low === undefined || !(low || high)) {
      throw this.error("a '{' that is no repeat such as {3} or {2,4}; a brace itself is \\{", start);
    }
    const least = Number(low || 0);
    const most = high ? Number(high) : comma ? Infinity : least;
    if (most < least) throw this.error(`a repeat from ${least} to ${most}`, start);
    this.at = stop + 1;
    return [least, most];
  }

  atom(depth) {
    const [start, char] = [this.at, this.peek()];
    if (char === "(") return this.group(depth);
    if (char === "[") return { members: this.set() };
    if ("*+?{".includes(char)) throw this.error("a repeat of nothing");
    if ("^$".includes(char)) throw this.error(`'${char}' inside; a sign itself is \\${char}`);
    this.at++;
    if (char === ".") return { members: this.all };
    return { members: char === "\\" ? this.escape(start) : [char] };
  }

  group(depth) {
    const start = this.at++;
    if (this.startsWith("?:")) this.at += 2;
    else if (this.peek() === "?") {
      const name = this.startsWith("?P<") ? this.chars.indexOf(">", this.at) : -1;
      if (name < 0) {
        const opening = Object.keys(LOOKING).find((key) => this.startsWith(key));
        const shown = quoted(this.chars.slice(start, start + 4).join(""));
        throw this.error(`${shown} is not supported (${LOOKING[opening] ?? "an extension"})`, start);
      }
      this.at = name + 1;
    }
    const found = this.alternatives(depth + 1);
    if (this.peek() !== ")") throw this.error("a '(' without its ')'", start);
    this.at++;
    return found;
  }

  escape(start) {
    const char = this.peek();
    this.at++;
    if (!char) throw this.error("a '\\' at the end", start);
    if (Object.hasOwn(CLASSES, char)) return Array.from(CLASSES[char]);
    if (Object.hasOwn(KNOWN, char)) return this.all.filter((one) => !KNOWN[char](one));
    if ("xuU".includes(char)) return [this.code(char, { x: 2, u: 4, U: 8 }[char], start)];
    if (/[\p{L}\p{N}]/u.test(char)) {
      const name = /[\dk]/.test(char) ? "a backreference" : (ESCAPES[char] ?? "an escape");
      throw this.error(`'\\${char}' is not supported (${name})`, start);
    }
    return [char];
  }

  code(char, length, start) {
    const digits = this.chars.slice(this.at, this.at + length).join("");
    this.at += length;
    if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < length || parseInt(digits, 16) > 0x10ffff) {
      throw this.error(`'\\${char}' without ${length} hexadecimal digits of a character`, start);
    }
    return String.fromCodePoint(parseInt(digits, 16));
  }

  set() {
    const start = this.at++;
    const negated = this.peek() === "^";
    if (negated) this.at++;
    const members = new Set();
    const begin = this.at;
    while (this.peek() !== "]" || this.at === begin) {
      if (!this.peek()) throw this.error("a '[' without its ']'", start);
      for (const member of this.range()) members.add(member);
    }
    this.at++;
    return negated ? this.all.filter((char) => !members.has(char)) : [...members];
  }

  range() {
    const here = this.at;
    const left = this.member();
    if (this.peek() !== "-" || ["]", ""].includes(this.peek(1))) return left;
    this.at++;
    const right = this.member();
    const [from, to] = [left[0]?.codePointAt(0), right[0]?.codePointAt(0)];
    if (left.length !== 1 || right.length !== 1 || to < from) {
      throw this.error(`${quoted(this.chars.slice(here, this.at).join(""))} is no range`, here);
    }
    this.ranged += to - from + 1;
    if (this.ranged > MAX_RANGED) throw this.error("ranges of more than 200,000 characters in all", here);
    return Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i));
  }

  member() {
    const [start, char] = [this.at, this.peek()];
    this.at++;
    return char === "\\" ? this.escape(start) : [char];
  }
}
