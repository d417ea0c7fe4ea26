import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, Socket, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { socketsWithoutDelay } from "./socket.ts";

let folder: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kattegat-socket-"));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

/** Answers with its own name, then hangs up. */
async function listening(name: string, where: { readonly path?: string } = {}): Promise<number> {
  const server = createServer((socket) => socket.end(name));
  servers.push(server);
  if (where.path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(where.path);
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function told(socket: Socket): Promise<string> {
  const [bytes]: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(bytes);
}

describe("the sockets of the Postgres driver", () => {
  it("send each small message at once, and tell the host, whose name a certificate must have", async () => {
    const port = await listening("a");
    const noDelay = vi.spyOn(Socket.prototype, "setNoDelay");
    const socket = socketsWithoutDelay()({ host: ["127.0.0.1"], port: [port] });
    const known = { host: Reflect.get(socket, "host"), port: Reflect.get(socket, "port") };
    expect(known).toEqual({ host: "127.0.0.1", port });
    expect(await told(socket)).toBe("a");
    expect(noDelay.mock.calls).toEqual([[true]]);
    noDelay.mockRestore();
  });

  it("go to the hosts of the URL in turn", async () => {
    const port = [await listening("a"), await listening("b")];
    const open = socketsWithoutDelay();
    const names: string[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1)
      names.push(await told(open({ host: ["127.0.0.1", "127.0.0.1"], port })));
    expect(names).toEqual(["a", "b", "a"]);
  });

  it("go to a path where the URL names one", async () => {
    const path = join(folder, "socket");
    await listening("here", { path });
    expect(await told(socketsWithoutDelay()({ host: ["127.0.0.1"], port: [1], path }))).toBe("here");
  });
});
