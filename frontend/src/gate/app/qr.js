// A voucher's code for a screen or a slip: the head in the alphanumeric mode, the digits in the numeric one.
import qrcode from "qrcode-generator"

const QUIET = 4
const NS = "http://www.w3.org/2000/svg"

export function drawn(text, title) {
  const digits = /[0-9]+$/.exec(text)[0]
  const code = qrcode(0, "M")
  code.addData(text.slice(0, -digits.length), "Alphanumeric")
  code.addData(digits, "Numeric")
  code.make()
  const size = code.getModuleCount()
  let path = ""
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`
  }
  const side = size + 2 * QUIET
  const svg = document.createElementNS(NS, "svg")
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`)
  svg.dataset.text = text
  svg.setAttribute("role", "img")
  svg.setAttribute("aria-label", title)
  svg.setAttribute("shape-rendering", "crispEdges")
  for (const [shape, fill] of [[`M0 0h${side}v${side}H0z`, "#fff"], [path, "#000"]]) {
    const part = document.createElementNS(NS, "path")
    part.setAttribute("d", shape)
    part.setAttribute("fill", fill)
    svg.append(part)
  }
  return svg
}
