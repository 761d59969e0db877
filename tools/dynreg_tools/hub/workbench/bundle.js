// Which file is to be offered: a bundle, which says its version, or a firmware image.

const IMAGE = 0xe9; // the first byte of an image for an ESP32
const HEAD = 4096; // bytes, more than a bundle's first line has
const MOST_BYTES = 16 * 1024 * 1024;

/** The version in a bundle, null for a firmware image; an Error for any other file. */
export async function version(file) {
  if (file.size > MOST_BYTES) throw new Error("The file is larger than the 16 MB of the hub.");
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  if (head[0] === IMAGE) return null;
  try {
    const first = JSON.parse(new TextDecoder().decode(head).split("\n", 1)[0]);
    if (first.dynreg === 1 && /^[!-~]{1,32}$/.test(first.version)) return first.version;
  } catch {
    // said below
  }
  throw new Error("This is no bundle and no firmware image: make one with 'dynreg bundle'.");
}
