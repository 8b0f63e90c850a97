/** Nano-dollars in one dollar. Money is an integer number of nano-dollars: $9,007,199 fits a safe integer. */
export const NANO_USD_PER_USD = 1_000_000_000;

/** Parses a decimal string of dollars such as `0.002` or `5.00` to nano-dollars; undefined when it is not one or too large. */
export function parseNanoUsd(text: string): number | undefined {
  const match = /^(\d{1,7})(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) return undefined;
  const nanoUsd = Number(match[1]) * NANO_USD_PER_USD + Number((match[2] ?? '').padEnd(9, '0'));
  return Number.isSafeInteger(nanoUsd) ? nanoUsd : undefined;
}

/** Formats nano-dollars as a decimal string of dollars with two to nine decimals. */
export function formatNanoUsd(nanoUsd: number | bigint): string {
  const sign = nanoUsd < 0 ? '-' : '';
  const digits = nanoUsd.toString().replace('-', '').padStart(10, '0');
  const decimals = digits.slice(-9).replace(/0{1,7}$/, '');
  return `${sign}${digits.slice(0, -9)}.${decimals}`;
}
