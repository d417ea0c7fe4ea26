/** Text of others on its way to the terminal: a control character in it must not get there. */
export function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  return text.replaceAll(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g, " ");
}
