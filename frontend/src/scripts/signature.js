// A signature that is drawn with pen, finger or mouse. Its strokes go into the form as lists of points; the server makes
// the picture of them. Without script, or without a hand that draws, the typed name beside it does the same.
const WIDTH = 600, HEIGHT = 200, MOST = 1500

function bind(part) {
  const field = part.querySelector("canvas")
  const form = part.closest("form")
  const input = form.querySelector("[data-signature-strokes]")
  const pen = field.getContext("2d")
  let strokes = [], points = 0, drawing = false

  const keep = () => { input.value = points ? JSON.stringify(strokes) : "" }
  const place = (event) => {
    const box = field.getBoundingClientRect()
    const within = (value, most) => Math.max(0, Math.min(most, Math.round(value)))
    return [within((event.clientX - box.left) / box.width * WIDTH, WIDTH),
      within((event.clientY - box.top) / box.height * HEIGHT, HEIGHT)]
  }
  const draw = (event) => {
    if (!drawing || points >= MOST) return
    const [x, y] = place(event)
    strokes.at(-1).push([x, y])
    points += 1
    pen.lineTo(x, y)
    pen.stroke()
  }

  field.addEventListener("pointerdown", (event) => {
    drawing = true
    field.setPointerCapture(event.pointerId)
    strokes.push([])
    pen.lineWidth = 3
    pen.lineCap = pen.lineJoin = "round"
    pen.beginPath()
    pen.moveTo(...place(event))
    draw(event)
  })
  field.addEventListener("pointermove", draw)
  for (const end of ["pointerup", "pointercancel"]) field.addEventListener(end, () => { drawing = false; keep() })
  part.querySelector("[data-signature-clear]").addEventListener("click", () => {
    strokes = []
    points = 0
    pen.clearRect(0, 0, WIDTH, HEIGHT)
    keep()
  })
  part.hidden = false
}

export function bindSignatures() {
  for (const part of document.querySelectorAll("[data-signature]")) bind(part)
}
