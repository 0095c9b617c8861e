// A chip that is held to the reader of this device, through the desk agent on loopback.
//
// The agent of today carries commands that the site chooses, so it needs the site. What a gate needs is one question,
// {do: "gate-read", nonce}: the agent and its own security module prove chip and gate to each other, and it answers
// {fields: {category, grade, issued, valid_until, credential}, proven}. An agent that does not know the question says
// {no: "not-understood"}; then this gate says that it has no reader.
import { toHex } from "../core/index.js"

const SILENT = 4000

export class NoReader extends Error {}

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

export async function tap(address) {
  const socket = await open(address)
  try {
    const nonce = toHex(crypto.getRandomValues(new Uint8Array(16)))
    const answer = await new Promise((resolve, reject) => {
      socket.addEventListener("message", (event) => resolve(JSON.parse(event.data)))
      socket.addEventListener("close", () => reject(new NoReader()))
      socket.send(JSON.stringify({ do: "gate-read", nonce }))
    })
    if (answer.no || !answer.fields) throw new NoReader()
    return { fields: answer.fields, proven: answer.proven === true }
  } finally {
    socket.close()
  }
}
