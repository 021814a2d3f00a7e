// Answers one line of JSON with another: what the two packages from npm make of a card.
import { createInterface } from 'node:readline'
import { CCardLib } from '@risuai/ccardlib'
import * as Cards from 'character-card-utils'

// What a program without a library does to find a card in a picture.
function texts(base64) {
  const file = Buffer.from(base64, 'base64')
  const found = {}
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    const content = file.subarray(at + 8, at + 8 + file.readUInt32BE(at))
    const end = content.indexOf(0)
    const keyword = content.toString('latin1', 0, end)
    if (file.toString('latin1', at + 4, at + 8) === 'tEXt' && (keyword === 'chara' || keyword === 'ccv3')) {
      found[keyword] = JSON.parse(Buffer.from(content.toString('latin1', end + 1), 'base64').toString('utf8'))
    }
  }
  return found
}

const answers = {
  texts,
  check: (card) => CCardLib.character.check(card),
  convert: (card, from, to) => CCardLib.character.convert(card, { from, to }),
  parse: (card) => Cards.parseToV2(card),
  backfill: (card) => Cards.backfillV2(card),
  notice: (card) => Cards.backfillV2WithObsolescenceNotice(card),
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line)
  let answer
  try {
    answer = { value: answers[name](...given) }
  } catch (error) {
    answer = { error: String(error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
