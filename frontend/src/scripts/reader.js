// The card reader of this PC, through the desk agent on loopback. This script carries messages between the agent and
// the server and decides nothing: what the reader says is signed, and the server says what it means.
const SILENT = 10000
const PAUSE = 3000
const HERE = "zk-reader" // this PC has a reader: a page calls it by itself only then

class Said extends Error {
  constructor(code, words = "") {
    super(code)
    this.code = code
    this.words = words
  }
}

// One conversation with the agent: question, answer, in turn.
function open(address) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address)
    let waiting = null
    const lost = () => { waiting?.reject(new Said("agent-missing")); reject(new Said("agent-missing")) }
    socket.addEventListener("error", lost)
    socket.addEventListener("close", lost)
    socket.addEventListener("message", (event) => { const { resolve: answer } = waiting; waiting = null; answer(JSON.parse(event.data)) })
    const ask = (message) => new Promise((answer, refuse) => {
      waiting = { resolve: answer, reject: refuse }
      socket.send(JSON.stringify(message))
    })
    socket.addEventListener("open", () => resolve({ ask, close: () => socket.close() }))
    setTimeout(() => { if (socket.readyState === WebSocket.CONNECTING) lost() }, SILENT)
  })
}

function parts(panel) {
  const field = (name) => panel.querySelector(`[name=${name}]`).value
  const said = panel.querySelector("[data-reader-said]")
  return {
    token: field("csrfmiddlewaretoken"), request: field("request_id"),
    tell: (words, bad = false) => { said.textContent = words; said.classList.toggle("zk-reader__said--bad", bad) },
    words: (code) => (panel.querySelector(`[data-no="${code}"]`) || panel.querySelector("[data-no=not-understood]")).textContent,
  }
}

async function fetched(url, token, body, headers = {}) {
  try {
    return await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token, ...headers } })
  } catch {
    throw new Said("not-taken")
  }
}

async function post(url, token, body) {
  const answer = await fetched(url, token, JSON.stringify(body), { "Content-Type": "application/json" })
  if (answer.redirected) throw new Said("session-over")
  const said = await answer.json()
  if (said.no) throw new Said(said.no, said.words)
  return said
}

// A form, sent; its answer is believed only from where a form that was taken leads to: this page's own address, or none.
async function send(url, token, fields) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  const answer = await fetched(url, token, form)
  if (answer.redirected && new URL(answer.url).pathname !== location.pathname) throw new Said("session-over")
  if (!answer.ok) throw new Said("not-taken", told(await answer.text()))
  return answer
}

// What a page that says no says: its heading, and what to do next.
function told(html) {
  const main = new DOMParser().parseFromString(html, "text/html").querySelector("main")
  return ["h1", "p"].map((name) => main?.querySelector(name)?.textContent.trim()).filter(Boolean).join(". ")
}

// A question whose "no" stops everything.
async function must(agent, message) {
  const said = await agent.ask(message)
  if (said.no) throw new Said(said.no)
  return said
}

async function read(agent, panel, purpose) {
  const { token } = parts(panel)
  const { key } = await must(agent, { do: "hello" })
  let state = await post(panel.dataset.begin, token, { key, purpose, card: panel.dataset.card || null })
  while (state.commands) {
    const said = await agent.ask({ do: "carry", nonce: state.nonce, number: state.number, commands: state.commands, slot: state.slot })
    state = await post(state.step, token, said) // a "no" too: every reading ends with a name
  }
  await agent.ask({ do: "let-go" })
  return state
}

async function make(agent, panel) {
  const { token, request } = parts(panel)
  const { key, printer = "" } = await must(agent, { do: "hello" })
  const typed = panel.querySelector("[data-reader-blank]") // the serial on the blank card, where blanks are counted
  const blank = typed ? typed.value.trim() : ""
  if (typed && !typed.reportValidity()) throw new Said("blank", typed.validationMessage)
  if (key !== panel.dataset.key) throw new Said("package-broken")
  const sealed = await send(panel.dataset.package, token, { request_id: crypto.randomUUID(), printer })
  const bytes = new Uint8Array(await sealed.arrayBuffer())
  let text = ""
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768))
  const made = await must(agent, { do: "make", package: btoa(text), printer, blank })
  await send(panel.dataset.results, token, { request_id: request, file: new File([made.results], "results.jsonl") })
  if (made.printed) await post(panel.dataset.printed, token, { key, printer, printed: made.printed })
  return { to: location.pathname }
}

function bindPanel(panel) {
  const { tell, words } = parts(panel)
  const again = panel.querySelector("[data-reader-after]") // what is offered only after a reading that ended so
  let busy = false

  async function run(work) {
    if (busy) return
    busy = true
    tell(panel.dataset.working)
    let agent = null
    try {
      agent = await open(panel.dataset.agent)
      localStorage.setItem(HERE, "1")
      const ended = await work(agent)
      if (again) again.hidden = ended.outcome !== again.dataset.readerAfter
      tell(ended.words || "", Boolean(ended.outcome) && ended.outcome !== "good")
      if (ended.to && ended.to !== location.pathname) location.assign(ended.to)
      else if (ended.to && panel.dataset.package) location.reload()
    } catch (fault) {
      tell(fault.words || words(fault.code || "agent-missing"), true)
    } finally {
      agent?.close()
      busy = false
    }
  }

  // Waits for cards to be laid down, and reads each once.
  async function watch(purpose) {
    for (let before = null; ;) {
      try {
        const agent = await open(panel.dataset.agent)
        for (let first = true; ; first = false) {
          const { readers } = await must(agent, first ? { do: "list" } : { do: "wait", seconds: 20 })
          const modules = readers.filter((reader) => reader.what === "module").map((reader) => reader.name).join(", ")
          if (before === null) tell([panel.dataset.waiting, modules && panel.dataset.module + modules].filter(Boolean).join(" "))
          const there = readers.filter((reader) => reader.card).map((reader) => reader.name).join("\n")
          if (there && there !== before && !busy) await run((own) => read(own, panel, purpose))
          before = there
        }
      } catch (fault) {
        if (!busy) tell(words(fault.code || "agent-missing"), true)
        before = null
      }
      await new Promise((go) => { setTimeout(go, PAUSE) })
    }
  }

  for (const button of panel.querySelectorAll("[data-reader-go]")) {
    button.addEventListener("click", () => run((agent) => read(agent, panel, button.dataset.readerGo)))
  }
  panel.querySelector("[data-reader-make]")?.addEventListener("click", () => run((agent) => make(agent, panel)))
  tell("")
  if (localStorage.getItem(HERE) !== "1") return
  if (panel.dataset.auto === "identify") watch("identify")
  else if (panel.dataset.auto) run((agent) => read(agent, panel, panel.dataset.auto))
}

function bindPairing(panel) {
  const { token, request, tell, words } = parts(panel)
  panel.querySelector("[data-reader-pair]").addEventListener("click", async () => {
    tell(panel.dataset.working)
    try {
      const { code, nonce } = panel.dataset
      const agent = await open(panel.dataset.agent)
      const told = await must(agent, { do: "pair", code, nonce })
      agent.close()
      localStorage.setItem(HERE, "1")
      const done = await post(panel.dataset.pair, token, { ...told, code, request_id: request })
      tell(done.words)
      location.assign(done.to)
    } catch (fault) {
      tell(fault.words || words(fault.code || "agent-missing"), true)
    }
  })
}

export function bindReaders() {
  for (const panel of document.querySelectorAll("[data-reader]")) bindPanel(panel)
  for (const panel of document.querySelectorAll("[data-pair]")) bindPairing(panel)
}
