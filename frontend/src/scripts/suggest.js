// A form that takes a file for one of many offices: where the file's name holds exactly one office's name, that one is
// chosen and said, unless somebody has chosen already. data-suggests on the file field: id of the list; each of its
// options that can be meant has data-names, one name a line.
const plain = (text) => text.normalize("NFKC").toLowerCase()
const whole = (name, text) => (/^\d+$/.test(name) ? new RegExp(`(?<!\\d)${name}(?!\\d)`).test(text) : text.includes(name))

export function meant(file, options) {
  const text = plain(file)
  const found = options
    .map((option) => ({ option, names: (option.dataset.names ?? "").split("\n").filter(Boolean).map(plain).filter((name) => whole(name, text)) }))
    .filter((each) => each.names.length)
  // 雨湖区 is not meant where the name says 东雨湖区
  const within = (name, other) => name !== other && other.includes(name)
  const longest = found.filter((each) => !found.some((other) => other !== each
    && each.names.every((name) => other.names.some((longer) => within(name, longer)))))
  return longest.length === 1 ? longest[0].option : null
}

function bind(field) {
  const list = document.getElementById(field.dataset.suggests)
  if (!list) return
  const said = document.createElement("p")
  said.className = "govuk-hint"
  said.setAttribute("role", "status")
  list.after(said)
  let chosen = false
  list.addEventListener("change", () => {
    chosen = true
    said.textContent = ""
  })
  field.addEventListener("change", () => {
    const option = chosen || !field.files.length ? null : meant(field.files[0].name, [...list.options])
    said.textContent = option ? field.dataset.suggestsSaid : ""
    if (option) list.value = option.value
  })
}

export function bindSuggestions() {
  for (const field of document.querySelectorAll("input[type=file][data-suggests]")) bind(field)
}
