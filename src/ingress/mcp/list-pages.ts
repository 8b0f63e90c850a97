import { createHmac, timingSafeEqual } from 'node:crypto';
import type { OfferList } from '../../broker/broker.ts';
import { withSafeIcons } from '../../domain/safe-icons.ts';
import type { JsonObject } from '../../lib/json.ts';
import { LruMap } from '../../lib/lru.ts';

/** Offers on one page. Common clients never see a second one, and each page costs a round trip. */
const DEFAULT_PAGE_SIZE = 2_500;
/** A page that has grown to so many bytes takes no more: clients read an answer as a whole. */
const DEFAULT_PAGE_BYTES = 4 * 1_048_576;
/** Bytes of pages that stay printed, of all lists together: large lists of many agents would be the broker's memory. */
const DEFAULT_BYTES_KEPT = 32 * 1_048_576;
const OFFSET_BYTES = 4;
const SEAL_BYTES = 16;

/** One page of a list, printed. */
export interface ListPage {
  /** The JSON array of what is offered in UTF-8. Shared by every answer that shows the same: nobody may write into it. */
  readonly offers: Uint8Array;
  readonly nextCursor?: string;
}

/** A page as it is kept. */
interface PrintedPage {
  readonly bytes: Uint8Array;
  /** Offset of the first offer that is not on it. */
  readonly end: number;
}

/** How large pages are. */
export interface ListPagesOptions {
  /** Offers on one page. Default: 2,500. */
  readonly pageSize?: number;
  /** A page takes no more once it has so many bytes. Default: 4 MiB. */
  readonly pageBytes?: number;
  /** Bytes of pages that stay printed, of all lists together. Default: 32 MiB. */
  readonly bytesKept?: number;
}

/**
 * Cuts lists into pages. A cursor is an offset sealed with a key that lives as long as this object, bound to one
 * principal and one state of its list: nothing is kept for it, and a changed list makes it invalid.
 */
export class ListPages {
  readonly #key: Uint8Array;
  readonly #pageSize: number;
  readonly #pageBytes: number;
  readonly #offerJson = new WeakMap<JsonObject, string>();
  readonly #printed: LruMap<string, PrintedPage>;
  readonly #listNumbers = new WeakMap<OfferList, number>();
  #lists = 0;

  constructor(key: Uint8Array, options: ListPagesOptions = {}) {
    this.#key = key;
    this.#pageSize = options.pageSize ?? DEFAULT_PAGE_SIZE;
    this.#pageBytes = options.pageBytes ?? DEFAULT_PAGE_BYTES;
    this.#printed = new LruMap(options.bytesKept ?? DEFAULT_BYTES_KEPT, ({ bytes }) => bytes.length);
  }

  /** The page that `cursor` names, the first without one; undefined when the cursor is not one of ours for this list. */
  page(list: OfferList, principalId: string, cursor: string | undefined): ListPage | undefined {
    const start = cursor === undefined ? 0 : this.#open(list, principalId, cursor);
    if (start === undefined) return undefined;
    const { bytes: offers, end } = this.#pageFrom(list, start);
    return end < list.offers.length ? { offers, nextCursor: this.#seal(list, principalId, end) } : { offers };
  }

  /** A list is the same object while nothing changes, so that a page is printed once and then only sent. */
  #pageFrom(list: OfferList, start: number): PrintedPage {
    const key = `${this.#numberOf(list)} ${start}`;
    let page = this.#printed.get(key);
    if (page === undefined) {
      page = this.#print(list, start);
      this.#printed.set(key, page);
    }
    return page;
  }

  #print({ offers }: OfferList, start: number): PrintedPage {
    const printed: string[] = [];
    let length = 0;
    for (const offer of offers.slice(start, start + this.#pageSize)) {
      if (length >= this.#pageBytes) break;
      const json = this.#json(offer);
      printed.push(json);
      length += Buffer.byteLength(json);
    }
    // Bytes and not text, which would be encoded anew for every answer.
    return { bytes: Buffer.from(`[${printed.join(',')}]`), end: start + printed.length };
  }

  #json(offer: JsonObject): string {
    const known = this.#offerJson.get(offer);
    if (known !== undefined) return known;
    // `execution` speaks of tasks, which are not served while they are not governed.
    const { execution: _, ...shown } = offer;
    const json = JSON.stringify(withSafeIcons(shown));
    this.#offerJson.set(offer, json);
    return json;
  }

  #seal(list: OfferList, principalId: string, offset: number): string {
    const bytes = Buffer.alloc(OFFSET_BYTES + SEAL_BYTES);
    bytes.writeUInt32BE(offset);
    this.#sealOf(list, principalId, offset).copy(bytes, OFFSET_BYTES);
    return bytes.toString('base64url');
  }

  #open(list: OfferList, principalId: string, cursor: string): number | undefined {
    if (cursor.length > 64) return undefined;
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length !== OFFSET_BYTES + SEAL_BYTES) return undefined;
    const offset = bytes.readUInt32BE();
    return timingSafeEqual(bytes.subarray(OFFSET_BYTES), this.#sealOf(list, principalId, offset)) ? offset : undefined;
  }

  #sealOf(list: OfferList, principalId: string, offset: number): Buffer {
    const text = `${this.#numberOf(list)}\n${offset}\n${principalId}`;
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, SEAL_BYTES);
  }

  #numberOf(list: OfferList): number {
    const known = this.#listNumbers.get(list);
    if (known !== undefined) return known;
    this.#lists += 1;
    this.#listNumbers.set(list, this.#lists);
    return this.#lists;
  }
}
