import { setTimeout as wait } from 'node:timers/promises';
import { textResult, toolNamed, type UpstreamTool } from './content-tools.ts';

/** Between two signs of life; the suite asks for about that. */
const STEP_MS = 50;

/** Tools that send notifications during a call, or after. `change` changes a list by one entry and announces it. */
export function liveTools(change: (list: 'tools' | 'prompts') => void): readonly UpstreamTool[] {
  return [
    {
      definition: toolNamed('test_tool_with_logging'),
      call: async (_args, exchange) => {
        exchange.log('Tool execution started');
        await wait(STEP_MS);
        exchange.log('Tool processing data');
        await wait(STEP_MS);
        exchange.log('Tool execution completed');
        return textResult('three log messages were sent');
      },
    },
    {
      definition: toolNamed('test_logging_tool'),
      call: (_args, exchange) => {
        exchange.log('a message for clients that set a level');
        return textResult('logged');
      },
    },
    {
      definition: toolNamed('test_tool_with_progress'),
      call: async (_args, exchange) => {
        exchange.progress(0, 100);
        await wait(STEP_MS);
        exchange.progress(50, 100);
        await wait(STEP_MS);
        exchange.progress(100, 100);
        return textResult('done');
      },
    },
    {
      definition: toolNamed('test_reconnection'),
      call: async (_args, exchange) => {
        exchange.hangUp();
        await wait(STEP_MS);
        return textResult('fetched after the stream was closed');
      },
    },
    {
      definition: toolNamed('test_trigger_tool_change'),
      call: () => {
        change('tools');
        return textResult('the tools have changed');
      },
    },
    {
      definition: toolNamed('test_trigger_prompt_change'),
      call: () => {
        change('prompts');
        return textResult('the prompts have changed');
      },
    },
  ];
}
