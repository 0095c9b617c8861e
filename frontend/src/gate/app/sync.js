// What this gate and the site tell each other when they meet: the log goes up, bundles come down, and a gate that was
// shut out forgets everything. Each part may be repeated, and none waits for another to succeed.
import { Refused } from "../core/index.js"
import { refresh } from "./bundles.js"
import { forget, markSent, unsent } from "./log.js"
import { API, No, SHUT, ask, askJson } from "./site.js"
import { db, get, put, wipe } from "./store.js"

const GONE = ["lost", "retired", "registered"] // states of a device by which its phone forgets all

// Where the gate stands now, as its office has entered it.
async function post(gate) {
  const told = await askJson(gate, "GET", `${API}post`)
  Object.assign(gate, { name: told.name, at: told.place, operator: told.operator, venue: told.venue, services: told.services, plan: told.plan,
    offset: Date.parse(told.now) - Date.now(), locked: "" })
  await put("state", gate, "gate")
}

// The whole log that the site does not have yet.
export async function sendAll(gate, at) {
  for (let events = await unsent(); events.length; events = await unsent()) {
    await ask(gate, "POST", `${API}events`, new TextEncoder().encode(events.map((each) => `${each.line}\n`).join("")))
    await markSent(events, at)
  }
  await forget(at)
}

async function fetchAll(gate, at) {
  if (gate.operator) await ask(gate, "POST", `${API}seen`, await refresh(gate, at))
}

// What a "no" to all of this gate means for it.
export async function shut(gate, no) {
  const state = no.told.facts?.state
  if (no.code === "gate-shut-out" && GONE.includes(state)) {
    await wipe(state)
    return
  }
  await (await db()).clear("bundles")
  gate.locked = no.code === "gate-shut-out" ? "stopped" : "unknown"
  gate.plan = null
  await put("state", gate, "gate")
}

// One part of a meeting: "" where it went well, else what went wrong: `offline`, or a name that the screen has words for.
async function part(work, name) {
  try {
    await work()
    return ""
  } catch (no) {
    if (no instanceof Refused) return no.code
    if (!(no instanceof No) || [...SHUT, "gate-clock-wrong"].includes(no.code)) throw no
    return no.code === "offline" ? "offline" : name
  }
}

// One meeting. `net`: "online", "offline", or "shut"; `fault`: which part went wrong, by name; what is held then stays.
export async function meet(gate, at = Date.now(), again = true) {
  try {
    await post(gate)
    const parts = [await part(() => sendAll(gate, at), "not-sent"), await part(() => fetchAll(gate, at), "not-fetched")]
    const fault = parts.findLast((each) => each && each !== "offline") ?? ""
    return { net: parts.includes("offline") ? "offline" : "online", fault }
  } catch (no) {
    if (!(no instanceof No)) throw no
    if (no.code === "gate-clock-wrong" && again) {
      gate.offset = Date.parse(no.told.facts.now) - Date.now()
      return meet(gate, at, false)
    }
    if (!SHUT.includes(no.code)) return { net: "offline", fault: "" }
    await shut(gate, no)
    return { net: "shut", fault: "" }
  }
}

export const known = () => get("state", "gate")
