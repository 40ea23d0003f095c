// Draws icon.png: a stack of feature maps, each smaller than the one before, striped like the cortex that gave striate
// its name. `node scripts/icon.mjs` writes it again.
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import { fileURLToPath } from "node:url";

const SIZE = 256;
const SAMPLES = 4;
const GROUND = [20, 33, 61];
const MAPS = [
  { left: 30, top: 42, side: 132, color: [86, 156, 214] },
  { left: 86, top: 78, side: 104, color: [78, 201, 176] },
  { left: 140, top: 118, side: 84, color: [252, 163, 17] },
];
const STRIPES = 5;

/** The colour at a point, or undefined outside of the rounded square. */
function colorAt(x, y) {
  if (!inRounded(x, y, 0, 0, SIZE, 44)) return undefined;
  const map = MAPS.findLast(({ left, top, side }) => inRounded(x, y, left - 5, top - 5, side + 10, 15));
  if (map === undefined) return GROUND;
  const { left, top, side, color } = map;
  if (!inRounded(x, y, left, top, side, 10)) return GROUND;
  const stripe = Math.floor(((x - left + (y - top)) / (2 * side)) * 2 * STRIPES);
  return stripe % 2 === 0 ? color : color.map((part) => Math.round(part * 0.72));
}

function inRounded(x, y, left, top, side, radius) {
  const [dx, dy] = [x - left, y - top].map((at) => Math.abs(at - side / 2) - (side / 2 - radius));
  if (dx > radius || dy > radius) return false;
  return dx <= 0 || dy <= 0 || dx * dx + dy * dy <= radius * radius;
}

/** The pixels, RGBA, each the mean of its samples. */
export function pixels() {
  const image = Buffer.alloc(SIZE * SIZE * 4);
  for (let row = 0; row < SIZE; row += 1) {
    for (let column = 0; column < SIZE; column += 1) image.set(pixel(row, column), (row * SIZE + column) * 4);
  }
  return image;
}

function pixel(row, column) {
  const sum = [0, 0, 0];
  let covered = 0;
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample += 1) {
    const color = colorAt(column + ((sample % SAMPLES) + 0.5) / SAMPLES, row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES);
    if (color === undefined) continue;
    covered += 1;
    color.forEach((part, index) => (sum[index] += part));
  }
  return [...sum.map((part) => Math.round(part / Math.max(covered, 1))), Math.round((255 * covered) / SAMPLES ** 2)];
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function png(image) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIZE, 0);
  header.writeUInt32BE(SIZE, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits for each of red, green, blue and opacity
  const rows = Array.from({ length: SIZE }, (_, row) =>
    Buffer.concat([Buffer.from([0]), image.subarray(row * SIZE * 4, (row + 1) * SIZE * 4)]),
  );
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(Buffer.concat(rows), { level: 9 });
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync("icon.png", png(pixels()));
