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
  export function convert(html: string, options?: Options): string;
}
