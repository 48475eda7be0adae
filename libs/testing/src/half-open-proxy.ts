import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/**
 * What gets lost on frozen connections: everything, or only what the server says (it has heard, and nobody learns of it).
 */
export type Lost = 'everything' | 'answers';

/** A line between a client and a server on 127.0.0.1 that can fall silent without either being told. */
export interface HalfOpenProxy {
  readonly port: number;
  /**
   * From now on nothing passes on the connections there are: no byte, no end, no reset, as after a pulled cable or on a
   * firewall that forgot them. They stay so for ever; new ones pass. Answers how many they are.
   */
  freeze(lost?: Lost): number;
  /** The same for connections to come as well, until `thaw`: they are made, and nothing passes. */
  freezeAll(lost?: Lost): number;
  /** New connections pass again; frozen ones do not come back. */
  thaw(): void;
  /** Connections made so far, and those that are open on the client's side now. */
  made(): number;
  open(): number;
  stop(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  lost: Lost | null;
}

/** Starts the line. @param target port on 127.0.0.1 that it leads to */
export const startHalfOpenProxy = async (target: number): Promise<HalfOpenProxy> => {
  const links = new Set<Link>();
  let standing: Lost | null = null;
  let made = 0;

  /** Hands on what comes from one side as long as nothing is lost in that direction. */
  const lead = (link: Link, from: Socket, to: Socket, isLost: () => boolean): void => {
    from.on('data', (bytes) => {
      // What is lost is read all the same: the sender's own system takes it for sent.
      if (!isLost() && !to.destroyed) to.write(bytes);
    });
    from.on('end', () => {
      if (!isLost()) to.end();
    });
    from.on('error', () => {});
    from.on('close', (hadError) => {
      if (from === link.client) links.delete(link);
      if (isLost()) return;
      if (hadError) to.resetAndDestroy();
      else to.destroy();
    });
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    made += 1;
    const link: Link = {
      client,
      server: createConnection({ host: '127.0.0.1', port: target, allowHalfOpen: true }),
      lost: standing,
    };
    links.add(link);
    servers.add(link.server);
    link.server.once('close', () => servers.delete(link.server));
    lead(link, client, link.server, () => link.lost === 'everything');
    lead(link, link.server, client, () => link.lost !== null);
  });
  /** Outlive their clients where nobody tells them. */
  const servers = new Set<Socket>();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  const freeze = (lost: Lost = 'everything'): number => {
    const passing = [...links].filter((link) => link.lost === null);
    for (const link of passing) link.lost = lost;
    return passing.length;
  };
  return {
    port: (server.address() as AddressInfo).port,
    freeze,
    freezeAll: (lost = 'everything') => {
      standing = lost;
      return freeze(lost);
    },
    thaw: () => {
      standing = null;
    },
    made: () => made,
    open: () => links.size,
    stop: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const { client } of links) client.destroy();
      for (const socket of servers) socket.destroy();
      await closed;
    },
  };
};
