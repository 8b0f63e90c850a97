import type { RpcProblem } from './envelope.ts';
import { INVALID_REQUEST } from './rpc-error.ts';

/** What can be wrong with a message because of where in the stream it comes. */
export const MESSAGE_TOO_LARGE: RpcProblem = { code: INVALID_REQUEST, problem: 'the message is too large' };
export const DUPLICATE_REQUEST_ID: RpcProblem = {
  code: INVALID_REQUEST,
  problem: 'a request of that id is under way on this stream',
};
export const NOT_INITIALIZED: RpcProblem = {
  code: INVALID_REQUEST,
  problem: 'the stream is not initialized: send `initialize` first',
};
export const ALREADY_INITIALIZED: RpcProblem = { code: INVALID_REQUEST, problem: 'the stream is initialized already' };
