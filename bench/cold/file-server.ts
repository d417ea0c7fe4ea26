/** Serves files of a folder by range, on loopback. */
import { createServer } from "node:http";
import { openSync, readSync, statSync } from "node:fs";
import { join, normalize } from "node:path";

export interface FileServer {
  readonly url: string;
  close(): void;
}

export async function serveFiles(folder: string): Promise<FileServer> {
  const files = new Map<string, { readonly handle: number; readonly bytes: number }>();
  const opened = (name: string): { readonly handle: number; readonly bytes: number } => {
    const path = join(folder, normalize(name));
    const file = files.get(path) ?? { handle: openSync(path, "r"), bytes: statSync(path).size };
    files.set(path, file);
    return file;
  };
  const server = createServer((request, response) => {
    const { handle, bytes } = opened(request.url ?? "/");
    const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const offset = Number(from ?? 0);
    const end = Math.min(bytes, last === undefined ? bytes : Number(last) + 1);
    const body = Buffer.allocUnsafe(end - offset);
    readSync(handle, body, 0, body.byteLength, offset);
    response.writeHead(from === undefined ? 200 : 206, { "content-length": body.byteLength });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
