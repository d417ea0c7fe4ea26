import { crc32c } from "../crc32c.ts";
import { BASE_FILES, type BaseFile, type PieceWriter } from "./piece.ts";

/** A volume passes through a Worker in one request: a third of the 100 MB that one may carry, in memory once at either end. */
const VOLUME_BYTES_MAX = 32 * 1_024 * 1_024;

export interface VolumeWriter extends PieceWriter {
  /** Hands out what is left; resolves with the number of volumes of each file. */
  finish(): Promise<Record<BaseFile, number>>;
}

interface OpenVolume {
  number: number;
  bytes: number;
  parts: Uint8Array[];
}

/** Gathers pieces into volumes, each handed out once, when no further piece fits. */
export function createVolumeWriter(
  put: (file: BaseFile, volume: number, bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
  { volumeBytesMax = VOLUME_BYTES_MAX }: { readonly volumeBytesMax?: number } = {},
): VolumeWriter {
  const open = new Map<BaseFile, OpenVolume>(
    BASE_FILES.map((file) => [file, { number: 0, bytes: 0, parts: [] }]),
  );
  const volumeOf = (file: BaseFile): OpenVolume => {
    const volume = open.get(file);
    if (volume === undefined) throw new RangeError(`expected a file of a base, got ${file}`);
    return volume;
  };

  async function close(file: BaseFile): Promise<void> {
    const volume = volumeOf(file);
    if (volume.bytes === 0) return;
    const whole = new Uint8Array(volume.bytes);
    let at = 0;
    for (const part of volume.parts) {
      whole.set(part, at);
      at += part.byteLength;
    }
    const { number } = volume;
    open.set(file, { number: number + 1, bytes: 0, parts: [] });
    await put(file, number, whole);
  }

  return {
    async write(file, bytes) {
      if (volumeOf(file).bytes + bytes.byteLength > volumeBytesMax) await close(file);
      const volume = volumeOf(file);
      const piece = {
        file,
        volume: volume.number,
        offset: volume.bytes,
        length: bytes.byteLength,
        checksum: crc32c(bytes),
      };
      // A caller may use its buffer again.
      volume.parts.push(bytes.slice());
      volume.bytes += bytes.byteLength;
      return piece;
    },
    async finish() {
      for (const file of BASE_FILES) await close(file);
      const count = (file: BaseFile): number => volumeOf(file).number;
      return {
        codes: count("codes"),
        rows: count("rows"),
        postings: count("postings"),
        columns: count("columns"),
      };
    },
  };
}
