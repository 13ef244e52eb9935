import { UnreadableFileError } from '../intervalFiles/intervalFiles.js';

export interface UnpackLimits {
  /** Entries of an archive. */
  entries: number;
  /** How many times larger than the packed bytes the unpacked ones may be. */
  ratio: number;
  /** Unpacked bytes of an entry up to which the ratio says nothing. */
  freeBytes: number;
  /** Unpacked bytes of an entry. */
  bytes: number;
}

/**
 * Quarter hours as CSV shrink to an eighth, Green Button XML to a fortieth; deflate ends at a thousandth, which a bomb
 * comes near. 64 GiB are a thousand million reads.
 */
export const UNPACK_LIMITS: UnpackLimits = {
  entries: 1_000,
  ratio: 200,
  freeBytes: 32 * 2 ** 20,
  bytes: 64 * 2 ** 30,
};

/**
 * The same bytes, as long as they stay within the limits.
 *
 * @param packedBytes how many packed bytes have been read so far.
 * @throws UnreadableFileError beyond a limit: by then no more than the limit has been unpacked.
 */
export async function* limited(
  unpacked: AsyncIterable<Buffer>,
  packedBytes: () => number,
  { ratio, freeBytes, bytes }: UnpackLimits,
): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const piece of unpacked) {
    total += piece.length;
    if (total > bytes) throw new UnreadableFileError(undefined, `it unpacks to more than ${bytes} bytes`);
    if (total > freeBytes && total > packedBytes() * ratio)
      throw new UnreadableFileError(
        undefined,
        `it unpacks to more than ${ratio} times its size, as no interval file does`,
      );
    yield piece;
  }
}
