import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/** Refuses an act that belongs to a test of the projects `wire` and `system`. */
function refuse(act: string): () => never {
  return () => {
    throw new Error(`a unit test may not ${act}: move it to test/wire or test/system`);
  };
}

Object.assign(childProcess, {
  spawn: refuse('start a process'),
  spawnSync: refuse('start a process'),
  exec: refuse('start a process'),
  execSync: refuse('start a process'),
  execFile: refuse('start a process'),
  execFileSync: refuse('start a process'),
  fork: refuse('start a process'),
});
net.Server.prototype.listen = refuse('listen on a socket');
net.Socket.prototype.connect = refuse('connect a socket');
syncBuiltinESMExports();
