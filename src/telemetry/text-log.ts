import { canonicalJson } from '../lib/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../lib/json/json.ts';
import { escapeControlCharacters } from '../lib/text/escape-control-characters.ts';
import type { Clock } from '../lib/time.ts';
import type { Log } from './log.ts';

/** How long lines are gathered, in milliseconds: too short for a person to notice. */
const BUFFER_MS = 20;

/**
 * A log for people: one line an event, time first. Whatever could end a line or move a cursor is escaped (CWE-117,
 * CWE-150). Lines of 20 ms are written at once, since each write is a system call; `flush` writes what waits.
 */
export function textLog(write: (text: string) => void, clock: Clock): Log & { flush(): void } {
  let lines = '';
  let lastMs = 0;
  let lastTime = '';
  const flush = (): void => {
    const text = lines;
    lines = '';
    if (text !== '') write(text);
  };
  const line = (level: string, event: string, fields: JsonObject): void => {
    if (lines === '') setTimeout(flush, BUFFER_MS);
    const nowMs = clock.wallMs();
    // Many lines of a busy moment are of one millisecond.
    if (nowMs !== lastMs) lastTime = new Date(nowMs).toISOString().slice(11, 23);
    lastMs = nowMs;
    lines += `${lastTime} ${level}${event}`;
    for (const name in fields) lines += formatField(name, fields[name] ?? null);
    lines += '\n';
  };
  return {
    flush,
    info: (event: string, fields: JsonObject) => line('', event, fields),
    warn: (event: string, fields: JsonObject) => line('WARNING ', event, fields),
    error: (event: string, fields: JsonObject) => line('ERROR ', event, fields),
  };
}

function formatField(name: string, value: JsonValue): string {
  if (typeof value === 'number') return ` ${name}=${value}`;
  const plain = typeof value === 'string' && /^[\w:/.,@+-]+$/.test(value);
  return ` ${name}=${plain ? value : escapeControlCharacters(canonicalJson(value))}`;
}
