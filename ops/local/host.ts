/** What the two helper processes have in common: they announce themselves, they end with their parent. */

/** Calls `stop` once, when the parent is gone or asks to end. */
export function endWithParent(stop: () => Promise<void>): void {
  let stopping = false;
  const end = (): void => {
    if (stopping) return;
    stopping = true;
    void stop().finally(() => process.exit(0));
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("disconnect", end);
}

/** One line on the standard output, in the form of the services' log. */
export function say(msg: string, fields: Readonly<Record<string, unknown>> = {}, level = 30): void {
  process.stdout.write(`${JSON.stringify({ level, time: Date.now(), msg, ...fields })}\n`);
}

/** A setting that the supervisor always gives. */
export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`expected ${name} in the environment; npm start sets it`);
  return value;
}
