import { z } from 'zod';
import { registryNameField, singleLineField } from './field.ts';

const word = (description: string): z.ZodType<string, string> =>
  z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/)
    .describe(description);

/** The settings of `registry/agents/<name>.yaml`. */
export const agentSettingsSchema: z.ZodType<AgentSettings> = z
  .strictObject({
    name: registryNameField('Name of the agent and of its file; the principal is `agent:<name>`.'),
    title: singleLineField('Name of the agent for people. Default: none.').exactOptional(),
    description: singleLineField('What the agent is for. Default: none.').exactOptional(),
    owner: singleLineField('Person or group that is responsible for the agent, such as an e-mail address'),
    team: registryNameField(
      'Team of the agent; grants and limits name it as `team:<name>`. Default: none.',
    ).exactOptional(),
    costCenter: word('Cost center that the agent is charged to, such as `cc-42`. Default: none.').exactOptional(),
    environment: word('Environment that the agent runs in, such as `production`. Default: none.').exactOptional(),
  })
  .describe('One agent: its name and its owner. Its grants are in `policies/policy.csv` alone.');

/** One agent as declared in its file. */
export interface AgentSettings {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly owner: string;
  readonly team?: string;
  readonly costCenter?: string;
  readonly environment?: string;
}
