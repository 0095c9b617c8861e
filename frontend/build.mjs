// Builds the styles and scripts of the pages into the package, and writes down from which sources they came.
// Usage: npm ci && npm run build. `frontend/check` (Python) tells later, without Node, whether this was forgotten.
import { createHash } from "node:crypto"
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { compile } from "sass"

const HERE = dirname(fileURLToPath(import.meta.url))
const ROOT = dirname(HERE)
const OUT = join(ROOT, "src/zhengka/web/ui/static/ui")
const AXE = join(ROOT, "tests/browser/vendor")
const MODULES = join(HERE, "node_modules")
const GATE = join(OUT, "gate")
const SHIPPED = ["govuk-frontend", "htmx.org", "idb", "qrcode-generator", "sm-crypto-v2", "@noble/curves", "@noble/hashes", "@noble/ciphers",
  "zxing-wasm"]

const digest = (path) => createHash("sha256").update(readFileSync(path)).digest("hex")
const digests = (paths) => Object.fromEntries(paths.map((path) => [relative(ROOT, path), digest(path)]).sort())
const walk = (folder) => readdirSync(folder, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))

function licence(name) {
  const folder = join(MODULES, name)
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const own = readdirSync(folder).find((each) => /^licen[cs]e(\.|_|$)/i.test(each))
  const text = own ? join(folder, own) : join(HERE, "src/licences", `${name.replace("/", "-")}.txt`) // a package that ships none
  return `${about.name} ${about.version} (${about.license})\n\n${readFileSync(text, "utf8").trim()}\n`
}

rmSync(GATE, { recursive: true, force: true })
mkdirSync(GATE, { recursive: true })
mkdirSync(AXE, { recursive: true })

for (const [sheet, folder] of [["app", OUT], ["gate", GATE]]) {
  const css = compile(join(HERE, `src/styles/${sheet}.scss`), { loadPaths: [MODULES], style: "compressed", quietDeps: true })
  writeFileSync(join(folder, `${sheet}.css`), css.css + "\n")
}

await build({
  entryPoints: [join(HERE, "src/scripts/app.js"), join(HERE, "src/scripts/public.js")],
  bundle: true, minify: true, format: "esm", target: "es2022", outdir: OUT, legalComments: "none",
})

// The gate app: its page's script, the verdict core for other programs, and the worker that keeps both on the device.
const shape = { bundle: true, minify: true, target: "es2022", outdir: GATE, legalComments: "none" }
await build({
  ...shape, format: "esm", splitting: true, chunkNames: "part-[hash]",
  entryPoints: { gate: join(HERE, "src/gate/app/gate.js"), core: join(HERE, "src/gate/core/index.js") },
})
await build({ ...shape, format: "iife", entryPoints: [join(HERE, "src/gate/worker.js")] })
copyFileSync(join(MODULES, "zxing-wasm/dist/reader/zxing_reader.wasm"), join(GATE, "zxing_reader.wasm"))
for (const icon of readdirSync(join(HERE, "src/gate/icons"))) copyFileSync(join(HERE, "src/gate/icons", icon), join(GATE, icon))

writeFileSync(join(OUT, "LICENSES.txt"), "Parts of the files in this folder come from:\n\n" + SHIPPED.map(licence).join("\n" + "-".repeat(80) + "\n\n"))
writeFileSync(join(AXE, "axe.min.js"), readFileSync(join(MODULES, "axe-core/axe.min.js")))
writeFileSync(join(AXE, "LICENSE-axe-core.txt"), licence("axe-core"))

const sources = [...walk(join(HERE, "src")), ...["build.mjs", "package.json", "package-lock.json"].map((name) => join(HERE, name))]
const outputs = [...["app.css", "app.js", "public.js", "LICENSES.txt"].map((name) => join(OUT, name)), ...walk(GATE),
  ...["axe.min.js", "LICENSE-axe-core.txt"].map((name) => join(AXE, name))]
writeFileSync(join(OUT, "manifest.json"), JSON.stringify({ sources: digests(sources), outputs: digests(outputs) }, null, 1) + "\n")
console.log(outputs.map((path) => `${relative(ROOT, path)}  ${readFileSync(path).length} bytes`).join("\n"))
