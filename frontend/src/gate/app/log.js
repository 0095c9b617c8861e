// The gate's own log. An event is signed and kept before anybody is told of it; it stays until the site has it, and one
// day more. Numbers are given within a lock that all windows of this device share, so that none is used twice.
import { gatelog } from "../core/index.js"
import { countedFor, db } from "./store.js"

const [LOCK, BATCH, DAY] = ["zhengka-gate-log", 2000, 24 * 3600e3]
const ES256 = { name: "ECDSA", hash: "SHA-256" }

export async function sign(key, bytes) {
  return new Uint8Array(await crypto.subtle.sign(ES256, key, bytes))
}

const [WAITS, SENT, ASKED] = [0, 1, 2]
const SPENT = ["redeemed", "cancelled"]
const asking = (seq) => `asked ${seq}` // how a voucher stands about whose use the site was asked and gave no answer

async function written(gate, seq, told) {
  const text = gatelog.write({ ...told, gate: gate.id, seq })
  return { seq, text, line: gatelog.toLine(text, await sign(gate.key.privateKey, gatelog.bytesOf(text))), at: told.at, sent: WAITS, sentAt: 0, ...countedFor(text) }
}

async function store(event, voucher) {
  const last = Math.max(event.seq, await next() - 1)
  const work = (await db()).transaction(["state", "events", "vouchers"], "readwrite", { durability: "strict" })
  await Promise.all([
    work.objectStore("state").put(last, "seq"),
    work.objectStore("events").put(event),
    voucher && work.objectStore("vouchers").put(voucher[1], voucher[0]),
    work.done,
  ])
}

const next = async () => ((await (await db()).get("state", "seq")) ?? 0) + 1

// Keeps one event. `voucher`: [code, how it stands] to be kept with it, in one transaction.
export function keep(gate, told, voucher = null) {
  return navigator.locks.request(LOCK, async () => store(await written(gate, await next(), told), voucher))
}

// The event by which the use of a voucher was asked about before, if that is how it stands.
async function before(how) {
  const seq = /^asked ([0-9]+)$/.exec(how ?? "")?.[1]
  return seq ? (await db()).get("events", Number(seq)) : null
}

// Keeps the use of a voucher about which the site is asked first: `ask(line)` answers "taken"; "unknown" where it could
// not be reached in time and the use holds all the same; "open" where it does not; or the event that is kept instead.
// The use is kept before it is asked about, and the voucher with it: a device that stops in between, or got no answer,
// asks about the same event when the voucher is shown again, which the site knows. Two windows ask one after the other.
// Answers how the voucher stood, where it is used up or cancelled here already; else "".
export function keepAsked(gate, told, voucher, ask) {
  return navigator.locks.request(LOCK, async () => {
    const how = await (await db()).get("vouchers", voucher)
    if (SPENT.includes(how)) return how
    const known = await before(how)
    const event = known ?? await written(gate, await next(), told)
    const sure = known ? known.sent !== ASKED : false // it goes up, whatever is said now
    await store({ ...event, sent: sure ? event.sent : ASKED, open: false }, [voucher, asking(event.seq)])
    const said = await ask(event.line)
    if (said === "open") await store({ ...event, sent: sure ? event.sent : ASKED, open: true }, [voucher, asking(event.seq)])
    else if (typeof said === "object") await store(await written(gate, sure ? await next() : event.seq, said), [voucher, "refused"])
    else await store({ ...event, ...(said === "taken" ? { sent: SENT, sentAt: Date.now() } : { sent: sure ? event.sent : WAITS }) }, [voucher, "redeemed"])
    return ""
  })
}

// What was being asked about when this device stopped is sent like the rest; not a use that nobody was let in by.
export function recover() {
  return navigator.locks.request(LOCK, async () => {
    const work = (await db()).transaction("events", "readwrite")
    for (const event of await work.store.index("sent").getAll(ASKED)) if (!event.open) await work.store.put({ ...event, sent: WAITS })
    await work.done
  })
}

export const waiting = async () => (await db()).countFromIndex("events", "sent", 0)

// The oldest lines that the site does not have yet.
export async function unsent() {
  return (await db()).getAllFromIndex("events", "sent", 0, BATCH)
}

export async function markSent(events, at) {
  const work = (await db()).transaction("events", "readwrite")
  await Promise.all([...events.map((each) => work.store.put({ ...each, sent: 1, sentAt: at })), work.done])
}

// How often each rule was used by a person (a pseudonym) today and this month, as far as this gate knows.
export async function used(subject, at) {
  const found = {}
  const china = (time) => new Date(time + 8 * 3600e3).toISOString()
  const work = (await db()).transaction(["events", "vouchers"])
  for (const { text } of await work.objectStore("events").index("subject").getAll(subject)) {
    const event = JSON.parse(text)
    if (event.voucher && await work.objectStore("vouchers").get(event.voucher) === "cancelled") continue
    const then = china(Date.parse(event.at))
    found[event.rule] ??= { day: 0, month: 0 }
    if (then.slice(0, 7) === china(at).slice(0, 7)) found[event.rule].month++
    if (then.slice(0, 10) === china(at).slice(0, 10)) found[event.rule].day++
  }
  return found
}

// What the site has, and what counts for no quota of this month any more, goes.
export async function forget(at) {
  const month = new Date(at + 8 * 3600e3).toISOString().slice(0, 7)
  const work = (await db()).transaction("events", "readwrite")
  for (const each of await work.store.index("sent").getAll(1)) {
    const old = new Date(each.at + 8 * 3600e3).toISOString().slice(0, 7) < month
    if (old && each.sentAt < at - DAY) await work.store.delete(each.seq)
  }
  await work.done
}

export const randomCode = () => crypto.getRandomValues(new Uint8Array(10))
