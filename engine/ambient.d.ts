/** What Node and workerd both have, for a folder that compiles without any runtime's types. */
declare namespace WebAssembly {
  interface Module {}
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  const Instance: { new (module: Module, imports?: object): Instance };
}

declare const TextEncoder: { new (): { encode(text: string): Uint8Array<ArrayBuffer> } };
declare const TextDecoder: {
  new (
    label: "utf-8",
    options: { readonly fatal: boolean; readonly ignoreBOM?: boolean },
  ): { decode(bytes: Uint8Array): string };
};
