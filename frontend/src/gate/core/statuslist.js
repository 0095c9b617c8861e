// Signed lists of one small number for each card: its status, or whether a claim holds; and what changed from one version
// to the next. Mirrors zhengka/formats/statuslist.py and statusdelta.py. Times are milliseconds.
import { Refused, concat, same, sha256, toHex, utf8 } from "./bytes.js"
import { decode } from "./gaps.js"
import { SUITE_OF_PROFILE, checkSignature, sigStructure } from "./issuers.js"

export const [VALID, REVOKED, SUSPENDED, INACTIVE] = [0, 1, 2, 3]
const ORDER = [REVOKED, SUSPENDED, INACTIVE]
const SAME = 4
const [HEADER, DELTA_HEADER, KEY_ID, SIGNATURE] = [42, 114, 8, 64]
const TAIL = KEY_ID + SIGNATURE
const LAST_SECOND = Date.UTC(2199, 11, 31) / 1000
const LIST_SIZE = 2 ** 20

const kind = (magic, deltaMagic, contentType) => ({ magic, deltaMagic, contentType, deltaContentType: contentType.replace("-list", "-delta") })
export const STATUS_LIST = kind("ZKSL", "ZKSD", "application/vnd.zhengka.status-list")

export function claimList(name) {
  if (!/^[a-z0-9][a-z0-9.-]{0,63}$/.test(name)) throw new Refused("list-value")
  return kind("ZKCL", "ZKCD", `application/vnd.zhengka.claim-list;claim=${name}`)
}

// Number, version, times and capacity of a file, in this order but for what stands between (`gap` bytes, of a delta).
function read(data, magic, formats, fixed) {
  const found = String.fromCharCode(...data.subarray(0, 4))
  if (found !== magic || !formats.includes(data[4])) throw new Refused("list-format")
  if (data.length < fixed + TAIL) throw new Refused("list-truncated")
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const delta = fixed === DELTA_HEADER ? 8 : 0
  if (data.length !== fixed + view.getUint32(38 + delta) + TAIL) throw new Refused("list-truncated")
  const suite = SUITE_OF_PROFILE[data[5]]
  const [number, issued, update, capacity] = [view.getUint32(6), view.getBigUint64(18 + delta), view.getBigUint64(26 + delta), view.getUint32(34 + delta)]
  const [before, version] = [view.getBigUint64(10), view.getBigUint64(10 + delta)]
  if (delta && before >= version) throw new Refused("list-value")
  if (!delta && !suite) throw new Refused("list-format")
  if (issued > LAST_SECOND || update > LAST_SECOND || issued > update || !capacity || capacity > LIST_SIZE) throw new Refused("list-value")
  if (!suite) throw new Refused("list-format")
  return { number, version: Number(version), before: Number(before), issuedAt: Number(issued) * 1000, update, capacity, suite }
}

async function checked(data, contentType, suite, keys, at) {
  const [content, keyId] = [data.subarray(0, -TAIL), data.subarray(data.length - TAIL, data.length - SIGNATURE)]
  const key = keys.trusted(toHex(keyId), suite, "status", at)
  await checkSignature(key, sigStructure(suite, keyId, contentType, content), data.subarray(-SIGNATURE))
}

// Exactly `size` bytes out of a raw deflate stream, never more in memory.
async function inflated(body, size) {
  const out = new Uint8Array(size)
  let at = 0
  try {
    const reader = new Blob([body]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader()
    for (let part; !(part = await reader.read()).done; at += part.value.length) {
      if (at + part.value.length > size) {
        await reader.cancel()
        throw new Refused("list-truncated")
      }
      out.set(part.value, at)
    }
  } catch {
    throw new Refused("list-truncated")
  }
  if (at !== size) throw new Refused("list-truncated")
  return out
}

function packed(cells) {
  const bits = new Uint8Array((cells.length + 3) >> 2)
  cells.forEach((each, at) => { bits[at >> 2] |= each << 2 * (at & 3) })
  return bits
}

// By which one list is told from another, however it came.
async function digestOf(header, bits, listKind) {
  const told = new DataView(new ArrayBuffer(32))
  told.setUint32(0, header.number)
  told.setBigUint64(4, BigInt(header.version))
  told.setBigUint64(12, BigInt(header.issuedAt / 1000))
  told.setBigUint64(20, header.update)
  told.setUint32(28, header.capacity)
  return sha256(concat(utf8(listKind.contentType), Uint8Array.of(0), new Uint8Array(told.buffer), bits))
}

export class StatusList {
  constructor(header, bits, digest, listKind) {
    const { number, version, issuedAt, capacity, update } = header
    Object.assign(this, { number, version, issuedAt, capacity, update, bits, digest, kind: listKind })
  }

  age(at) {
    return at - this.issuedAt
  }

  status(index) {
    if (index < 0 || index >= this.capacity) throw new Refused("list-index")
    return this.bits[index >> 2] >> 2 * (index & 3) & 3
  }
}

// Checks a list whole, once. `known`: the newest list of this number seen before.
export async function parse(data, { keys, at, known = null, kind: listKind = STATUS_LIST }) {
  const header = read(data, listKind.magic, [1, 2], HEADER)
  await checked(data, listKind.contentType, header.suite, keys, at)
  const body = data.subarray(HEADER, -TAIL)
  const bits = data[4] === 1 ? await inflated(body, (header.capacity + 3) >> 2) : packed(decode(body, header.capacity, ORDER, VALID))
  const digest = await digestOf(header, bits, listKind)
  const older = known?.number === header.number
    && (header.version < known.version || (header.version === known.version && !same(digest, known.digest)))
  if (older) throw new Refused("list-rollback")
  return new StatusList(header, bits, digest, listKind)
}

// The version that follows the one in hand, which stays as it is.
export async function apply(data, known, { keys, at }) {
  const header = read(data, known.kind.deltaMagic, [1], DELTA_HEADER)
  await checked(data, known.kind.deltaContentType, header.suite, keys, at)
  const other = () => new Refused("delta-other-list")
  if (header.number !== known.number || header.capacity !== known.capacity) throw other()
  if (header.version <= known.version) throw new Refused("list-rollback")
  if (header.before !== known.version || !same(data.subarray(50, 82), known.digest)) throw other()
  const told = decode(data.subarray(DELTA_HEADER, -TAIL), header.capacity, [VALID, ...ORDER], SAME)
  const bits = packed(told.map((each, at) => (each === SAME ? known.status(at) : each)))
  const digest = await digestOf(header, bits, known.kind)
  if (!same(digest, data.subarray(82, 114))) throw new Refused("delta-result")
  return new StatusList(header, bits, digest, known.kind)
}
