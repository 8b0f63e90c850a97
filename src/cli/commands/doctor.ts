import type { DoctorReport } from '../../app/doctor/doctor.ts';
import { runDoctor } from '../../app/doctor/doctor.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { interruptible } from '../framework/interruptible.ts';
import { pluralize, printData, problemText } from '../framework/output.ts';
import { progress } from '../framework/progress.ts';
import { VERSION } from '../framework/version.ts';

export const doctor: CommandDefinition = defineCommand({
  path: 'doctor',
  summary: 'check an installation, and print how to fix each fault',
  description: `Checks Node and the native module, the data directory and its lock, the disk, the clock, the port, the files of
    registry and policies, the policy tests, secret references, every tool server and its tools, keys and agents. It
    prints each finding with its place and the command to type next, and one line if everything is well.

    If a broker runs, it asks that broker. If none runs, it starts each tool server for a moment. It changes nothing and
    records nothing.`,
  settings: ['registry', 'policies', 'data', 'port', 'host'],
  exitCodes: {
    yes: 'the installation is healthy; warnings may have been printed',
    failed: 'at least one fault was found',
  },
  examples: [
    { title: 'Check an installation', line: 'seneschal doctor' },
    { title: 'Collect the findings for a support request', line: 'seneschal doctor --output json' },
  ],
  run: async ({ settings, output }) => {
    const reporter = progress();
    const onCheck = (name: string): void => reporter.step(`checking: ${name}`);
    const options = { env: process.env, version: VERSION, onCheck };
    const report = await interruptible((signal) => runDoctor(settings(), { ...options, signal })).finally(() =>
      reporter.end(),
    );
    printData(report, output, doctorReportText);
    return report.healthy ? EXIT.yes : EXIT.failed;
  },
});

function doctorReportText({ healthy, findings, checked }: DoctorReport): string {
  const faults = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - faults;
  const sums = [
    ...(faults > 0 ? [pluralize(faults, 'fault')] : []),
    ...(warnings > 0 ? [pluralize(warnings, 'warning')] : []),
    pluralize(checked.length, 'check'),
  ];
  return [...findings.map(problemText), `${healthy ? 'healthy' : 'not healthy'}: ${sums.join(', ')}`].join('\n');
}
