/** Hears when a signal aborts, with one listener of the platform for each signal: its own cost more than a step does. */

type Act = () => void;

const heard = new WeakMap<AbortSignal, Set<Act>>();

/** Returns what makes it be heard no more; the signal has not aborted yet. */
export function onAbort(signal: AbortSignal, act: Act): () => void {
  const acts = heard.get(signal) ?? actsOf(signal);
  acts.add(act);
  return () => {
    acts.delete(act);
  };
}

function actsOf(signal: AbortSignal): Set<Act> {
  const acts = new Set<Act>();
  heard.set(signal, acts);
  signal.addEventListener(
    "abort",
    () => {
      for (const act of acts) act();
    },
    { once: true },
  );
  return acts;
}
