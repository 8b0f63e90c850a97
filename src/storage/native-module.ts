import Sqlite from 'better-sqlite3';
import type { Problem } from '../domain/problem.ts';

const openInMemory = (): void => void new Sqlite(':memory:').close();

/** What keeps the native half of better-sqlite3 from being loaded; undefined when it loads. */
export function nativeModuleProblem(openDatabase: () => void = openInMemory): Problem | undefined {
  try {
    openDatabase();
    return undefined;
  } catch (error) {
    const explanation = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'not an error';
    return {
      code: 'storage-native-module',
      at: 'better-sqlite3',
      message: `the native module does not load: ${explanation}`,
      hint: 'run `npm rebuild better-sqlite3` with the Node that runs the broker, or install again',
    };
  }
}
