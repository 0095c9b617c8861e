// What this gate keeps, in one database of the browser: its key (which cannot be taken out), its bundles, its events.
// No list of holders: a bundle has one small number for each card and no name, and events have pseudonyms of one month.
import { deleteDB, openDB } from "idb"

const NAME = "zhengka-gate"
let opening = null

// The pseudonym for whose quota an event counts, as its row has it: a key of no value stands in no index.
export function countedFor(text) {
  const { kind, subject } = JSON.parse(text)
  return subject && ["visit", "issue"].includes(kind) ? { subject } : {}
}

export function db() {
  opening ??= openDB(NAME, 2, {
    async upgrade(made, before, _now, work) {
      if (before < 1) {
        made.createObjectStore("state") // "gate": who this is, with the key pair; "seq": the last number; "wiped"
        made.createObjectStore("bundles") // "public" and the operator's: what was taken whole and checked
        made.createObjectStore("events", { keyPath: "seq" }).createIndex("sent", "sent")
        made.createObjectStore("vouchers") // code → how it stands here: "issued", "redeemed", "cancelled", "refused" by the site; "asked 12", "typed ID": no answer yet
      }
      const events = work.objectStore("events")
      events.createIndex("subject", "subject") // whose quota it counts for; none where for nobody's
      for (let row = await events.openCursor(); row; row = await row.continue()) await row.update({ ...row.value, ...countedFor(row.value.text) })
    },
    terminated() { opening = null },
  })
  return opening
}

export const get = async (store, key) => (await db()).get(store, key)
export const put = async (store, value, key) => (await db()).put(store, value, key)

// Everything goes: the key, the bundles, what waits. Pages of the app stay, they hold nothing.
export async function wipe(why) {
  const known = await opening
  known?.close()
  opening = null
  await deleteDB(NAME)
  await put("state", { why, at: Date.now() }, "wiped")
}
