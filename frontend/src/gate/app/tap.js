// A card that is held to the reader of this device, through the desk agent on loopback: no network is asked.
//
// The agent and the security module in its second slot prove chip and gate to each other ({do: "gate-read"}, see
// src/zhengka_reader/desk.py). What they need to know besides is the plan, which the site told while it could be reached.
import { toHex } from "../core/index.js"

const SILENT = 4000
const HOLD = 10 // seconds for a card to be held there

// What the agent says no by, where it says something of the card: its answer's colour. Red is what no good card says;
// amber what may be the gate's own fault, so that another way is open.
const OF_CARD = {
  "not-authentic": "red", "not-our-card": "red", locked: "red", "another-suite": "red", unreadable: "red",
  "gate-refused": "amber", "tried-before": "amber", "gate-blocked": "amber",
}
const UNPROVED = ["module-of-another-region", "psam-missing", "psam-failed", "key-not-read"]
const NOT_HELD = ["no-card", "two-cards", "card-removed", "card-mute", "card-in-use", "another-card", "reader-fails", "garbled"]

class NoReader extends Error {}

// The answer that a "no" of the agent is: its code among the app's own, and its colour.
export function meant(no) {
  if (no in OF_CARD) return [no, OF_CARD[no]]
  if (UNPROVED.includes(no)) return ["module-unfit", "amber"]
  return [NOT_HELD.includes(no) ? "hold-again" : "no-reader", "amber"]
}

function open(address) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address)
    const lost = () => reject(new NoReader())
    socket.addEventListener("error", lost)
    socket.addEventListener("close", lost)
    socket.addEventListener("open", () => resolve(socket))
    setTimeout(() => { if (socket.readyState === WebSocket.CONNECTING) { socket.close(); lost() } }, SILENT)
  })
}

function ask(socket, message) {
  return new Promise((resolve, reject) => {
    socket.addEventListener("message", (event) => resolve(JSON.parse(event.data)), { once: true })
    socket.addEventListener("close", () => reject(new NoReader()), { once: true })
    socket.send(JSON.stringify(message))
  })
}

// {fields, proven} as the core takes them, or {no}. `again`: also of a card that did not accept our keys before.
export async function tap(address, plan, again) {
  let socket
  try {
    socket = await open(address)
    const read = () => ask(socket, { do: "gate-read", nonce: toHex(crypto.getRandomValues(new Uint8Array(16))), plan, again })
    let answer = await read()
    if (answer.no === "no-card") {
      await ask(socket, { do: "wait", seconds: HOLD })
      answer = await read()
    }
    return answer.fields ? { fields: answer.fields, proven: answer.proven === true } : { no: answer.no }
  } catch (fault) {
    if (!(fault instanceof NoReader)) throw fault
    return { no: "no-reader" }
  } finally {
    socket?.close()
  }
}
