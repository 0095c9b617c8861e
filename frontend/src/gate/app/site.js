// What this gate says to the site: signed by its own key, over method, path, time and the digest of the body.
import { concat, sha256, toBase64Url, toHex, utf8 } from "../core/index.js"
import { sign } from "./log.js"

const PAIRING = "zhengka-reading/1pair"
const P256 = { name: "ECDSA", namedCurve: "P-256" }
export const API = "/api/v1/gate/"
export const SHUT = ["gate-shut-out", "gate-signature-wrong"] // how the site says no to a gate itself

// Why the site said no: the code of its problem+json; `offline` where nothing came back.
export class No extends Error {
  constructor(code, told = {}) {
    super(code)
    Object.assign(this, { code, told })
  }
}

async function reached(url, options, missing = false) {
  let answer
  try {
    answer = await fetch(url, { ...options, cache: "no-cache", credentials: "omit" })
  } catch {
    throw new No("offline")
  }
  if (answer.ok || (missing && answer.status === 404)) return answer
  const problem = answer.headers.get("Content-Type")?.startsWith("application/problem+json") ? await answer.json() : {}
  throw new No(problem.code ?? (answer.status >= 500 ? "offline" : "not-understood"), problem)
}

const stamp = (at) => `${new Date(at).toISOString().slice(0, 19)}Z`

// `offset`: how far the site's clock is before this device's, in milliseconds, when they last met.
export async function ask(gate, method, path, body = null, missing = false) {
  const bytes = body === null ? new Uint8Array() : body instanceof Uint8Array ? body : utf8(JSON.stringify(body))
  const time = stamp(Date.now() + (gate.offset ?? 0))
  const spelled = utf8([method, path, time, toHex(await sha256(bytes))].join("\n"))
  const headers = {
    "X-Zhengka-Gate": String(gate.id), "X-Zhengka-Time": time,
    "X-Zhengka-Signature": toBase64Url(await sign(gate.key.privateKey, spelled)),
    ...(body === null ? {} : { "Content-Type": body instanceof Uint8Array ? "text/plain" : "application/json" }),
  }
  return reached(path, { method, headers, ...(body === null ? {} : { body: bytes }) }, missing)
}

export const askJson = async (...args) => (await ask(...args)).json()

export const textOf = async (url) => (await reached(url, {})).text()

// The bytes of a file, null where there is none.
export async function fileAsGate(gate, path) {
  const answer = await ask(gate, "GET", path, null, true)
  return answer.status === 404 ? null : new Uint8Array(await answer.arrayBuffer())
}

// A key that cannot be taken out of this browser, made known to the site by the code that somebody typed in here.
export async function pair(code) {
  const key = await crypto.subtle.generateKey(P256, false, ["sign"])
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", key.publicKey))
  const signature = await sign(key.privateKey, concat(utf8(PAIRING + code), Uint8Array.of(0), utf8(location.origin)))
  const told = { code, point: toHex(point), signature: toBase64Url(signature), request_id: crypto.randomUUID() }
  const answer = await reached(`${API}pair`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(told) })
  const known = await answer.json()
  const keyId = (await sha256(point)).slice(0, 8)
  return { id: known.gate, name: known.name, at: known.place, key, point, keyId, offset: Date.parse(known.now) - Date.now() }
}
