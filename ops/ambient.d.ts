/** Declares the part of html-to-text that ops/ calls; the package brings no types. */
declare module "html-to-text" {
  export interface Selector {
    readonly selector: string;
    readonly format?: string;
    readonly options?: Readonly<Record<string, unknown>>;
  }
  export interface Options {
    readonly wordwrap?: number | false;
    readonly selectors?: readonly Selector[];
    readonly limits?: { readonly maxInputLength?: number };
  }
  export function compile(options?: Options): (html: string) => string;
}

/** Declares the part of cli-progress that ops/ calls; the package brings no types. */
declare module "cli-progress" {
  export interface BarOptions {
    readonly format?: string;
    readonly stream?: NodeJS.WritableStream;
    readonly hideCursor?: boolean;
    readonly barsize?: number;
  }
  export class SingleBar {
    constructor(options: BarOptions, preset: object);
    start(total: number, startValue: number, payload?: Readonly<Record<string, string>>): void;
    update(payload: Readonly<Record<string, string>>): void;
    update(current: number, payload?: Readonly<Record<string, string>>): void;
    stop(): void;
  }
  const progress: {
    readonly SingleBar: typeof SingleBar;
    readonly Presets: { readonly shades_classic: object };
  };
  export default progress;
}
