// An answer for eyes, ears and skin: a sign of its own shape, a tone of its own, a pattern of vibration.
const SHAPES = {
  green: ["M50 4a46 46 0 1 0 0 92 46 46 0 0 0 0-92z", "M27 52l16 16 31-34"],
  red: ["M30 4h40l26 26v40L70 96H30L4 70V30z", "M32 32l36 36M68 32L32 68"],
  amber: ["M50 6l46 84H4z", "M50 38v24M50 74v4"],
  neutral: ["M12 12h76v76H12z", "M28 50h44"],
  idle: ["M50 4a46 46 0 1 0 0 92 46 46 0 0 0 0-92z", "M30 30h14v14H30zM56 30h14v14H56zM30 56h14v14H30zM58 58h10v10H58z"],
}
const TONES = { // frequencies and milliseconds, one after the other; the calm one is quiet and no alarm
  pass: [[880, 90], [1320, 140]], stop: [[220, 260], [165, 380]], ask: [[620, 110], [0, 70], [620, 110]], calm: [[520, 160]],
}
const NS = "http://www.w3.org/2000/svg"
let sound = null

export function sign(colour) {
  const svg = document.createElementNS(NS, "svg")
  svg.setAttribute("viewBox", "0 0 100 100")
  svg.setAttribute("aria-hidden", "true")
  svg.setAttribute("class", `zk-sign zk-sign--${colour}`)
  SHAPES[colour].forEach((path, at) => {
    const part = document.createElementNS(NS, "path")
    part.setAttribute("d", path)
    part.setAttribute("class", at ? "zk-sign__mark" : "zk-sign__ground")
    svg.append(part)
  })
  return svg
}

// Browsers let a page sound only after somebody touched it.
export function wake() {
  sound ??= new AudioContext()
  if (sound.state === "suspended") sound.resume()
}

export function tone(name) {
  if (!sound || sound.state !== "running") return
  let at = sound.currentTime
  for (const [frequency, length] of TONES[name] ?? []) {
    if (frequency) {
      const [oscillator, volume] = [sound.createOscillator(), sound.createGain()]
      oscillator.type = name === "stop" ? "square" : "sine"
      oscillator.frequency.value = frequency
      volume.gain.setValueAtTime(name === "calm" ? 0.15 : 0.4, at)
      volume.gain.exponentialRampToValueAtTime(0.001, at + length / 1000)
      oscillator.connect(volume).connect(sound.destination)
      oscillator.start(at)
      oscillator.stop(at + length / 1000)
    }
    at += length / 1000
  }
}

export const vibrate = (pattern) => navigator.vibrate?.(pattern)
