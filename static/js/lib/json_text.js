/**
 * JSON as text. A value is never turned into a JavaScript number, so that every digit somebody wrote stays as it was written:
 * what is checked, taken apart and laid out here is the text itself.
 */

const MAX_LEVELS = 100; // as the server accepts
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const LITERALS = new Set(["true", "false", "null"]);
const PYTHON_OR_JAVASCRIPT = {
  True: "true",
  False: "false",
  None: "null",
  undefined: "null",
  NaN: null,
  Infinity: null,
};

/** What is wrong with a text, and where: `offset` in characters from 0, `line` and `column` from 1. */
class JsonFault extends Error {
  constructor(message, text, offset) {
    super(message);
    const before = text.slice(0, offset);
    this.offset = offset;
    this.line = before.split("\n").length;
    this.column = offset - before.lastIndexOf("\n");
  }
}

/**
 * The parts of a JSON text, in order: where each begins and ends in it. A level's names, values and signs have its number.
 * @param {string} text
 * @param {(kind: "open"|"close"|"name"|"value"|"comma"|"colon", begin: number, end: number, level: number) => void} visit
 * @throws {JsonFault}
 */
export function walk(text, visit = () => {}) {
  const end = value(skip(0), 0);
  const rest = skip(end);
  if (rest < text.length) fail("Unexpected text after the end of the value", rest);

  function fail(message, offset) {
    throw new JsonFault(message, text, Math.min(offset, text.length));
  }

  function skip(at) {
    SPACE.lastIndex = at;
    return at + SPACE.exec(text)[0].length;
  }

  function value(at, level) {
    const character = text[at];
    if (character === "{") return members(at, level);
    if (character === "[") return elements(at, level);
    const ends = character === '"' ? string(at) : scalar(at);
    visit("value", at, ends, level);
    return ends;
  }

  function scalar(at) {
    NUMBER.lastIndex = at;
    const number = NUMBER.exec(text);
    if (number) {
      const ends = at + number[0].length;
      if (/[\w.+]/.test(text[ends] ?? "")) fail("This is not a valid number in JSON", at);
      return ends;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0];
    if (word && LITERALS.has(word)) return at + word.length;
    return fail(whyNoValue(text, at, word), at);
  }

  function string(at) {
    let position = at + 1;
    for (;;) {
      const code = text.charCodeAt(position);
      if (Number.isNaN(code)) fail("This string has no closing quote", at);
      if (code === 0x22) return position + 1;
      if (code === 0x5c) {
        ESCAPE.lastIndex = position;
        const escaped = ESCAPE.exec(text);
        if (!escaped) fail('After a backslash only " \\ / b f n r t, or u and four hex digits, may follow', position);
        position += escaped[0].length;
      } else if (code < 0x20) {
        fail(
          code === 0x0a
            ? "A string cannot contain a line break: write \\n"
            : "A string cannot contain a control character: write it as \\u and four hex digits",
          position,
        );
      } else {
        position += 1;
      }
    }
  }

  function open(at, level) {
    if (level >= MAX_LEVELS) fail(`The value is nested more than ${MAX_LEVELS} levels deep`, at);
    visit("open", at, at + 1, level);
    return skip(at + 1);
  }

  function members(at, level) {
    let position = open(at, level);
    if (text[position] === "}") return close(position, level);
    for (;;) {
      if (text[position] !== '"') fail(whyNoName(text, position), position);
      const nameEnds = string(position);
      visit("name", position, nameEnds, level + 1);
      position = skip(nameEnds);
      if (text[position] !== ":") fail("A colon is missing after this name", position);
      visit("colon", position, position + 1, level + 1);
      position = next(skip(position + 1), level, "}", at);
      if (text[position] === "}") return close(position, level);
      position = comma(position, level, "}");
    }
  }

  function elements(at, level) {
    let position = open(at, level);
    if (text[position] === "]") return close(position, level);
    for (;;) {
      position = next(position, level, "]", at);
      if (text[position] === "]") return close(position, level);
      position = comma(position, level, "]");
    }
  }

  /** The value at `position`, and where the comma or the bracket behind it stands. */
  function next(position, level, bracket, opened) {
    const behind = skip(value(position, level + 1));
    if (behind >= text.length)
      fail(`This ${bracket === "}" ? "object" : "list"} is not closed: a ${bracket} is missing`, opened);
    if (text[behind] !== "," && text[behind] !== bracket) fail(`A comma or a ${bracket} is missing here`, behind);
    return behind;
  }

  function comma(at, level, bracket) {
    const behind = skip(at + 1);
    if (text[behind] === bracket) fail("Remove this comma: nothing follows it", at);
    visit("comma", at, at + 1, level + 1);
    return behind;
  }

  function close(at, level) {
    visit("close", at, at + 1, level);
    return at + 1;
  }
}

function whyNoValue(text, at, word) {
  if (at >= text.length) return "A value is missing at the end";
  if (word && Object.hasOwn(PYTHON_OR_JAVASCRIPT, word)) {
    const instead = PYTHON_OR_JAVASCRIPT[word];
    return instead ? `${word} is written ${instead} in JSON` : `JSON has no ${word}`;
  }
  if (word) return `A string needs double quotes: "${word}"`;
  if (text[at] === "'") return "A string needs double quotes, not single ones";
  if (/[.+]/.test(text[at])) return "A number begins with a digit, or with - and a digit";
  return "A value is missing here";
}

function whyNoName(text, at) {
  if (at >= text.length) return "The object is not closed: a } is missing";
  if (text[at] === "'") return "A name needs double quotes, not single ones";
  return "A name in double quotes is missing here";
}

/** What is wrong with a text as JSON: `{message, line, column, offset}`, or null when it is right. */
export function findFault(text) {
  try {
    walk(text);
    return null;
  } catch (fault) {
    if (!(fault instanceof JsonFault)) throw fault;
    const { message, line, column, offset } = fault;
    return { message, line, column, offset };
  }
}

/** The same JSON without spaces between its parts. */
export function compact(text) {
  const parts = [];
  walk(text, (_, begin, end) => parts.push(text.slice(begin, end)));
  return parts.join("");
}

/** The same JSON laid out over lines, two spaces a level; empty objects and lists stay on one. */
export function indent(text) {
  const parts = [];
  let previous = "";
  walk(text, (kind, begin, end, level) => {
    const begins = previous === "open" || previous === "comma";
    if (kind === "close" ? previous !== "open" : begins && kind !== "colon" && kind !== "comma")
      parts.push("\n", "  ".repeat(level));
    parts.push(kind === "colon" ? ": " : text.slice(begin, end));
    previous = kind;
  });
  return parts.join("");
}

/** What an object's text holds on its first level: `[[name, JSON text], ...]` in order, a name given twice with its last value. */
export function splitObject(text) {
  const found = new Map();
  let name = null;
  firstLevel(text, (kind, part) => {
    if (kind === "name") name = JSON.parse(part);
    else found.set(name, part);
  });
  return [...found];
}

/** The JSON texts of a list's elements. */
export function splitList(text) {
  const found = [];
  firstLevel(text, (_, part) => found.push(part));
  return found;
}

/** Names and values of the first level, each value as it is written. */
function firstLevel(text, take) {
  let opened = 0;
  walk(text, (kind, begin, end, level) => {
    if (level !== 1) return;
    if (kind === "open") opened = begin;
    else if (kind === "close") take("value", text.slice(opened, end));
    else if (kind === "name" || kind === "value") take(kind, text.slice(begin, end));
  });
}

/** The JSON text of an object out of `[[name, JSON text], ...]`. */
export function joinObject(entries) {
  return `{${entries.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}
