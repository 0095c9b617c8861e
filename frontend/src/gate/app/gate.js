// The gate app: one screen for whoever stands at a door. Every view is in the page; this shows one at a time.
import { load } from "./bundles.js"
import { Camera } from "./camera.js"
import { Desk, own } from "./desk.js"
import { recover, waiting } from "./log.js"
import { openLook, readLook } from "./look.js"
import { bindSettings, look, settings } from "./settings.js"
import { sign, tone, vibrate, wake } from "./signs.js"
import { lay } from "./slips.js"
import { No, SHUT, pair, textOf } from "./site.js"
import { get, put, wipe } from "./store.js"
import { known, meet, shut } from "./sync.js"

const [MEET, SOON, ASIDE, SKEW, AWHILE] = [60e3, 5e3, 8e3, 10 * 60e3, 600]
const part = (name) => document.querySelector(`[data-${name}]`)
const texts = JSON.parse(document.getElementById("gate-texts").textContent)
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name])
const { agent, wasm, worker, here } = document.body.dataset

let [gate, desk, net, fault, now, seen, made] = [null, null, "", "", null, { text: "", at: 0 }, []]
const camera = new Camera(part("eye"), wasm, found)

// ---- what is on the screen

function show(view) {
  document.querySelectorAll("[data-view]").forEach((each) => { each.hidden = each.dataset.view !== view })
  camera.resting = view !== "work"
  document.body.dataset.state = view
  const first = view === "work" ? part("whole") : document.querySelector(`[data-view=${view}] :is(input, textarea, button):not([hidden])`)
  first?.focus()
}

function say(words) {
  part("said").textContent = ""
  setTimeout(() => { part("said").textContent = words }, 50)
  if (settings.speak && window.speechSynthesis) {
    speechSynthesis.cancel()
    speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(words), { lang: texts.language === "en" ? "en" : "zh-CN" }))
  }
}

function paint(colour, big, words, next) {
  const whole = part("whole")
  whole.className = `zk-gate__whole zk-gate__whole--${colour}`
  part("sign").replaceChildren(sign(colour))
  part("big").textContent = big
  part("words").textContent = words
  part("next").textContent = next
}

function idle() {
  now = null
  part("gives").hidden = true
  part("eye").classList.remove("zk-gate__eye--small")
  paint("idle", camera.running ? texts.aim : texts.start, "", camera.running ? "" : texts.idle)
  show("work")
}

function wordsOf(answer) {
  const said = (answer.own && texts.codes[answer.code]) || (texts.language === "en" ? answer.en : answer.zh)
  const party = answer.told && answer.colour === "green" && answer.companions ? fill(texts.companions, { n: answer.companions }) : ""
  const ways = answer.ways?.length ? fill(texts.try, { ways: answer.ways.map((way) => texts.ways[way]).join(texts.language === "en" ? ", " : "、") }) : ""
  return [said, party, ways].filter(Boolean).join(texts.language === "en" ? " " : "")
}

function heard(answer, words) {
  if (!settings.quiet) tone(answer.tone)
  vibrate(answer.vibration)
  say(texts.language === "en" ? `${texts.big[answer.colour]}. ${words}` : `${texts.big[answer.colour]}。${words}`)
}

// What this gate knows itself, while the site is asked for more: seen at once, and heard where the site takes its time.
let late = 0
function asking(answer) {
  const words = answer.code === "asking" ? wordsOf(answer) : `${wordsOf({ ...answer, ways: [] })} ${texts.codes.asking}`
  show("work")
  paint(answer.colour, texts.big[answer.colour], words, "")
  performance.mark("gate-early")
  clearTimeout(late)
  late = setTimeout(() => heard(answer, words), AWHILE)
}

function answered(answer) {
  clearTimeout(late)
  now = answer
  const [big, words] = [texts.big[answer.colour], wordsOf(answer)]
  const chooses = answer.colour === "green" && answer.vouchers.length > 0
  part("eye").classList.add("zk-gate__eye--small")
  show("work")
  paint(answer.colour, big, words, chooses ? texts.choose : texts.next)
  offer(chooses ? waysOf(answer).map((way) => [texts.give[way], () => give(way)]) : answer.again ? [[texts.again, () => tapping(true)]] : [])
  performance.mark("gate-answer")
  heard(answer, words)
}

// What may be given: as the rule has it, and where companions come along a voucher for each person.
const waysOf = ({ vouchers, companions }) => [...vouchers, ...(companions && vouchers.some((way) => way !== "count") ? ["each"] : [])]

function offer(choices) {
  part("gives").replaceChildren(...choices.map(([words, does]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "zk-gate__give", textContent: words })
    button.addEventListener("click", does)
    return button
  }))
  part("gives").hidden = !choices.length
}

async function bar() {
  const [age, count] = [desk?.bundle ? Date.now() - desk.bundle.listedAt : null, await waiting()]
  const minutes = Math.max(0, Math.floor((age ?? 0) / 60e3))
  const told = minutes < 120 ? fill(texts.minutes, { n: minutes }) : minutes < 2880 ? fill(texts.hours, { n: Math.floor(minutes / 60) }) : fill(texts.days, { n: Math.floor(minutes / 1440) })
  const old = age !== null && age > desk.bundle.maxAge
  const venue = desk?.bundle?.rulebook.venues.find((each) => each.id === gate.venue)
  part("name").textContent = [gate?.name, venue && (texts.language === "en" ? venue.en : venue.zh)].filter(Boolean).join(" · ") || part("name").textContent
  part("net").textContent = texts[net] ?? ""
  part("age").textContent = !gate ? "" : age === null ? texts["list-none"] : fill(texts["list-age"], { age: told })
  part("age").classList.toggle("zk-gate__state--bad", old || age === null)
  part("waiting").textContent = count ? fill(texts.waiting, { n: count }) : ""
  const wrong = gate && Math.abs(gate.offset ?? 0) > SKEW
  const failed = fault && (texts.faults[fault] ?? fill(texts.faults.refused, { code: fault }))
  part("warning").textContent = wrong ? texts.clock : failed || (old ? texts["too-old"] : "")
  part("warning").hidden = !part("warning").textContent
}

// ---- what happens

let busy = Promise.resolve()

// One thing at a time. Where the record cannot be kept nothing is given, and the screen says so.
function once(work) {
  busy = busy.then(work).catch((bad) => {
    clearTimeout(late)
    if (bad instanceof No && SHUT.includes(bad.code)) return shutOut(bad)
    console.error(bad)
    return answered(own("not-kept", "red", { at: Date.now() }))
  }).finally(() => { bar(); meetSoon() })
  return busy
}

const CODE = /^[A-Z2-7]{16}$/
const bare = (text) => text.replace(/[\s-]/g, "").toUpperCase()

// The time from when something is shown (`since`) to the answer can be read from these marks (tests/bench).
function begun(since) {
  for (const name of ["gate-shown", "gate-early", "gate-answer"]) performance.clearMarks(name)
  performance.mark("gate-shown", { startTime: since })
}

async function shown(text, since = performance.now()) {
  begun(since)
  paint("idle", texts.reading, "", "")
  const at = Date.now()
  if (/\/P\//i.test(text)) return answered(await desk.voucher(text, at, asking))
  if (CODE.test(bare(text)) && /[A-Z]/.test(bare(text))) return answered(await desk.typedVoucher(bare(text), at, asking))
  return answered(await desk.card(/^\s*[0-9X B]{16,28}\s*$/i.test(text) ? { how: "typed", number: text.trim() } : { how: "scanned", text }, at, asking))
}

// What the camera sees: the same code is one showing until it was away for a while.
async function found(text, since) {
  if (!text || document.body.dataset.state !== "work") return
  if (text === seen.text && (now || Date.now() - seen.at < ASIDE)) {
    seen.at = Date.now()
    return
  }
  if (now?.colour === "green" && now.vouchers.length) return // something is to be given first
  seen = { text, at: Date.now() }
  await once(() => shown(text, since))
}

function give(way) {
  const answer = now
  once(async () => {
    if (now !== answer || answer.given) return
    answer.given = true
    if (way === "count") await desk.count(answer)
    else made = way === "each" ? await desk.issueEach(answer) : [await desk.issue(answer)]
    if (answer.limited) desk.tell()
    if (way === "count") {
      idle()
      paint("green", texts.big.green, texts.counted, texts.next)
      say(texts.counted)
      return
    }
    lay(made, texts, desk.bundle.rulebook)
    show("voucher")
    say(texts.given)
    if (way === "slip") window.print()
  })
}

// The button as large as the screen: begin, give what is first, or go on to the next card.
async function pressed() {
  wake()
  if (now?.colour === "green" && now.vouchers.length && !now.given) return give(now.vouchers[0])
  seen = now ? { text: seen.text, at: Date.now() } : { text: "", at: 0 } // the same card once more, if one asks for it
  if (!camera.running) await openEye()
  if (camera.running) idle()
  return null
}

async function openEye() {
  part("eye").hidden = false
  try {
    await camera.open()
  } catch {
    part("eye").hidden = true
    answered(own("no-camera", "amber"))
    show("type")
  }
}

// A card is held to the reader; `again`: one that did not accept our keys before is asked once more, on purpose.
function tapping(again = false) {
  offer([])
  paint("idle", texts.hold, "", "")
  once(async () => answered(await desk.tapped(agent, again, asking)))
}

const ACTS = {
  async camera() {
    if (!camera.running) {
      await openEye()
      if (camera.running) idle()
      return
    }
    camera.close()
    part("eye").hidden = true
    idle()
  },
  type: () => show("type"),
  look: () => { openLook(desk.bundle, gate); show("look") },
  settings: () => { about(); show("settings") },
  tap: () => tapping(),
}

// The services that this gate gives, by its post and its rules.
const served = () => (desk.bundle?.rulebook.services ?? []).filter((each) => !gate.services?.length || gate.services.includes(each.id))

async function chooseService(id) {
  const known = served()
  gate.service = known.some((each) => each.id === id) ? id : known[0]?.id ?? ""
  await put("state", gate, "gate")
}

function about() {
  const rows = [[part("name").textContent, gate.at ?? ""], [part("net").textContent, part("age").textContent], ["№", String(gate.id)]]
  part("about").replaceChildren(...rows.map(([name, value]) => {
    const row = Object.assign(document.createElement("div"), { className: "govuk-summary-list__row" })
    row.append(Object.assign(document.createElement("dt"), { className: "govuk-summary-list__key", textContent: name }),
      Object.assign(document.createElement("dd"), { className: "govuk-summary-list__value", textContent: value }))
    return row
  }))
  const services = served()
  const select = document.getElementById("service")
  select.replaceChildren(...services.map((each) => new Option(texts.language === "en" ? each.en : each.zh, each.id, false, each.id === gate.service)))
  part("service-group").hidden = services.length < 2
}

// ---- the site

let met = null

// One meeting at a time; who asks for one meanwhile gets that one.
function meeting() {
  met ??= meetOnce().finally(() => { met = null })
  return met
}

async function meetOnce() {
  if (!gate) return
  const told = await meet(gate).catch((bad) => {
    console.error(bad)
    return { net: "online", fault: "not-stored" }
  })
  if (told.net !== "offline") fault = told.fault
  net = told.net
  const bundle = net === "shut" ? null : await load(gate)
  desk.bundle = bundle
  if (net !== "shut") await chooseService(gate.service)
  await bar()
  await stand()
  document.body.dataset.met = Number(document.body.dataset.met ?? 0) + 1
}

// The site has shut this gate out, as it said to something else than a meeting; one that goes on may find it out, too.
async function shutOut(no) {
  await met
  met = (async () => {
    if (gate && !gate.locked) await shut(gate, no)
    net = "shut"
    desk.bundle = null
    await stand()
  })().finally(() => { met = null })
  return met
}

// The site said no for a reason of its own, or of this gate's: they meet to see how they stand.
const trouble = (no) => { if (no.code !== "too-many-requests") meeting() }

// What was just kept goes up soon, where there is a network.
let soon = 0
function meetSoon() {
  clearTimeout(soon)
  if (net === "online") soon = setTimeout(meeting, SOON)
}

// Shut out, or at work.
async function stand() {
  const wiped = await get("state", "wiped")
  gate = (await known()) ?? null
  if (gate) desk.gate = gate
  const why = wiped ? texts[wiped.why] : gate?.locked ? texts[gate.locked] : ""
  if (why) {
    camera.close()
    part("shut-why").textContent = why
    part("again").hidden = Boolean(wiped)
    if (document.body.dataset.state !== "shut") {
      show("shut")
      say(why)
    }
  } else if (!gate) show("pair")
  else if (["shut", "pair", undefined].includes(document.body.dataset.state)) idle()
}

async function pairing(event) {
  event.preventDefault()
  const code = part("pair").elements.code.value.replace(/\D/g, "")
  const no = part("pair-no")
  no.hidden = true
  part("group").classList.remove("govuk-form-group--error")
  try {
    const fresh = await pair(code)
    fresh.anchor = await textOf("/bundle/keys.json")
    await put("state", fresh, "gate")
    await navigator.storage?.persist?.()
    gate = fresh
    desk = new Desk(gate, null, trouble)
    say(texts.paired)
    await meeting()
  } catch (bad) {
    if (!(bad instanceof No)) throw bad
    no.textContent = (texts.language === "en" ? bad.told.title : bad.told.title_zh) || texts.codes["site-away"]
    no.hidden = false
    part("group").classList.add("govuk-form-group--error")
    part("pair").elements.code.focus()
  }
}

// ---- binding

function bind() {
  part("pair").addEventListener("submit", pairing)
  part("whole").addEventListener("click", pressed)
  document.querySelectorAll("[data-act]").forEach((each) => each.addEventListener("click", () => { wake(); ACTS[each.dataset.act]() }))
  document.querySelectorAll("[data-back]").forEach((each) => each.addEventListener("click", idle))
  part("type").addEventListener("submit", (event) => {
    event.preventDefault()
    const text = event.target.elements.text.value
    event.target.reset()
    if (text.trim()) once(() => shown(text))
  })
  part("look").addEventListener("submit", (event) => {
    event.preventDefault()
    const looked = readLook()
    if (looked) once(async () => answered(await desk.card(looked, Date.now(), asking)))
  })
  part("done").addEventListener("click", idle)
  part("print").addEventListener("click", () => window.print())
  part("cancel").addEventListener("click", () => once(async () => {
    for (const each of made) await desk.cancel(each, Date.now())
    idle()
  }))
  part("send").addEventListener("click", meeting)
  part("again").addEventListener("click", meeting)
  part("anew").addEventListener("click", async () => { await wipe(""); location.reload() })
  document.getElementById("service").addEventListener("change", (event) => chooseService(event.target.value))
  bindSettings()
}

async function begin() {
  if (settings.language && settings.language !== texts.language) return location.replace(here + settings.language)
  look()
  bind()
  const wiped = await get("state", "wiped")
  if (wiped && !wiped.why) await put("state", undefined, "wiped")
  gate = (await known()) ?? null
  if (gate) await recover()
  desk = new Desk(gate, gate && !gate.locked ? await load(gate) : null, trouble)
  net = navigator.onLine ? "" : "offline"
  await stand()
  await bar()
  meeting()
  setInterval(meeting, MEET)
  window.addEventListener("online", meeting)
  window.addEventListener("offline", () => { net = "offline"; bar() })
  if ("serviceWorker" in navigator) await navigator.serviceWorker.register(worker)
  return document.body.setAttribute("data-ready", "")
}

begin()
