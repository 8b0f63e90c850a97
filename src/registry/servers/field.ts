import { z } from 'zod';
import { withFormat } from '../../config/schema.ts';
import { parseNanoUsd } from '../../lib/nano-usd.ts';
import { parseDurationMs } from '../../lib/time.ts';

const MAX_DURATION_MS = 86_400_000;

/** A duration such as `30s`, from 1 ms to one day, parsed to milliseconds. */
export function durationField(description: string): z.ZodType<number, string> {
  const text = z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h|d)$/)
    .refine(isDurationInRange, {
      error: 'a duration is a whole number of `ms`, `s`, `m`, `h` or `d`, more than 0 and at most `24h`',
      params: { hint: 'write for example `30s`' },
    })
    .describe(`${description} A whole number with its unit, \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, such as \`30s\`.`);
  return withFormat(text, 'duration, at most `24h`').transform((text) => parseDurationMs(text) ?? 0);
}

function isDurationInRange(text: string): boolean {
  const ms = parseDurationMs(text);
  return ms === undefined || (ms > 0 && ms <= MAX_DURATION_MS);
}

/** Dollars as a decimal string such as `"0.002"`, parsed to nano-dollars. */
export function dollarsField(description: string): z.ZodType<number, string> {
  const text = z
    .string()
    .regex(/^\d{1,7}(\.\d{1,9})?$/)
    .refine((amount) => parseNanoUsd(amount) !== undefined, { error: 'must be at most `9007199`' })
    .describe(`${description} US dollars as a decimal text in quotes, never a number, such as \`"0.002"\`.`);
  return withFormat(text, 'US dollars, quoted').transform((text) => parseNanoUsd(text) ?? 0);
}

/** A whole number of bytes from 1 to `max`. */
export function bytesField(description: string, max: number): z.ZodType<number, number> {
  const number = z.int().min(1).max(max).describe(`${description} A whole number of bytes.`);
  return withFormat(number, `bytes, at most ${max.toLocaleString('en-US')}`);
}

/** The name of a server or agent: words of `a-z` and `0-9` joined by single `-`, at most 63 characters. */
export function registryNameField(description: string): z.ZodType<string, string> {
  const name = z
    .string()
    .max(63)
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .describe(`${description} Words of \`a\` to \`z\` and \`0\` to \`9\` joined by single \`-\`, such as \`ci-bot\`.`);
  return withFormat(name, 'name, at most 63 characters');
}

/** One line of text for display. */
export function singleLineField(description: string): z.ZodType<string, string> {
  const text = z
    .string()
    .min(1)
    .max(1_000)
    .regex(/^\P{Cc}*$/u)
    .describe(description);
  return withFormat(text, 'one line of text');
}
