import { canonicalJson } from '../lib/canonical-json.ts';
import type { Clock } from '../lib/clock.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { Log } from './log.ts';

/**
 * A log for people: one line an event, time first. Lines of one turn of the event loop are written at once.
 * Whatever could end a line or move a cursor is escaped (CWE-117, CWE-150).
 */
export function textLog(write: (text: string) => void, clock: Clock): Log {
  let lines = '';
  const flush = (): void => {
    const text = lines;
    lines = '';
    write(text);
  };
  const line = (level: string, event: string, fields: JsonObject): void => {
    if (lines === '') setImmediate(flush);
    const time = new Date(clock.wallMs()).toISOString().slice(11, 23);
    lines += `${time} ${level}${event}${Object.entries(fields).map(fieldText).join('')}\n`;
  };
  return {
    info: (event, fields = {}) => line('', event, fields),
    warn: (event, fields = {}) => line('WARNING ', event, fields),
    error: (event, fields = {}) => line('ERROR ', event, fields),
  };
}

function fieldText([name, value]: [string, JsonValue]): string {
  const plain = typeof value === 'string' && /^[\w:/.,@+-]+$/.test(value);
  return ` ${name}=${plain ? value : escaped(canonicalJson(value))}`;
}

function escaped(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
