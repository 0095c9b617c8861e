// The camera: frames go through zxing until a code is found. The decoder is fetched when the camera is first used.
const WANTED = { video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false }
const PAUSE = 60

let reader = null

// The decoder, compiled once; `wasm` is its address.
export function prepare(wasm) {
  reader ??= import("zxing-wasm/reader").then(async (zxing) => {
    await zxing.prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true })
    return zxing
  }).catch((fault) => { reader = null; throw fault })
  return reader
}

export class Camera {
  constructor(video, wasm, found) {
    Object.assign(this, { video, wasm, found, stream: null, running: false })
    this.canvas = document.createElement("canvas")
  }

  async open() {
    if (this.running) return
    this.stream = await navigator.mediaDevices.getUserMedia(WANTED)
    this.video.srcObject = this.stream
    await this.video.play()
    const zxing = await prepare(this.wasm)
    this.running = true
    this.loop(zxing)
  }

  close() {
    this.running = false
    this.stream?.getTracks().forEach((track) => track.stop())
    this.stream = null
  }

  async loop(zxing) {
    while (this.running) {
      const [width, height] = [this.video.videoWidth, this.video.videoHeight]
      if (width && !this.resting) {
        const since = performance.now()
        Object.assign(this.canvas, { width, height })
        const drawing = this.canvas.getContext("2d", { willReadFrequently: true })
        drawing.drawImage(this.video, 0, 0)
        const codes = await zxing.readBarcodes(drawing.getImageData(0, 0, width, height), { formats: ["QRCode"], tryDownscale: true, maxNumberOfSymbols: 1 })
        const text = codes.find((code) => code.isValid)?.text
        if (this.running && !this.resting) await this.found(text ?? "", since)
      }
      await new Promise((go) => { setTimeout(go, PAUSE) })
    }
  }
}
