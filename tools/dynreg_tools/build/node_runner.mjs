// MicroPython's WebAssembly build as a command, as far as the tests need one:
//     node run.mjs [-X heapsize=4M] SCRIPT [ARGUMENT…]
// Its file system is in memory; a file of this machine is copied into it when it is first asked for.
// For a build without AES and MD5 of its own it brings Node.js's: js.aes_cbc(key, iv, data, encrypt)
// and js.md5(data), all in hex.

import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { readFileSync, readSync, statSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadMicroPython } from "./package/micropython.mjs";

const FOLDER = 0o40755, FILE = 0o100644;

function heapsize(text) {
  const [, number, unit] = text.match(/^heapsize=(\d+)([KM]?)$/);
  return number * { "": 1, K: 1024, M: 1048576 }[unit];
}

function mirror(FS) {
  const operations = FS.root.node_ops;
  const { lookup } = operations;
  operations.lookup = (parent, name) => {
    const path = `${FS.getPath(parent).replace(/\/$/, "")}/${name}`;
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return lookup(parent, name); // which raises ENOENT
    const node = operations.mknod(parent, name, found.isDirectory() ? FOLDER : FILE, 0);
    if (found.isFile()) {
      node.contents = new Uint8Array(readFileSync(path));
      node.usedBytes = node.contents.length;
    }
    return node;
  };
}

// A pipe of Node.js's may not block: an empty one is asked again after some milliseconds.
function stdin() {
  const byte = new Uint8Array(1), nothing = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      return readSync(0, byte) ? byte[0] : null;
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(nothing, 0, 0, 5);
    }
  }
}

globalThis.aes_cbc = (key, iv, data, encrypt) => {
  const [k, v, d] = [key, iv, data].map((hex) => Buffer.from(hex, "hex"));
  const name = `aes-${k.length * 8}-cbc`;
  const cipher = encrypt ? createCipheriv(name, k, v) : createDecipheriv(name, k, v);
  return Buffer.concat([cipher.setAutoPadding(false).update(d), cipher.final()]).toString("hex");
};

globalThis.md5 = (data) => createHash("md5").update(Buffer.from(data, "hex")).digest("hex");

const given = process.argv.slice(2);
const heap = given[0] === "-X" ? heapsize(given.splice(0, 2)[1]) : 1048576;
const micropython = await loadMicroPython({
  url: resolve(dirname(fileURLToPath(import.meta.url)), "package/micropython.wasm"),
  heapsize: heap,
  linebuffer: false,
  stdin,
  stdout: (bytes) => writeSync(1, bytes),
  stderr: (bytes) => writeSync(2, bytes),
});
mirror(micropython.FS);
const script = resolve(given[0]);
micropython.globals.set("__file__", script);
micropython.globals.set("_argv", JSON.stringify([script, ...given.slice(1)]));
try {
  micropython.runPython(`
import sys, json
sys.argv[:] = json.loads(_argv)
sys.path.insert(0, __file__.rsplit("/", 1)[0])
with open(__file__) as file:
    _source = file.read()
exec(compile(_source, __file__, "exec"))
`);
} catch (error) {
  const exit = /SystemExit: ?(\d*)/.exec(error.message);
  if (!exit) writeSync(2, `${error.message}\n`);
  process.exitCode = exit ? Number(exit[1] || 0) : 1;
}
