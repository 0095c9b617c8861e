// What this gate and the site tell each other when they meet: the log goes up, bundles come down, and a gate that was
// shut out forgets everything. Each part may be repeated.
import { refresh } from "./bundles.js"
import { forget, markSent, unsent } from "./log.js"
import { API, No, ask, askJson } from "./site.js"
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

// What a "no" to all of this gate means for it.
async function shut(gate, no) {
  if (no.code === "gate-shut-out" && GONE.includes(no.told.facts.state)) {
    await wipe(no.told.facts.state)
    return
  }
  await (await db()).clear("bundles")
  gate.locked = no.code === "gate-shut-out" ? "stopped" : "unknown"
  gate.plan = null
  await put("state", gate, "gate")
}

// One meeting: "online", "offline", or "shut".
export async function meet(gate, at = Date.now(), again = true) {
  try {
    await post(gate)
    await sendAll(gate, at)
    if (!gate.operator) return "online"
    await ask(gate, "POST", `${API}seen`, await refresh(gate, at))
    return "online"
  } catch (no) {
    if (!(no instanceof No)) throw no
    if (no.code === "gate-clock-wrong" && again) {
      gate.offset = Date.parse(no.told.facts.now) - Date.now()
      return meet(gate, at, false)
    }
    if (!["gate-shut-out", "gate-signature-wrong"].includes(no.code)) return "offline"
    await shut(gate, no)
    return "shut"
  }
}

export const known = () => get("state", "gate")
