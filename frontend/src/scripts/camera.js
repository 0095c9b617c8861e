// A portrait by the camera: the picture within the guide's frame goes into the form's file field, as a file would.
// Without a camera, without leave to use it or without script the file field alone does the same.
const SHAPE = 35 / 49 // two-inch
const WIDTH = 1000
const WANTED = { video: { facingMode: "user", width: { ideal: 1920 }, height: { ideal: 1440 } }, audio: false }

// The largest part of the video's middle that has the shape of a portrait.
function cut(video) {
  const width = Math.min(video.videoWidth, video.videoHeight * SHAPE)
  const height = width / SHAPE
  return [(video.videoWidth - width) / 2, (video.videoHeight - height) / 2, width, height]
}

function bind(camera) {
  const part = (name) => camera.querySelector(`[data-camera-${name}]`)
  const [frame, video, shot, said] = ["frame", "video", "shot", "said"].map(part)
  const [start, take, again] = ["start", "take", "again"].map(part)
  const input = camera.closest("form").querySelector("[data-camera-file]")
  let stream = null

  const show = (button) => { for (const each of [start, take, again]) each.hidden = each !== button }
  const stop = () => { stream?.getTracks().forEach((track) => track.stop()); stream = null }

  async function open() {
    try {
      stream = await navigator.mediaDevices.getUserMedia(WANTED)
    } catch {
      said.textContent = camera.dataset.refused
      input.focus()
      return
    }
    video.srcObject = stream
    await video.play()
    frame.hidden = video.hidden = false
    shot.hidden = true
    said.textContent = camera.dataset.ready
    show(take)
    take.focus()
  }

  function shoot() {
    const [left, top, width, height] = cut(video)
    shot.width = Math.min(WIDTH, Math.round(width))
    shot.height = Math.round(shot.width / SHAPE)
    shot.getContext("2d").drawImage(video, left, top, width, height, 0, 0, shot.width, shot.height)
    shot.toBlob((blob) => {
      const files = new DataTransfer()
      files.items.add(new File([blob], "camera.jpg", { type: "image/jpeg" }))
      input.files = files.files
      stop()
      video.hidden = true
      shot.hidden = false
      said.textContent = camera.dataset.taken
      show(again)
      again.focus()
    }, "image/jpeg", 0.95)
  }

  start.addEventListener("click", open)
  take.addEventListener("click", shoot)
  again.addEventListener("click", open)
  window.addEventListener("pagehide", stop)
  camera.hidden = false
}

export function bindCameras() {
  if (!navigator.mediaDevices?.getUserMedia) return // no camera, or a page that is not https
  for (const camera of document.querySelectorAll("[data-camera]")) bind(camera)
}
