import { randomBytes } from 'node:crypto';
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { dataFiles } from './data-dir.ts';
import { codeOf, reasonOf, StartRefused } from './errors.ts';

/**
 * One process per DATA_DIR. The lock is a listening Unix socket in the folder: the kernel closes it with its process,
 * however that ends, so that a connection to it tells dead from alive without process ids, which are used again, and
 * across containers that share the folder. The socket appears under its name by `link`, which is atomic and fails when
 * another one is there. A dead one is moved away and looked at once more before it is deleted.
 */
export type DataDirLock = { readonly release: () => Promise<void> };

/** Longest path the kernel takes for a socket, with some room (sun_path: 104 on BSD, 108 on Linux). */
const socketPathBytesMax = 100;
/** Rounds of finding a dead lock and losing the race for it, before giving up. */
const roundsMax = 10;
/** How long a living holder may take to tell its process id, in milliseconds. */
const answerTimeoutMs = 500;

/** Locks `dataDir` or throws StartRefused, naming the process that holds it. */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const folder = await socketFolder(dataDir);
  const path = join(folder.path, dataFiles.lock);
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const server = await listen(own);
    try {
      await takeName({ dataDir, own, path });
    } catch (error) {
      await close(server);
      throw error;
    } finally {
      await unlinkIfThere(own);
    }
    const { ino } = await lstat(path);
    return { release: () => release({ server, folder, path, inode: ino }) };
  } catch (error) {
    await folder.handle?.close();
    if (error instanceof StartRefused) throw error;
    throw new StartRefused(`DATA_DIR ${dataDir} cannot be locked: ${reasonOf(error)}.`);
  }
}

type SocketFolder = { readonly path: string; readonly handle: FileHandle | undefined };

/** A path of the folder that is short enough for a socket: the folder itself, or on Linux its open descriptor. */
async function socketFolder(dataDir: string): Promise<SocketFolder> {
  const longest = join(dataDir, `${dataFiles.lock}.${'0'.repeat(12)}`);
  if (Buffer.byteLength(longest) <= socketPathBytesMax) return { path: dataDir, handle: undefined };
  if (process.platform !== 'linux') throw new StartRefused(`DATA_DIR ${dataDir} has too long a path for its lock.`);
  const handle = await open(dataDir, 'r');
  return { path: `/proc/self/fd/${handle.fd}`, handle };
}

async function takeName({ dataDir, own, path }: { dataDir: string; own: string; path: string }): Promise<void> {
  for (let round = 0; round < roundsMax; round += 1) {
    if (await linked(own, path)) return;
    const inode = await inodeOf(path);
    const holder = await ask(path);
    if (holder.alive) throw new StartRefused(inUse(dataDir, holder.pid));
    // Only what was found dead is moved away, not what another start has put there meanwhile.
    if (inode === undefined || (await inodeOf(path)) !== inode) continue;
    const dead = `${own}.dead`;
    if (!(await renamed(path, dead))) continue;
    const moved = await ask(dead);
    if (moved.alive) await linked(dead, path);
    await unlinkIfThere(dead);
    if (moved.alive) throw new StartRefused(inUse(dataDir, moved.pid));
  }
  throw new StartRefused(inUse(dataDir, undefined));
}

function inUse(dataDir: string, pid: string | undefined): string {
  return `DATA_DIR ${dataDir} is in use by another process${pid === undefined ? '' : ` (${pid})`}.`;
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${process.pid}\n`);
    });
    server.once('error', reject);
    server.listen(path, () => resolve(server));
    server.unref();
  });
}

type Holder = { readonly alive: boolean; readonly pid: string | undefined };

/** Whether somebody listens at `path`, and who. A holder too busy to answer is alive all the same: the kernel connects. */
function ask(path: string): Promise<Holder> {
  return new Promise((resolve, reject) => {
    let text = '';
    let connected = false;
    const socket = connect(path, () => {
      connected = true;
    });
    const answered = () => resolve({ alive: true, pid: /^(\d{1,10})\n$/.exec(text)?.[1] });
    socket.setTimeout(answerTimeoutMs, () => {
      socket.destroy();
      answered();
    });
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1').slice(0, 16);
    });
    socket.on('end', answered);
    socket.on('error', (error) => {
      const code = codeOf(error);
      if (connected) answered();
      else if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK')
        resolve({ alive: false, pid: undefined });
      else reject(error);
    });
  });
}

async function release(held: {
  readonly server: Server;
  readonly folder: SocketFolder;
  readonly path: string;
  readonly inode: number;
}): Promise<void> {
  if ((await inodeOf(held.path)) === held.inode) await unlinkIfThere(held.path);
  await close(held.server);
  await held.folder.handle?.close();
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function linked(from: string, to: string): Promise<boolean> {
  return !(await failsWith('EEXIST', link(from, to)));
}

async function renamed(from: string, to: string): Promise<boolean> {
  return !(await failsWith('ENOENT', rename(from, to)));
}

async function unlinkIfThere(path: string): Promise<void> {
  await failsWith('ENOENT', unlink(path));
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).ino;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** True when `done` failed with `code`, false when it succeeded; any other failure is thrown. */
async function failsWith(code: string, done: Promise<void>): Promise<boolean> {
  try {
    await done;
    return false;
  } catch (error) {
    if (codeOf(error) === code) return true;
    throw error;
  }
}
