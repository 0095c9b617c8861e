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

async function bundles(core, { at, trusted, places, takes }) {
  const [keys, time, wrong] = [await core.KeySet.fromJson(JSON.stringify(trusted)), Date.parse(at), []]
  const take = async (place, bundle, held, fetched = []) => core.bundle.take(async (name) => {
    fetched.push(name)
    return name in places[place] ? core.fromHex(places[place][name]) : null
  }, { trusted: keys, at: time, bundle, held: held ? await take(held, bundle, "") : null })
  for (const { held, place, bundle, fetched, code } of takes) {
    const got = []
    const found = await said(core, () => take(place, bundle, held, got))
    const good = code ? found === code : got.sort().join() === ["manifest.bin", ...fetched].sort().join()
    if (!good) wrong.push(`${held} > ${place}: ${typeof found === "string" ? found : got}, not ${code || fetched}`)
  }
  return wrong
}

async function presenting(core, { files, bundles: told, cases, every_bit: flipped, unreadable }) {
  const wrong = []
  const bytes = (name) => core.fromBase64(files[name])
  const makes = {}
  const made = (name) => (makes[name] ??= make(told[name]))
  async function make(one) {
    const keys = await core.KeySet.fromJson(core.fromUtf8(bytes(one.keys)))
    const at = Date.parse(one.read_at ?? "2026-11-20T04:00:00+00:00")
    const [lists, claims] = [new Map(), new Map()]
    for (const name of one.lists) {
      const list = await core.statuslist.parse(bytes(name), { keys, at })
      lists.set(list.number, list)
    }
    for (const [claim, names] of Object.entries(one.claims)) {
      for (const name of names) {
        const list = await core.statuslist.parse(bytes(name), { keys, at, kind: core.statuslist.claimList(claim) })
        claims.set(`${claim} ${list.number}`, list)
      }
    }
    const hosts = core.bundle.hostsOf(new Map(one.hosts ? [["hosts.json", bytes(one.hosts)]] : []))
    return { keys, lists, claims, hosts, rulebook: core.rulebook.parse(bytes(one.rulebook)), issuedAt: Date.parse(one.issued_at), maxAge: one.max_age * 1000 }
  }
  for (const one of cases) {
    const used = Object.fromEntries(Object.entries(one.used).map(([rule, [day, month]]) => [rule, { day, month }]))
    const answer = await core.present(one.shown, { bundle: await made(one.bundle), place: one.place, at: Date.parse(one.at), used })
    for (const [name, value] of Object.entries(one.answer)) {
      if (JSON.stringify(answer[name]) !== JSON.stringify(value)) wrong.push(`${one.name}: ${name} ${JSON.stringify(answer[name])}, not ${JSON.stringify(value)}`)
    }
  }
  let bits = 0
  for (const one of flipped) {
    const payload = core.fromHex(one.payload)
    const ask = async () => core.present({ how: "scanned", text: `${one.host}/V/${core.toDigits(payload)}` }, { bundle: await made(one.bundle), place: one.place, at: Date.parse(one.at) })
    for (let bit = 0; bit < payload.length * 8; bit++, bits++) {
      payload[bit >> 3] ^= 1 << (bit & 7)
      const { colour, benefit, companions, subject } = await ask()
      if (colour !== "red" || benefit || companions || subject) wrong.push(`bit ${bit}: ${colour}`)
      payload[bit >> 3] ^= 1 << (bit & 7)
    }
    if ((await ask()).colour !== "green") wrong.push("the whole code is not good")
  }
  if (!bits) wrong.push("no bit was flipped")
  const { keys } = await made("fresh")
  for (const one of unreadable) {
    const data = core.fromBase64(one.file)
    const kind = one.read_as === "status" ? core.statuslist.STATUS_LIST : ["rulebook", "hosts"].includes(one.read_as) ? null : core.statuslist.claimList(one.read_as)
    if (one.read_as === "hosts") {
      const code = await said(core, async () => core.bundle.hostsOf(new Map([["hosts.json", data]])))
      if (code !== one.error) wrong.push(`${one.name}: ${code}, not ${one.error}`)
      continue
    }
    const code = await said(core, async () => (kind ? core.statuslist.parse(data, { keys, at: Date.parse("2026-11-20T04:00:00+00:00"), kind }) : core.rulebook.parse(data)))
    if (code !== one.error) wrong.push(`${one.name}: ${code}, not ${one.error}`)
  }
  return wrong
}

async function gateLog(core, { vectors, shares }) {
  const wrong = []
  for (const { quota, gates, subject, shares: told } of shares) {
    const found = await Promise.all(gates.map((gate) => core.quota.share(quota, gates, gate, core.fromHex(subject))))
    if (found.join() !== told.join() || await core.quota.share(quota, gates, 1, core.fromHex(subject)) !== 0) wrong.push(`share of ${quota}: ${found}, not ${told}`)
  }
  for (const { text, line, point } of vectors) {
    const told = JSON.parse(text)
    const moment = (name) => (told[name] ? Date.parse(told[name]) : null)
    const written = core.gatelog.write({ ...told, at: moment("at"), from: moment("from"), until: moment("until") })
    const signature = core.fromBase64Url(line.split("\t")[1])
    const key = await core.publicKey("INTL", core.fromHex(point))
    if (written !== text || core.gatelog.toLine(text, signature) !== line) wrong.push(written)
    if (!await core.signed(key, core.gatelog.bytesOf(text), signature)) wrong.push(`signature of ${text}`)
  }
  return wrong
}

async function vouchers(core, { vectors, bad }) {
  const wrong = []
  for (const one of vectors) {
    const payload = core.voucher.fromText(one.text)
    const { voucher, signed, signature, keyId } = core.voucher.decode(payload)
    const key = await core.publicKey(one.suite, core.fromHex(one.point))
    const made = core.toHex(payload) === one.payload && core.toHex(signed) === one.signed && keyId === one.key_id
      && core.toBase32(voucher.code) === one.base32 && await core.signed(key, signed, signature)
      && ["operator", "venue", "service", "rule", "gives", "companions"].every((name) => voucher[name] === one[name])
      && voucher.begins === Date.parse(one.from) && voucher.ends === Date.parse(one.until)
    if (!made) wrong.push(one.text)
    if (one.suite !== "INTL") continue
    const again = await core.voucher.encode(voucher, { keyId: core.fromHex(keyId), sign: async () => signature })
    if (core.toHex(again) !== one.payload || core.toDigits(again) !== /[0-9]+$/.exec(one.text)[0]) wrong.push(`${one.text} made again`)
  }
  for (const { why, payload, code } of bad) {
    const got = await said(core, async () => core.voucher.decode(core.fromHex(payload)))
    if (got !== code) wrong.push(`${why}: ${got}, not ${code}`)
  }
  return wrong
}
