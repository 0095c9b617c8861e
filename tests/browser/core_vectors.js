// Puts the vectors of the Python formats to the JavaScript core. Each function answers with what differs.
const said = async (core, work) => {
  try {
    return await work()
  } catch (bad) {
    if (bad instanceof core.Refused) return bad.code
    throw bad
  }
}

async function statusLists(core, { at, trusted, lists, deltas, bad }) {
  const keys = await core.KeySet.fromJson(JSON.stringify(trusted))
  const [found, wrong, time] = [{}, [], Date.parse(at)]
  const kindOf = (claim) => (claim ? core.statuslist.claimList(claim) : core.statuslist.STATUS_LIST)
  const read = (one, known = null) => core.statuslist.parse(core.fromHex(one.data), { keys, at: time, known, kind: kindOf(one.claim) })
  for (const one of lists) {
    const list = await read(one)
    const numbers = Array.from({ length: list.capacity }, (_, index) => list.status(index)).join("")
    if (numbers !== one.numbers || core.toHex(list.digest) !== one.digest || list.version !== one.version) wrong.push(one.name)
    found[one.name] = list
  }
  for (const { before, after, data } of deltas) {
    const made = await core.statuslist.apply(core.fromHex(data), found[before], { keys, at: time })
    if (core.toHex(made.digest) !== core.toHex(found[after].digest)) wrong.push(`${before} to ${after}`)
  }
  for (const one of bad) {
    const known = found[one.known] ?? null
    const work = one.what === "list" ? () => read(one, known) : () => core.statuslist.apply(core.fromHex(one.data), known, { keys, at: time })
    const code = await said(core, work)
    if (code !== one.code) wrong.push(`${one.name}: ${code}, not ${one.code}`)
  }
  return wrong
}
