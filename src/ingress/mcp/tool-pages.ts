import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ToolList } from '../../broker/broker.ts';
import type { JsonObject } from '../../lib/json.ts';
import { LruMap } from '../../lib/lru.ts';

/** Tools on one page. Common clients never see a second one. */
const DEFAULT_PAGE_SIZE = 1_000;
/** Pages that stay printed, of all lists together: with large lists of many agents they would be the broker's memory. */
const PAGES_KEPT = 64;
const OFFSET_BYTES = 4;
const SEAL_BYTES = 16;

/** One page of a tool list, serialised. */
export interface ToolPage {
  /** The JSON array of the tools. */
  readonly toolsJson: string;
  readonly nextCursor?: string;
}

/**
 * Cuts tool lists into pages. A cursor is an offset sealed with a key that lives as long as this object, bound to one
 * principal and one state of its list: nothing is kept for it, and a changed list makes it invalid.
 */
export class ToolPages {
  readonly #key: Uint8Array;
  readonly #pageSize: number;
  readonly #toolJson = new WeakMap<JsonObject, string>();
  readonly #pageTexts = new LruMap<string, string>(PAGES_KEPT);
  readonly #listNumbers = new WeakMap<ToolList, number>();
  #lists = 0;

  constructor(key: Uint8Array, pageSize: number = DEFAULT_PAGE_SIZE) {
    this.#key = key;
    this.#pageSize = pageSize;
  }

  /** The page that `cursor` names, the first without one; undefined when the cursor is not one of ours for this list. */
  page(list: ToolList, principalId: string, cursor: string | undefined): ToolPage | undefined {
    const start = cursor === undefined ? 0 : this.#open(list, principalId, cursor);
    if (start === undefined) return undefined;
    const end = Math.min(start + this.#pageSize, list.tools.length);
    const toolsJson = this.#pageText(list, start, end);
    return end < list.tools.length ? { toolsJson, nextCursor: this.#seal(list, principalId, end) } : { toolsJson };
  }

  /** A list is the same object while nothing changes, so that a page is printed once and then only sent. */
  #pageText(list: ToolList, start: number, end: number): string {
    const key = `${this.#numberOf(list)} ${start}`;
    let text = this.#pageTexts.get(key);
    if (text === undefined) {
      const tools = list.tools.slice(start, end).map((tool) => this.#json(tool));
      text = `[${tools.join(',')}]`;
      this.#pageTexts.set(key, text);
    }
    return text;
  }

  #json(tool: JsonObject): string {
    const known = this.#toolJson.get(tool);
    if (known !== undefined) return known;
    // `execution` speaks of tasks, which are not served while they are not governed.
    const { execution: _, ...shown } = tool;
    const json = JSON.stringify(shown);
    this.#toolJson.set(tool, json);
    return json;
  }

  #seal(list: ToolList, principalId: string, offset: number): string {
    const bytes = Buffer.alloc(OFFSET_BYTES + SEAL_BYTES);
    bytes.writeUInt32BE(offset);
    this.#sealOf(list, principalId, offset).copy(bytes, OFFSET_BYTES);
    return bytes.toString('base64url');
  }

  #open(list: ToolList, principalId: string, cursor: string): number | undefined {
    if (cursor.length > 64) return undefined;
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length !== OFFSET_BYTES + SEAL_BYTES) return undefined;
    const offset = bytes.readUInt32BE();
    return timingSafeEqual(bytes.subarray(OFFSET_BYTES), this.#sealOf(list, principalId, offset)) ? offset : undefined;
  }

  #sealOf(list: ToolList, principalId: string, offset: number): Buffer {
    const text = `${this.#numberOf(list)}\n${offset}\n${principalId}`;
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, SEAL_BYTES);
  }

  #numberOf(list: ToolList): number {
    const known = this.#listNumbers.get(list);
    if (known !== undefined) return known;
    this.#lists += 1;
    this.#listNumbers.set(list, this.#lists);
    return this.#lists;
  }
}
