import { nativeModuleProblem } from '../../storage/native-module.ts';
import type { Check } from './check.ts';

export const nativeModuleCheck: Check = {
  name: 'native module',
  run: () => {
    const problem = nativeModuleProblem();
    return { findings: problem === undefined ? [] : [problem] };
  },
};
