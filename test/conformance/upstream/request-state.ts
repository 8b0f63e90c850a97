import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { type Answers, type Question, RpcError } from './exchange.ts';

const KEY = randomBytes(32);

/** What a `requestState` of this upstream holds: the answers of the rounds that are over, for one target. */
interface Remembered {
  readonly target: string;
  readonly rounds: Answers[];
}

/** Thrown by a question that has no answer yet: the request ends with `input_required`. */
export class InputRequired extends Error {
  readonly result: JsonObject;

  constructor(questions: Readonly<Record<string, Question>>, requestState: string | undefined) {
    super('the client has to be asked');
    const inputRequests = Object.fromEntries(
      Object.entries(questions).map(([key, { method, params }]) => [key, { method, params }]),
    );
    this.result = {
      ...{ resultType: 'input_required', inputRequests },
      ...(requestState === undefined ? {} : { requestState }),
    };
  }
}

/** Seals the state so that only this server can make it. */
export function seal(remembered: Remembered): string {
  const body = Buffer.from(JSON.stringify(remembered)).toString('base64url');
  return `${body}.${signatureOf(body)}`;
}

/** @throws RpcError when it was tampered with or belongs to another target. */
export function unseal(state: unknown, target: string): Remembered {
  const [body = '', signature = ''] = String(state).split('.');
  const expected = Buffer.from(signatureOf(body));
  const given = Buffer.from(signature);
  const isOurs = expected.length === given.length && timingSafeEqual(expected, given);
  // `as`: only `seal` can have written what bears its signature.
  const remembered = isOurs ? (JSON.parse(Buffer.from(body, 'base64url').toString()) as Remembered) : undefined;
  if (remembered?.target !== target) throw new RpcError(-32602, 'the requestState is not valid');
  return remembered;
}

function signatureOf(body: string): string {
  return createHmac('sha256', KEY).update(body).digest('base64url');
}
