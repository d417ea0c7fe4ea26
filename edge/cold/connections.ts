/** The connections that one invocation of the Worker may have waiting. */

/**
 * "Each Worker invocation can have up to six connections simultaneously waiting for response headers": a seventh read would wait for as long
 * as one of them takes. https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export const WAITING_CONNECTIONS_MAX = 6;

export interface Connections {
  /** So many reads may begin now without waiting for another. */
  readonly free: number;
  /** Holds a place until the headers have come. */
  hold<T>(headers: Promise<T>): Promise<T>;
}

export function createConnections(): Connections {
  let free = WAITING_CONNECTIONS_MAX;
  return {
    get free() {
      return Math.max(0, free);
    },
    async hold(headers) {
      free -= 1;
      try {
        return await headers;
      } finally {
        free += 1;
      }
    },
  };
}
