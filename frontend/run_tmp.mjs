import { readFileSync, writeFileSync } from "node:fs"
import { buildSync } from "esbuild"
buildSync({ entryPoints: ["src/gate/core/index.js"], bundle: true, format: "esm", outfile: "/tmp/w/g-trial/core.mjs" })
const core = await import("/tmp/w/g-trial/core.mjs")
const src = readFileSync("../tests/browser/core_vectors.js", "utf8")
const { statusLists } = new Function(src + "; return { statusLists }")()
console.log(await statusLists(core, JSON.parse(readFileSync("../tests/vectors/statuslist.json"))))
