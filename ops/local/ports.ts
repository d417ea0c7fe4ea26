/** The ports of the local network. */
import { createServer } from "node:net";
import getPort, { portNumbers } from "get-port";

/** The first port is the caller's, the others follow; a machine rarely has a hundred in a row in use. */
const SEARCHED_PORTS = 100;

/** The port of the edge is taken. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/** @throws {PortTakenError} when `first` is in use. */
export async function choosePorts(
  first: number,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (!(await isFree(first))) {
    throw new PortTakenError(
      `Port ${first} is taken by another program. Stop that program, or choose another port: KATTEGAT_PORT=${first + 1_000} npm start`,
    );
  }
  const ports = new Map<string, number>();
  for (const name of names) {
    const port = await getPort({ host: "127.0.0.1", port: portNumbers(first + 1, first + SEARCHED_PORTS) });
    ports.set(name, port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
