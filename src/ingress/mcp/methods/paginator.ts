import { createHmac, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { FeatureList } from '../../../broker/broker.ts';
import { withSafeIcons } from '../../../domain/mcp/safe-icons.ts';
import type { JsonObject } from '../../../lib/json/json.ts';

/** Features on one page. Common clients never request a second one, and each page costs a round trip. */
const DEFAULT_PAGE_SIZE = 2_500;
/** A page ends once it has this many bytes: clients read a response as a whole. */
const DEFAULT_PAGE_BYTES = 4 * 1_048_576;
/** Bytes of serialized pages in the cache, of all lists together: limits the memory for large lists of many agents. */
const DEFAULT_CACHE_BYTES = 32 * 1_048_576;
const OFFSET_BYTES = 4;
const MAC_BYTES = 16;

/** A serialized page of a list. */
export interface ListPage {
  /** JSON array of features in UTF-8. Shared by all responses with this page: MUST NOT be written to. */
  readonly features: Uint8Array;
  readonly nextCursor?: string;
}

/** A page in the cache. */
interface SerializedPage {
  readonly bytes: Uint8Array;
  /** Offset of the first feature after the page. */
  readonly end: number;
}

export interface PaginatorOptions {
  /** Features on one page. Default: 2,500. */
  readonly pageSize?: number;
  /** A page ends once it has this many bytes. Default: 4 MiB. */
  readonly pageBytes?: number;
  /** Bytes of serialized pages in the cache, of all lists together. Default: 32 MiB. */
  readonly cacheBytes?: number;
}

/**
 * Divides lists into pages. A cursor is an offset with a MAC that binds it to one principal and one version of its list.
 * It needs no state, and becomes invalid when the list changes. The key lives as long as this object.
 */
export class Paginator {
  readonly #key: Uint8Array;
  readonly #pageSize: number;
  readonly #pageBytes: number;
  readonly #featureJson = new WeakMap<JsonObject, string>();
  readonly #pageCache: LRUCache<string, SerializedPage>;
  readonly #listIds = new WeakMap<FeatureList, number>();
  #lastListId = 0;

  constructor(key: Uint8Array, options: PaginatorOptions = {}) {
    this.#key = key;
    this.#pageSize = options.pageSize ?? DEFAULT_PAGE_SIZE;
    this.#pageBytes = options.pageBytes ?? DEFAULT_PAGE_BYTES;
    this.#pageCache = new LRUCache({
      maxSize: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
      sizeCalculation: ({ bytes }) => bytes.length,
    });
  }

  /** Returns the page at `cursor`, or the first page. Returns undefined if the cursor is not valid for this list. */
  page(list: FeatureList, principalId: string, cursor: string | undefined): ListPage | undefined {
    const start = cursor === undefined ? 0 : this.#decodeCursor(list, principalId, cursor);
    if (start === undefined) return undefined;
    const { bytes: features, end } = this.#pageFrom(list, start);
    return end < list.definitions.length
      ? { features, nextCursor: this.#encodeCursor(list, principalId, end) }
      : { features };
  }

  /** A list is the same object until it changes, so that each page is serialized once. */
  #pageFrom(list: FeatureList, start: number): SerializedPage {
    const key = `${this.#listIdOf(list)} ${start}`;
    let page = this.#pageCache.get(key);
    if (page === undefined) {
      page = this.#serialize(list, start);
      this.#pageCache.set(key, page);
    }
    return page;
  }

  #serialize({ definitions: features }: FeatureList, start: number): SerializedPage {
    const serialized: string[] = [];
    let length = 0;
    for (const feature of features.slice(start, start + this.#pageSize)) {
      if (length >= this.#pageBytes) break;
      const json = this.#json(feature);
      serialized.push(json);
      length += Buffer.byteLength(json);
    }
    // Bytes and not text: text would be encoded for every response.
    return { bytes: Buffer.from(`[${serialized.join(',')}]`), end: start + serialized.length };
  }

  #json(feature: JsonObject): string {
    const cached = this.#featureJson.get(feature);
    if (cached !== undefined) return cached;
    // `execution` describes tasks, which are not supported.
    const { execution: _, ...visible } = feature;
    const json = JSON.stringify(withSafeIcons(visible));
    this.#featureJson.set(feature, json);
    return json;
  }

  #encodeCursor(list: FeatureList, principalId: string, offset: number): string {
    const bytes = Buffer.alloc(OFFSET_BYTES + MAC_BYTES);
    bytes.writeUInt32BE(offset);
    this.#macOf(list, principalId, offset).copy(bytes, OFFSET_BYTES);
    return bytes.toString('base64url');
  }

  #decodeCursor(list: FeatureList, principalId: string, cursor: string): number | undefined {
    if (cursor.length > 64) return undefined;
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length !== OFFSET_BYTES + MAC_BYTES) return undefined;
    const offset = bytes.readUInt32BE();
    return timingSafeEqual(bytes.subarray(OFFSET_BYTES), this.#macOf(list, principalId, offset)) ? offset : undefined;
  }

  #macOf(list: FeatureList, principalId: string, offset: number): Buffer {
    const text = `${this.#listIdOf(list)}\n${offset}\n${principalId}`;
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, MAC_BYTES);
  }

  #listIdOf(list: FeatureList): number {
    const cached = this.#listIds.get(list);
    if (cached !== undefined) return cached;
    this.#lastListId += 1;
    this.#listIds.set(list, this.#lastListId);
    return this.#lastListId;
  }
}
