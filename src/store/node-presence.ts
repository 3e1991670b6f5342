import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import { reasonOf, StartRefused } from './errors.ts';
import type { PrismaClient } from './generated/client.ts';
import type { StoreLog } from './store-log.ts';

/** How often a living node moves its heartbeat. */
export const heartbeatMs = 5_000;
/** A heartbeat older than this is suspected to be of a dead process. */
export const heartbeatStaleMs = 30_000;
/** How long a heartbeat is watched for a move: two beats. */
export const heartbeatWatchMs = 10_000;
/** How often it is looked at meanwhile. */
const lookMs = 1_000;

export type PresenceOptions = {
  readonly prisma: PrismaClient;
  readonly clock: Clock;
  readonly log: StoreLog;
  readonly nodeId: string;
  /** The instance that is known to be dead; `all` where nobody else can be using the database. */
  readonly dead: string | null | 'all';
  /** Called once when this process finds that it was taken for dead. */
  readonly onLost: () => void;
};

/** A heartbeat as it was seen. */
export type Seen = { readonly id: string; readonly instance: string; readonly heartbeatAt: Instant };

/**
 * This process in the table of nodes: its row says which instance runs under the node's id, and its heartbeat that it
 * does. A row is taken over only as it was seen, so that of two starts one wins.
 */
export class NodePresence {
  readonly instance = randomUUID();
  readonly #options: PresenceOptions;
  #stopTimer: () => void = () => undefined;
  #stopped = false;

  private constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Takes the node's row and beats. Rejects with StartRefused when a living process has it. */
  static async claim(options: PresenceOptions): Promise<NodePresence> {
    const presence = new NodePresence(options);
    while (!(await presence.#tryClaim()));
    presence.#schedule();
    return presence;
  }

  /** No more beats. An orderly end removes the row: nobody need wait for this node. */
  async stop(): Promise<void> {
    this.#silence();
    await this.#options.prisma.node.deleteMany({ where: { id: this.#options.nodeId, instance: this.instance } });
  }

  /** Stops the heartbeat and says so: another process took this node for dead. */
  lose(): void {
    if (this.#stopped) return;
    this.#silence();
    this.#options.onLost();
  }

  #silence(): void {
    this.#stopped = true;
    this.#stopTimer();
  }

  async #tryClaim(): Promise<boolean> {
    const { prisma, clock, nodeId } = this.#options;
    const now = new Date(clock.now());
    const own = { instance: this.instance, startedAt: now, heartbeatAt: now };
    const made = await prisma.node.createMany({ data: { id: nodeId, ...own }, skipDuplicates: true });
    if (made.count === 1) return true;
    const seen = await seenNode(prisma, nodeId);
    if (seen === undefined) return false;
    if (!this.#isDead(seen)) await this.#watch(seen);
    const data = { ...own, heartbeatAt: new Date(clock.now()) };
    return (await prisma.node.updateMany({ where: asSeen(seen), data })).count === 1;
  }

  #isDead(seen: Seen): boolean {
    const { dead, clock } = this.#options;
    return dead === 'all' || seen.instance === dead || clock.now() - seen.heartbeatAt > heartbeatStaleMs;
  }

  /** Waits whether the heartbeat moves; resolves when it does not, or when the row went away. */
  async #watch(seen: Seen): Promise<void> {
    const { prisma, clock, log, nodeId } = this.#options;
    log.info({ node: nodeId }, 'waiting whether another process runs under this NODE_ID');
    const until = clock.now() + heartbeatWatchMs;
    while (clock.now() < until) {
      await reached(clock, Math.min(until, clock.now() + lookMs));
      const found = await seenNode(prisma, nodeId);
      if (found === undefined) return;
      if (moved(seen, found)) throw new StartRefused(`NODE_ID ${nodeId} is in use by another process.`);
    }
  }

  #schedule(): void {
    const { clock } = this.#options;
    if (this.#stopped) return;
    this.#stopTimer = clock.callAt(clock.now() + heartbeatMs, () => {
      void this.#beat().then(() => this.#schedule());
    });
  }

  async #beat(): Promise<void> {
    const { prisma, clock, log, nodeId } = this.#options;
    try {
      const where = { id: nodeId, instance: this.instance };
      const beaten = await prisma.node.updateMany({ where, data: { heartbeatAt: new Date(clock.now()) } });
      if (beaten.count === 0) this.lose();
    } catch (error) {
      if (!this.#stopped) log.warn({ reason: reasonOf(error) }, 'heartbeat not saved');
    }
  }
}

/** The node as it is now; undefined when it has no row: it ended orderly, or was closed by another. */
export async function seenNode(prisma: PrismaClient, id: string): Promise<Seen | undefined> {
  const node = await prisma.node.findUnique({ where: { id } });
  return node === null ? undefined : { id, instance: node.instance, heartbeatAt: node.heartbeatAt.getTime() };
}

/** True when the node has shown life between the two looks: a heartbeat, or another process in its place. */
export function moved(before: Seen, after: Seen): boolean {
  return before.instance !== after.instance || before.heartbeatAt !== after.heartbeatAt;
}

/** Finds the node's row only if nothing has moved since. */
export function asSeen(seen: Seen) {
  return { id: seen.id, instance: seen.instance, heartbeatAt: new Date(seen.heartbeatAt) };
}

function reached(clock: Clock, at: Instant): Promise<void> {
  return new Promise((resolve) => {
    clock.callAt(at, resolve);
  });
}
