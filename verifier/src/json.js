// Strict JSON (RFC 8259): what two readers might take differently is refused. `JSON.parse` is never used on evidence: it takes
// a field twice and rounds numbers. Objects become Maps, so that no name means anything to the language.

/** What is wrong with a file. */
export class Refused extends Error {}

const MAX_DEPTH = 32;
const BLANKS = new Set([' ', '\t', '\n', '\r']);
const ESCAPES = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const LITERALS = [['true', true], ['false', false], ['null', null]];

/**
 * The value of a JSON text: Map, Array, string, number (a safe integer), boolean or null.
 * @param {Uint8Array} bytes
 */
export function parse(bytes) {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refused('it is not UTF-8');
  }
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.blanks();
  if (reader.at < text.length) throw new Refused(`more after the end, at character ${reader.at}`);
  return value;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  blanks() {
    while (BLANKS.has(this.text[this.at])) this.at += 1;
  }

  fail(what) {
    throw new Refused(`${what} at character ${this.at}`);
  }

  take(character) {
    if (this.text[this.at] !== character) this.fail(`no ${character}`);
    this.at += 1;
  }

  value(depth) {
    this.blanks();
    const first = this.text[this.at];
    if (first === '{' || first === '[') {
      if (depth === MAX_DEPTH) this.fail(`deeper than ${MAX_DEPTH} levels`);
      return first === '{' ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (first === '"') return this.string();
    for (const [word, value] of LITERALS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  object(depth) {
    const fields = new Map();
    this.take('{');
    this.blanks();
    if (this.text[this.at] === '}') {
      this.at += 1;
      return fields;
    }
    for (;;) {
      this.blanks();
      const name = this.string();
      this.blanks();
      this.take(':');
      const value = this.value(depth);
      if (fields.has(name)) this.fail('a field twice');
      fields.set(name, value);
      this.blanks();
      if (this.text[this.at] !== ',') break;
      this.at += 1;
    }
    this.take('}');
    return fields;
  }

  array(depth) {
    const items = [];
    this.take('[');
    this.blanks();
    if (this.text[this.at] === ']') {
      this.at += 1;
      return items;
    }
    for (;;) {
      items.push(this.value(depth));
      this.blanks();
      if (this.text[this.at] !== ',') break;
      this.at += 1;
    }
    this.take(']');
    return items;
  }

  number() {
    const token = /^[-+.eE0-9]*/.exec(this.text.slice(this.at, this.at + 32))[0];
    if (!/^(0|-?[1-9][0-9]*)$/.test(token)) this.fail('no plain integer');
    const value = Number(token);
    if (!Number.isSafeInteger(value)) this.fail('an integer beyond 2^53 - 1');
    this.at += token.length;
    return value;
  }

  string() {
    this.take('"');
    let text = '';
    for (;;) {
      const from = this.at;
      while (this.at < this.text.length && this.text[this.at] !== '"' && this.text[this.at] !== '\\') {
        if (this.text.charCodeAt(this.at) < 0x20) this.fail('a control character');
        this.at += 1;
      }
      text += this.text.slice(from, this.at);
      if (this.at >= this.text.length) this.fail('no end of a string');
      if (this.text[this.at] === '"') break;
      text += this.escape();
    }
    this.at += 1;
    if (/\p{Surrogate}/u.test(text)) this.fail('a lone surrogate');
    return text;
  }

  escape() {
    this.at += 1;
    const kind = this.text[this.at];
    this.at += 1;
    if (kind === 'u') {
      const digits = this.text.slice(this.at, this.at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('no four hex digits');
      this.at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    if (!Object.hasOwn(ESCAPES, kind ?? '')) this.fail('an unknown escape');
    return ESCAPES[kind];
  }
}
