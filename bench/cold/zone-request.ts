/** HTTP straight to the runtime of an edge, whose zones are told apart by their hosts. */
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

/** One connection, as a caller keeps it. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

export async function zoneRequest(
  url: URL,
  {
    host,
    path,
    headers,
    body,
  }: {
    readonly host: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Makes it a POST. */
    readonly body?: string;
  },
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const { hostname, port } = url;
    const sent = request({ agent, hostname, port, path, method, headers: { ...headers, host } }, (answer) => {
      text(answer).then((read) => resolve({ status: answer.statusCode ?? 0, text: read }), reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
