// Whether a typed number is the serial of a card or the number of a certificate. Mirrors `is_number` of presenting.py.
import { plain } from "./qr.js"

const LONGEST = 64
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]

function isSerial(text) {
  const serial = plain([...text].slice(0, 65).join(""))
  if (!/^[0-9]{16}$/.test(serial)) return false
  const sum = [...serial].reverse().reduce((total, digit, at) => total + (at % 2 ? DOUBLED[digit] : Number(digit)), 0)
  return sum % 10 === 0
}

function isBirth(text) {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6)]
  const found = new Date(`${year}-${month}-${day}T00:00:00Z`)
  return year !== "0000" && !Number.isNaN(found.getTime()) && found.toISOString().startsWith(`${year}-${month}-${day}`)
}

function isCertificate(text) {
  if ([...text].length > LONGEST) return false
  const number = plain(text)
  if (!/^[0-9]{17}[0-9X][1-7][1-4](?:B(?:[1-9][0-9]{0,5})?)?$/.test(number)) return false
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * number[at], 0)
  return isBirth(number.slice(6, 14)) && "10X98765432"[sum % 11] === number[17]
}

export const isNumber = (text) => isSerial(text) || isCertificate(text)
