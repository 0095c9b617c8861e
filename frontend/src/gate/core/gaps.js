// Rice-coded gaps: which places of a row hold which small number. Mirrors `decode` of zhengka/formats/gaps.py.
import { Refused } from "./bytes.js"

const [HEAD, MOST_K, OTHERS] = [9, 20, 0x80]
const bad = () => new Refused("list-truncated")
const bit = (bytes, at) => bytes[at >> 3] >> (7 - (at & 7)) & 1

// So many bits from this byte on, and where the next byte is. The bits that fill up are zero.
function bits(body, at, length) {
  const end = at + ((length + 7) >> 3)
  if (end > body.length) throw bad()
  const found = body.subarray(at, end)
  for (let each = length; each < found.length * 8; each++) if (bit(found, each)) throw bad()
  return [found, end]
}

function readHead(body, at, free) {
  if (body.length - at < HEAD) throw bad()
  const view = new DataView(body.buffer, body.byteOffset + at, HEAD)
  const [count, how, length] = [view.getUint32(0), view.getUint8(4), view.getUint32(5)]
  const k = how & 0x1f
  if (Math.max(count, length) > free || k > MOST_K || how & ~(0x1f | OTHERS) || (!count && k)) throw bad()
  return { count, k, length, others: Boolean(how & OTHERS) }
}

// The named ones among `free` places, in order, and where the next section begins.
function readSection(body, from, free) {
  const { count, k, length, others } = readHead(body, from, free)
  const [unary, middle] = bits(body, from + HEAD, length)
  const [rest, at] = bits(body, middle, count * k)
  const places = new Uint32Array(count)
  let [named, zeros, place, next] = [0, 0, -1, 0]
  for (let each = 0; each < length; each++) {
    if (!bit(unary, each)) {
      zeros++
      continue
    }
    if (named === count) throw bad()
    let low = 0
    for (let left = k; left; left--) low = low * 2 + bit(rest, next++)
    place += zeros * 2 ** k + low + 1
    if (place >= free) throw bad()
    places[named++] = place
    zeros = 0
  }
  if (named !== count || zeros) throw bad()
  return { places, others, at }
}

// The row of `size` places that these sections tell; `rest` is what stands where none of them says anything.
export function decode(body, size, order, rest) {
  const cells = new Uint8Array(size).fill(rest)
  let free = Uint32Array.from({ length: size }, (_, at) => at)
  let at = 0
  for (const number of order) {
    const section = readSection(body, at, free.length)
    const left = new Uint32Array(free.length)
    let [next, kept] = [0, 0]
    for (let each = 0; each < free.length; each++) {
      const named = section.places[next] === each && next < section.places.length
      if (named) next++
      if (named !== section.others) cells[free[each]] = number
      else left[kept++] = free[each]
    }
    free = left.subarray(0, kept)
    at = section.at
  }
  if (at !== body.length) throw bad()
  return cells
}
