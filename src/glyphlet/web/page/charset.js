import { characters } from "./metadata.js";

/** The characters of a charset as classes, and the normal form that texts are put into before they meet it. */
export class Charset {
  constructor({ charset }) {
    this.options = charset;
    this.characters = characters({ charset });
    this.labels = new Map(this.characters.map((char, i) => [char, i + 1]));
  }

  normalise(text) {
    let found = text.normalize("NFC");
    if (this.options.half_width) found = Array.from(found, half).join("");
    if (this.options.case === "lower") found = found.toLowerCase().normalize("NFC");
    if (this.options.case === "upper") found = found.toUpperCase().normalize("NFC");
    return found;
  }

  /** The class of a character; undefined where the model cannot write it. */
  label(char) {
    return this.labels.get(this.normalise(char));
  }
}

function half(char) {
  const code = char.codePointAt(0);
  if (code === 0x3000) return " ";
  return code >= 0xff01 && code <= 0xff5e ? String.fromCodePoint(code - 0xfee0) : char;
}
