/** The sockets of the Postgres driver. */
import { createConnection, type Socket } from "node:net";

/** What the driver tells of where to connect: hosts with their ports in the order of the URL, or the path of a Unix socket. */
export interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false | undefined;
}

/**
 * Returns what makes sockets for the driver, which by itself leaves Nagle's algorithm on (RFC 896).
 *
 * The second of two small messages in a row waits there for the acknowledgement of the first, which the other side delays by
 * 40 ms: each COPY of a small group cost 80.
 *
 * A socket is returned before it is connected: the driver's first message waits in it, and a refusal comes as the event that
 * makes the driver try again.
 */
export function socketsWithoutDelay(): (address: Address) => Socket {
  let attempts = 0;
  return ({ host: hosts, port: ports, path }) => {
    if (typeof path === "string" && path !== "") return createConnection({ path });
    // The next host each time, as the driver does on its own.
    const at = attempts % hosts.length;
    attempts += 1;
    const [host, port] = [hosts[at], ports[at]];
    if (host === undefined || port === undefined) throw new RangeError("expected a port for each host");
    // The driver takes the name that a certificate must have from here.
    return Object.assign(createConnection({ host, port }).setNoDelay(true), { host, port });
  };
}
