/** Packs files into a tar without reading them: what is read is read while it is sent. */

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const SIZE_MAX = 0o77777777777;
const encoder = new TextEncoder();

/**
 * A tar of these files, as `tarfile` and `tar` read it; names that its heads have no room for, or that are not ASCII, stand in
 * a PAX head before.
 * @param {{path: string, file: Blob}[]} files
 * @returns {Blob}
 */
export function packTar(files) {
  const parts = [];
  for (const { path, file } of files) {
    const name = encoder.encode(path);
    if (name.length > NAME_BYTES || name.length !== path.length) parts.push(...paxHead(path));
    parts.push(head(name.slice(0, NAME_BYTES), file.size, "0"), file, padding(file.size));
  }
  parts.push(new Uint8Array(2 * BLOCK_BYTES));
  return new Blob(parts, { type: "application/x-tar" });
}

/** A head for the next file, with its name: lines of "LENGTH path=NAME", whose length counts itself. */
function paxHead(path) {
  const rest = encoder.encode(` path=${path}\n`).length;
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  const line = encoder.encode(`${length} path=${path}\n`);
  return [head(encoder.encode("pax"), line.length, "x"), line, padding(line.length)];
}

function head(name, size, type) {
  if (size > SIZE_MAX) throw new RangeError("A tar holds no file of 8 GB");
  const block = new Uint8Array(BLOCK_BYTES);
  const write = (text, at) => block.set(typeof text === "string" ? encoder.encode(text) : text, at);
  write(name, 0);
  write("0000644\0", 100);
  write("0000000\0", 108);
  write("0000000\0", 116);
  write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  write("00000000000\0", 136);
  write("        ", 148);
  write(type, 156);
  write("ustar\0", 257);
  write("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padding(size) {
  return new Uint8Array((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}
