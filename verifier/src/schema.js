// Reads JSON and makes canonical bytes by the schema of docs/FORMAT.md itself (sections 2 and 8). A value in memory is what its JSON
// shows: structs are objects, lists arrays, fixed bytes lower-case hex, a variant its name or an object with that name.

import { Refused } from './json.js';
import text from './schema-text.js';

const U = (bits) => ({ bits, min: 0n, max: (1n << BigInt(bits)) - 1n });
const I = (bits) => ({ bits, min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n });
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const INTEGERS = {
  u8: U(8), u16: U(16), u32: U(32), u64: U(64), i16: I(16), i32: I(32), i64: I(64),
  Height: { ...U(64), max: SAFE }, View: { ...U(64), max: SAFE }, Index: { ...U(64), max: SAFE },
  Millis: { ...U(64), max: SAFE }, Timestamp: { ...U(64), max: SAFE },
  Fen: { bits: 64, min: -SAFE, max: SAFE },
  Rate: U(32), Bp: { ...U(16), max: 10_000n }, Date: I(32), Code: U(16), ValidatorIndex: U(16),
};
const FIXED = {
  Hash: 32, RecordId: 32, SubmissionId: 32, Commitment: 32, Subject: 32, Salt: 32, Digest256: 32, PublicKey: 32,
  Signature: 64, FlowId: 16, IdempotencyKey: 16,
};
const ALIASES = {
  MerklePath: 'List<Hash, 64>', ChainName: 'Text<64>', Directory: 'List<NodeEntry, 256>', ValidatorSet: 'List<Validator, 128>',
};
const HEX_BYTES = 1_024;
// Control characters, and those that turn or hide text.
const DECEPTIVE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

const encoder = new TextEncoder();
export const utf8 = (string) => encoder.encode(string);

export function hex(bytes) {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out;
}

export function unhex(string) {
  const bytes = new Uint8Array(string.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(string.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

// ---------------------------------------------------------------- the schema

/** Definitions by name: `{ struct: [[field, type]] }` or `{ variants: Map(name, { number, holds }) }`. */
const DEFINITIONS = new Map();
const BOUNDS = new Map();
readSchema();

function readSchema() {
  const [definitions, bounds] = text.split('\nBounds\n');
  for (const line of bounds.trim().split('\n')) {
    const [name, value] = line.trim().split(' = ');
    BOUNDS.set(name, value);
  }
  for (const block of definitions.trim().split('\n\n')) {
    const [head, ...lines] = block.split('\n');
    const name = /^(\w+) =/.exec(head)[1];
    if (head.endsWith('{')) {
      const fields = lines.slice(0, -1).map((line) => field(line.trim()));
      DEFINITIONS.set(name, { struct: fields });
    } else {
      const variants = new Map();
      for (const line of lines) {
        const [, number, variant, holds] = /^ *(\d+) (\S+) ?(.*)$/.exec(line);
        variants.set(variant, { number: Number(number), holds: holds ? type(holds) : null });
      }
      DEFINITIONS.set(name, { variants });
    }
  }
}

function field(line) {
  const at = line.indexOf(': ');
  return [line.slice(0, at), type(line.slice(at + 2))];
}

/** A type in words, as a tree. */
function type(words) {
  const generic = /^(Option|List|Text|Base64)<(.*)>$/.exec(words);
  if (generic) {
    const [first, bound] = parted(generic[2]);
    switch (generic[1]) {
      case 'Option': return { kind: 'option', of: type(first) };
      case 'List': return { kind: 'list', of: type(first), bound };
      case 'Text': return { kind: 'text', bound: first };
      default: return { kind: 'base64', of: type(first) };
    }
  }
  const array = /^\[(.*); (\d+)\]$/.exec(words);
  if (array) return { kind: 'array', of: type(array[1]), length: Number(array[2]) };
  const inline = /^\{ (.*) \}$/.exec(words);
  if (inline) return { kind: 'struct', struct: pieces(inline[1]).map(field) };
  if (!/^\w+$/.test(words)) throw new Error(`the schema has a type that is not understood: ${words}`);
  return { kind: 'name', name: words };
}

/** `T, N` at the last comma outside of brackets. */
function parted(words) {
  const items = pieces(words);
  return [items[0], items[1]];
}

function pieces(words) {
  const items = [''];
  let depth = 0;
  for (const character of words) {
    if ('<{['.includes(character)) depth += 1;
    if ('>}]'.includes(character)) depth -= 1;
    if (character === ',' && depth === 0) items.push('');
    else items[items.length - 1] += character;
  }
  return items.map((item) => item.trim());
}

function bound(words) {
  const plain = words.replaceAll('_', '');
  if (/^\d+$/.test(plain)) return Number(plain);
  if (/^\d+ \* \d+$/.test(plain)) return plain.split(' * ').reduce((a, b) => a * Number(b), 1);
  if (words.includes(' + ')) return words.split(' + ').reduce((sum, one) => sum + bound(one), 0);
  return bound(BOUNDS.get(words));
}

// ---------------------------------------------------------------- from JSON

/** The value of a type that a JSON value shows; refused if it is not spelled as the format has it. */
export function read(name, json) {
  return readType(type(name), json, name);
}

function refuse(path, what) {
  throw new Refused(`${path}: ${what}`);
}

function readType(wanted, json, path) {
  switch (wanted.kind) {
    case 'option': return json === null ? null : readType(wanted.of, json, path);
    case 'list': return readList(wanted, json, path, bound(wanted.bound));
    case 'array': {
      if (!Array.isArray(json) || json.length !== wanted.length) refuse(path, `no list of ${wanted.length}`);
      return json.map((item, at) => readType(wanted.of, item, `${path}.${at}`));
    }
    case 'text': return readText(json, path, bound(wanted.bound));
    case 'base64': return readBase64(wanted.of, json, path);
    case 'struct': return readStruct(wanted.struct, json, path);
    default: return readNamed(wanted.name, json, path);
  }
}

function readNamed(name, json, path) {
  if (name === 'bool') {
    if (typeof json !== 'boolean') refuse(path, 'not true or false');
    return json;
  }
  if (Object.hasOwn(INTEGERS, name)) {
    const { min, max } = INTEGERS[name];
    if (typeof json !== 'number' || BigInt(json) < min || BigInt(json) > max) refuse(path, `no ${name}`);
    return json;
  }
  if (Object.hasOwn(FIXED, name)) {
    if (typeof json !== 'string' || json.length !== 2 * FIXED[name] || !/^[0-9a-f]*$/.test(json)) refuse(path, `no ${name} in hex`);
    return json;
  }
  if (Object.hasOwn(ALIASES, name)) {
    const value = readType(type(ALIASES[name]), json, path);
    if (name === 'ValidatorSet') checkSet(value, path);
    return value;
  }
  if (name === 'InstitutionId') return checked(json, path, isInstitution, 'no code of an institution');
  if (name === 'Currency') return checked(json, path, (code) => /^[A-Z]{3}$/.test(code), 'no currency');
  if (name === 'Address') return checked(json, path, isAddress, 'no address');
  if (name === 'HexBytes') {
    return checked(json, path, (value) => /^([0-9a-f]{2})*$/.test(value) && value.length <= 2 * HEX_BYTES, 'no bytes in hex');
  }
  const definition = DEFINITIONS.get(name);
  if (!definition) throw new Error(`the schema has no ${name}`);
  return definition.struct ? readStruct(definition.struct, json, path) : readVariant(definition.variants, json, path);
}

function checked(json, path, holds, what) {
  if (typeof json !== 'string' || !holds(json)) refuse(path, what);
  return json;
}

function readList(wanted, json, path, max) {
  if (!Array.isArray(json)) refuse(path, 'no list');
  if (json.length > max) refuse(path, `longer than ${max}`);
  return json.map((item, at) => readType(wanted.of, item, `${path}.${at}`));
}

function readText(json, path, max) {
  const holds = (value) => utf8(value).length <= max && value.normalize('NFC') === value && !DECEPTIVE.test(value);
  return checked(json, path, holds, `no text of at most ${max} bytes in NFC without control characters`);
}

function readStruct(fields, json, path) {
  if (!(json instanceof Map)) refuse(path, 'no object');
  const value = {};
  for (const [name, wanted] of fields) {
    if (!json.has(name)) refuse(path, `no field ${name}`);
    value[name] = readType(wanted, json.get(name), `${path}.${name}`);
  }
  if (json.size !== fields.length) refuse(path, 'an unknown field');
  return value;
}

function readVariant(variants, json, path) {
  if (typeof json === 'string') {
    const variant = variants.get(json);
    if (!variant || variant.holds) refuse(path, 'no such variant');
    return json;
  }
  if (!(json instanceof Map) || json.size !== 1) refuse(path, 'no variant');
  const [[name, held]] = json;
  const variant = variants.get(name);
  if (!variant || !variant.holds) refuse(path, 'no such variant');
  return { [name]: readType(variant.holds, held, `${path}.${name}`) };
}

/** Bytes in base64: one item, or the items of a list one after another. */
function readBase64(of, json, path) {
  const one = of.kind === 'name' && Object.hasOwn(FIXED, of.name);
  const list = one ? null : of.kind === 'list' ? of : type(ALIASES[of.name]);
  const length = FIXED[one ? of.name : list.of.name];
  const bytes = fromBase64(json, path);
  if (one) {
    if (bytes.length !== length) refuse(path, `not ${length} bytes`);
    return hex(bytes);
  }
  if (bytes.length % length !== 0 || bytes.length / length > bound(list.bound)) refuse(path, 'too many bytes, or a part of an item');
  const items = [];
  for (let at = 0; at < bytes.length; at += length) items.push(hex(bytes.subarray(at, at + length)));
  return items;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...BASE64].map((character, value) => [character, value]));

/** RFC 4648, section 4, with padding, and no bits left over. */
function fromBase64(json, path) {
  if (typeof json !== 'string' || json.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(json)) refuse(path, 'no base64');
  const digits = json.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 6) / 8));
  let [bits, held, at] = [0, 0, 0];
  for (const digit of digits) {
    bits = (bits << 6) | VALUES.get(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at] = bits >> held;
      at += 1;
      bits &= (1 << held) - 1;
    }
  }
  if (bits !== 0 || digits.length % 4 === 1) refuse(path, 'bits left over in base64');
  return bytes;
}

const CREDIT_CODE = '0123456789ABCDEFGHJKLMNPQRTUWXY';

/** A unified social credit code (GB 32100-2015) or an LEI (ISO 17442). */
function isInstitution(code) {
  if (/^[0-9A-Z]{20}$/.test(code)) {
    let rest = 0;
    for (const character of code) {
      const value = Number.parseInt(character, 36);
      rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
    }
    return rest === 1;
  }
  if (code.length !== 18) return false;
  let [sum, weight] = [0, 1];
  for (let at = 0; at < 18; at += 1) {
    const value = CREDIT_CODE.indexOf(code[at]);
    if (value < 0) return false;
    sum += at < 17 ? value * weight : value;
    weight = (weight * 3) % 31;
  }
  return sum % 31 === 0;
}

const ADDRESS = /^\/(ip[46])\/([0-9a-f:.]+)\/tcp\/([1-9][0-9]{0,4})$/;

/** `/ip4/A/tcp/P` or `/ip6/A/tcp/P` in the one spelling, where something can be reached. */
function isAddress(text) {
  const [, family, address, port] = ADDRESS.exec(text) ?? [];
  if (!family || Number(port) > 65_535) return false;
  if (family === 'ip4') {
    const parts = v4(address);
    return parts !== null && parts.some((part) => part !== 0) && (parts[0] < 224 || parts[0] > 239);
  }
  const groups = v6(address);
  return groups !== null && spelled(groups) === address && groups.some((group) => group !== 0) && groups[0] >> 8 !== 0xff;
}

function v4(text) {
  const parts = text.split('.');
  const holds = parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256);
  return holds ? parts.map(Number) : null;
}

function v6(text) {
  const last = text.slice(text.lastIndexOf(':') + 1);
  const mapped = last.includes('.') ? v4(last) : [];
  if (mapped === null) return null;
  const tail = mapped.length === 4 ? [mapped[0] * 256 + mapped[1], mapped[2] * 256 + mapped[3]] : [];
  const body = tail.length > 0 ? text.slice(0, text.lastIndexOf(':') + 1).replace(/([^:]):$/, '$1') : text;
  const halves = body.split('::');
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (!groups.flat().every((group) => /^[0-9a-f]{1,4}$/.test(group))) return null;
  const numbers = groups.map((half) => half.map((group) => Number.parseInt(group, 16)));
  const missing = 8 - tail.length - numbers.flat().length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return halves.length === 2 ? [...numbers[0], ...Array(missing).fill(0), ...numbers[1], ...tail] : [...numbers[0], ...tail];
}

/** The shortest form (RFC 5952): the first longest run of two or more zero groups as `::`. */
function spelled(groups) {
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${groups.slice(6).flatMap((group) => [group >> 8, group & 255]).join('.')}`;
  }
  let [best, length] = [-1, 1];
  for (let from = 0; from < 8; from += 1) {
    let end = from;
    while (groups[end] === 0) end += 1;
    if (end - from > length) [best, length] = [from, end - from];
  }
  const text = (part) => part.map((group) => group.toString(16)).join(':');
  return best < 0 ? text(groups) : `${text(groups.slice(0, best))}::${text(groups.slice(best + length))}`;
}

function checkSet(set, path) {
  if (set.length < 4) refuse(path, 'fewer than four validators');
  for (const part of ['key', 'institution']) {
    if (new Set(set.map((one) => one[part])).size !== set.length) refuse(path, `one ${part} twice`);
  }
}

// ---------------------------------------------------------------- to canonical bytes

/** The canonical bytes of a value. */
export function encode(name, value) {
  const parts = [];
  encodeType(type(name), value, parts);
  return concat(parts);
}

export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function integer(value, bits) {
  const bytes = new Uint8Array(bits / 8);
  let rest = BigInt.asUintN(bits, BigInt(value));
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

function encodeType(of, value, parts) {
  switch (of.kind) {
    case 'option':
      parts.push(integer(value === null ? 0 : 1, 8));
      if (value !== null) encodeType(of.of, value, parts);
      break;
    case 'list':
      parts.push(integer(value.length, 64));
      for (const item of value) encodeType(of.of, item, parts);
      break;
    case 'array':
      for (const item of value) encodeType(of.of, item, parts);
      break;
    case 'text': encodeText(value, parts); break;
    case 'struct':
      for (const [name, wanted] of of.struct) encodeType(wanted, value[name], parts);
      break;
    case 'name': encodeNamed(of.name, value, parts); break;
    default: throw new Error('base64 has no canonical bytes');
  }
}

function encodeText(value, parts) {
  const bytes = utf8(value);
  parts.push(integer(bytes.length, 64), bytes);
}

function encodeNamed(name, value, parts) {
  if (name === 'bool') parts.push(integer(value ? 1 : 0, 8));
  else if (Object.hasOwn(INTEGERS, name)) parts.push(integer(value, INTEGERS[name].bits));
  else if (Object.hasOwn(FIXED, name)) parts.push(unhex(value));
  else if (Object.hasOwn(ALIASES, name)) encodeType(type(ALIASES[name]), value, parts);
  else if (name === 'InstitutionId' || name === 'Currency' || name === 'Address') encodeText(value, parts);
  else {
    const { struct, variants } = DEFINITIONS.get(name);
    if (struct) {
      for (const [field, wanted] of struct) encodeType(wanted, value[field], parts);
      return;
    }
    const variant = typeof value === 'string' ? value : Object.keys(value)[0];
    const { number, holds } = variants.get(variant);
    parts.push(integer(number, 32));
    if (holds) encodeType(holds, value[variant], parts);
  }
}

/** The names of the variants of an enum. */
export const variantsOf = (name) => new Set(DEFINITIONS.get(name).variants.keys());

/** The fields of a struct with their types, and of an enum what each variant holds. */
export const definitionOf = (name) => DEFINITIONS.get(name);
